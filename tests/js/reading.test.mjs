import assert from "node:assert/strict";
import { test } from "node:test";

import { dateReadings, numberReadings, readNumber, readTime, splitMoment } from "../../static/js/data/reading.js";
import { mannerOf, readerOf } from "../../static/js/data/column-reading.js";
import { nowText, shifted } from "../../static/js/data/days.js";
import { LosslessNumber, numberOf } from "../../static/js/data/json.js";
import { ValueError, exactly, parseValue, shownText } from "../../static/js/data/values.js";
import { filterText, parseFilter } from "../../static/js/data/filters.js";
import { decimalSign } from "../../static/js/shell/preferences.js";

const NUMBERS = [
  ["1,234.50", "1234.50", null],
  ["1.234,50", null, "1234.50"],
  ["1 234,50", null, "1234.50"],
  ["1\u00a0234\u00a0567", "1234567", "1234567"],
  ["1’234.50", "1234.50", null],
  ["1,234,567", "1234567", null],
  ["12,34,567", "1234567", null],
  ["1,234", "1234", "1.234"],
  ["1.234", "1.234", "1234"],
  ["0,125", null, "0.125"],
  ["12,5", null, "12.5"],
  ["€ 12.50", "12.50", null],
  ["12,50 €", null, "12.50"],
  ["$1,234.50", "1234.50", null],
  ["-$12.50", "-12.50", null],
  ["$-12.50", "-12.50", null],
  ["USD 3", "3", "3"],
  ["(12.50)", "-12.50", null],
  ["−5", "-5", "-5"],
  ["12345678901234567890.5", "12345678901234567890.5", null],
  ["1e5", "1e5", "1e5"],
  ["5%", null, null],
  ["1,23,4", null, null],
  ["1.2.3", null, null],
  ["12 34", null, null],
  ["abc", null, null],
  ["NAN", null, null],
  ["", null, null],
];
for (const [text, point, comma] of NUMBERS)
  test(`${JSON.stringify(text)} is ${point} with a point, ${comma} with a comma`, () =>
    assert.deepEqual(numberReadings(text), { point, comma }));

test("the manner decides only between two meanings", () => {
  assert.equal(readNumber("1,234", { decimal: "." }), "1234");
  assert.equal(readNumber("1,234", { decimal: "," }), "1.234");
  assert.equal(readNumber("1.234,5", { decimal: "." }), "1234.5");
  assert.equal(readNumber("12.5", { decimal: "," }), "12.5");
});

const DATES = [
  ["2024-01-31", { iso: "2024-01-31" }],
  ["2024/1/31", { iso: "2024-01-31" }],
  ["20240131", { iso: "2024-01-31" }],
  ["31.12.1980", { iso: "1980-12-31" }],
  ["3.4.2024", { iso: "2024-04-03" }],
  ["31/12/1980", { iso: "1980-12-31", order: "dmy" }],
  ["12/31/1980", { iso: "1980-12-31", order: "mdy" }],
  ["03/04/2024", { dmy: "2024-04-03", mdy: "2024-03-04" }],
  ["04-04-2024", { iso: "2024-04-04" }],
  ["31 Dec 1980", { iso: "1980-12-31" }],
  ["31-Dec-1980", { iso: "1980-12-31" }],
  ["Dec 31, 1980", { iso: "1980-12-31" }],
  ["December 31st, 1980", { iso: "1980-12-31" }],
  ["31. Dezember 1980", { iso: "1980-12-31" }],
  ["29.02.2023", { reason: "noSuchDate" }],
  ["2023-02-29", { reason: "noSuchDate" }],
  ["31/12/80", { reason: "shortYear" }],
  ["31 Dec 80", { reason: "shortYear" }],
  ["31 Foo 1980", null],
  ["12/1980", null],
  ["44000", null],
  ["not a date", null],
];
for (const [text, meant] of DATES)
  test(`the date ${JSON.stringify(text)}`, () => {
    const { order, ...read } = dateReadings(text, ["de"]) ?? { none: true };
    const { order: wanted, ...rest } = meant ?? { none: true };
    assert.deepEqual(read, rest);
    if (wanted) assert.equal(order, wanted);
  });

test("times with am and pm", () => {
  assert.deepEqual(["1:45 PM", "12:00 am", "12:30:15 p.m.", "9 am", "13:45", "13 pm", "0 am"].map(readTime), [
    "13:45:00",
    "00:00:00",
    "12:30:15",
    "09:00:00",
    null,
    null,
    null,
  ]);
  assert.deepEqual(splitMoment("31.12.1980, 13:45"), ["31.12.1980", "13:45"]);
  assert.deepEqual(splitMoment("Dec 31, 1980 1:45 PM"), ["Dec 31, 1980", "1:45 PM"]);
  assert.deepEqual(splitMoment("31 Dec 1980"), ["31 Dec 1980", null]);
});

const column = (category, more = {}) => ({ name: "C", category, nullable: true, ...more });
const meaning = (text, of) => String(parseValue(text, of));
const reasonOf = (text, of) => {
  try {
    return `value ${parseValue(text, of)}`;
  } catch (error) {
    assert.ok(error instanceof ValueError);
    return error.reason;
  }
};

test("values as people write them", () => {
  assert.equal(meaning("7.00", column("integer")), "7");
  assert.equal(meaning("7,0", column("integer")), "7");
  assert.equal(meaning("1,234", column("integer")), "1234");
  assert.equal(meaning("12,5", column("numeric", { precision: 9, scale: 2 })), "12.5");
  assert.equal(meaning("€ 1.234,50", column("numeric")), "1234.50");
  assert.equal(meaning("9,007,199,254,740,993", column("integer")), "9007199254740993");
  assert.equal(meaning("31.12.1980", column("date")), "1980-12-31");
  assert.equal(meaning("1:45 pm", column("time")), "13:45:00");
  assert.equal(meaning("31.12.1980 13:45", column("timestamp")), "1980-12-31 13:45:00");
  assert.equal(meaning("12/31/1980 1:45 PM", column("timestamp")), "1980-12-31 13:45:00");
});

test("a text with two meanings is refused with both", () => {
  assert.equal(reasonOf("1.000", column("integer")), "twoNumbers");
  assert.equal(reasonOf("1,000", column("integer", { manner: { decimal: "," } })), "twoNumbers");
  assert.equal(reasonOf("1.000", column("integer", { manner: { decimal: "," } })), "value 1000");
  assert.equal(reasonOf("03/04/2024", column("date")), "twoDates");
  assert.equal(reasonOf("03/04/2024", column("date", { manner: { order: "mdy" } })), "value 2024-03-04");
  assert.equal(reasonOf("31.12.80", column("date")), "shortYear");
  assert.equal(reasonOf("03/04/2024 10:00", column("timestamp")), "twoDates");
});

test("what is shown with a comma means the same value, and what the database writes is read exactly", () => {
  const comma = column("double", { manner: { decimal: "," } });
  for (const digits of ["1.234", "-0.5", "1234567.125", "7"]) {
    const value = numberOf(digits);
    assert.equal(String(parseValue(shownText(value, comma), comma)), digits);
    assert.equal(String(parseValue(digits, exactly(comma))), digits);
    const filter = { operator: "equals", value };
    assert.equal(String(parseFilter(filterText(filter, comma), comma).value), digits);
  }
  assert.equal(shownText(new LosslessNumber("12345678901234567890.10"), comma), "12345678901234567890,10");
  assert.equal(shownText("12.5", comma), "12.5"); // a text is no number
});

test("one text of a column proves the order of all", () => {
  const date = column("date");
  assert.equal(mannerOf(["03/04/2024", "31/12/2024"], date).order, "dmy");
  assert.equal(mannerOf(["03/04/2024", "12/31/2024"], date).order, "mdy");
  assert.equal(mannerOf(["03/04/2024", "31/12/2024", "12/31/2024"], date).order, null);
  assert.equal(mannerOf(["1,234", "12,5"], column("double")).decimal, ",");
  assert.equal(mannerOf(["1,234", "1,234,567"], column("double")).decimal, ".");
});

test("only what has two meanings that both fit is asked", async () => {
  const asked = [];
  const reader = async (texts, of, answer) => {
    const read = await readerOf(of, mannerOf(texts, of), async ({ kind, choices }) => {
      asked.push([kind, ...choices]);
      return answer;
    });
    return read && texts.map((text) => reasonOf(text, read));
  };
  const date = column("date", { manner: { order: null } });
  assert.deepEqual(await reader(["2024-01-31", "31.1.2024"], date), ["value 2024-01-31", "value 2024-01-31"]);
  assert.deepEqual(await reader(["03/04/2024", "31/12/2024"], date), ["value 2024-04-03", "value 2024-12-31"]);
  assert.deepEqual(await reader(["1.234", "12,5"], column("double")), ["value 1234", "value 12.5"]);
  assert.deepEqual(await reader(["1,234"], column("numeric", { precision: 9, scale: 2 })), ["value 1234"]);
  assert.deepEqual(await reader(["1,234"], column("integer")), ["value 1234"]);
  assert.deepEqual(await reader(["1.234"], column("double")), ["value 1.234"]); // as the page itself writes it
  assert.deepEqual(asked, []);
  assert.equal(await reader(["03/04/2024"], date, null), null);
  assert.deepEqual(await reader(["1,234"], column("double"), ","), ["value 1.234"]);
  assert.deepEqual(await reader(["1.000"], column("integer"), ","), ["value 1000"]);
  assert.deepEqual(await reader(["03/04/2024"], date, "mdy"), ["value 2024-03-04"]);
  assert.deepEqual(await reader(["05/06/2024"], date), ["value 2024-05-06"]); // answered before
  assert.deepEqual(asked, [
    ["dates", "2024-04-03", "2024-03-04"],
    ["numbers", "1234", "1.234"],
    ["numbers", "1.000", "1000"],
    ["dates", "2024-04-03", "2024-03-04"],
  ]);
});

test("texts of a column that contradict each other are asked about, wherever they stand", async () => {
  const asked = [];
  const read = async (texts, of) => {
    await readerOf(of, mannerOf(texts, of), async ({ text }) => {
      asked.push(text);
      return null;
    });
  };
  // 1.234 alone has the usual meaning; with 1,234 beside it, one of them is misread in either manner
  await read(["1.234", "1,234"], column("double"));
  await read(["1,234", "1.234"], column("double"));
  await read(["1.5", "1,5", "1.234"], column("double"));
  await read(["03/04/2024", "31/12/2024", "12/31/2024"], column("date", { manner: { order: "mdy" } }));
  await read(["1.5", "1,5"], column("double")); // each has one meaning
  assert.deepEqual(asked, ["1,234", "1,234", "1.234", "03/04/2024"]);
});

test("days of the calendar", () => {
  assert.deepEqual(shifted({ year: 2024, month: 1, day: 31 }, { months: 1 }), { year: 2024, month: 2, day: 29 });
  assert.deepEqual(shifted({ year: 2024, month: 1, day: 1 }, { days: -1 }), { year: 2023, month: 12, day: 31 });
  assert.deepEqual(shifted({ year: 99, month: 12, day: 31 }, { days: 1 }), { year: 100, month: 1, day: 1 });
  const now = new Date(2024, 1, 3, 4, 5, 6);
  assert.deepEqual(
    ["date", "time", "timestamp", "text"].map((kind) => nowText(kind, now)),
    ["2024-02-03", "04:05:06", "2024-02-03 04:05:06", null],
  );
});

test("the decimal sign follows the browser's language unless it is chosen", () => {
  assert.deepEqual(
    [
      ["browser", "de-DE"],
      ["browser", "en-US"],
      ["point", "de-DE"],
      ["comma", "en-US"],
      ["browser", "C"],
    ].map(([choice, language]) => decimalSign(choice, language)),
    [",", ".", ".", ",", "."],
  );
});
