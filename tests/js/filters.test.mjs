import assert from "node:assert/strict";
import { test } from "node:test";

import { Filters, filterText, operatorsOf, parseFilter } from "../../static/js/data/filters.js";
import { Layout } from "../../static/js/data/layout.js";
import { ValueError } from "../../static/js/data/values.js";

const text = { name: "Name", category: "text", maxLength: 5 };
const number = { name: "Age", category: "integer" };
const date = { name: "DOB", category: "date" };
const moment = { name: "At", category: "timestamp" };

const meant = [
  [text, "smith", { operator: "contains", value: "smith" }],
  [text, "longer than it", { operator: "contains", value: "longer than it" }],
  [text, "= Smith", { operator: "equals", value: "Smith" }],
  [text, "^Sm", { operator: "startsWith", value: "Sm" }],
  [text, "$son", { operator: "endsWith", value: "son" }],
  [text, "≠ a", { operator: "notEquals", value: "a" }],
  [text, "in CA, MA ,NY", { operator: "in", value: ["CA", "MA", "NY"] }],
  [text, "''", { operator: "isEmpty" }],
  [text, "null", { operator: "isNull" }],
  [text, "NOT NULL", { operator: "isNotNull" }],
  [text, "=", { operator: "contains", value: "=" }],
  [text, "a..b", { operator: "contains", value: "a..b" }],
  [number, "5", { operator: "equals", value: 5 }],
  [number, ">=5", { operator: "greaterOrEqual", value: 5 }],
  [number, "< 5", { operator: "less", value: 5 }],
  [number, "5..9", { operator: "between", value: [5, 9] }],
  [number, "in 1,2", { operator: "in", value: [1, 2] }],
  [date, "≥ 1945-01-01", { operator: "greaterOrEqual", value: "1945-01-01" }],
  [date, ">= 1980", { operator: "greaterOrEqual", value: "1980-01-01" }],
  [date, "> 1980-02", { operator: "greater", value: "1980-02-29" }],
  [moment, "<1980", { operator: "less", value: "1980-01-01 00:00:00" }],
  [moment, "≤ 1980-05-06", { operator: "lessOrEqual", value: "1980-05-06 23:59:59.999999999" }],
  [date, "1985..1990", { operator: "between", value: ["1985-01-01", "1990-12-31"] }],
  [date, "1985-03 .. 1985-04", { operator: "between", value: ["1985-03-01", "1985-04-30"] }],
  [moment, "1985..1990", { operator: "between", value: ["1985-01-01 00:00:00", "1990-12-31 23:59:59.999999999"] }],
  [text, "in NULL, MA", { operator: "in", value: [null, "MA"] }],
  [text, 'in "NULL", "", "a,b"', { operator: "in", value: ["NULL", "", "a,b"] }],
  [date, "1945", { operator: "between", value: ["1945-01-01", "1945-12-31"] }],
  [date, "1944-2", { operator: "between", value: ["1944-02-01", "1944-02-29"] }],
  [date, "1900-02", { operator: "between", value: ["1900-02-01", "1900-02-28"] }],
  [date, "1944-02-03", { operator: "equals", value: "1944-02-03" }],
  [moment, "2024-01-31", { operator: "between", value: ["2024-01-31 00:00:00", "2024-01-31 23:59:59.999999999"] }],
  [{ name: "B", category: "bit" }, "true", { operator: "equals", value: 1 }],
];
for (const [column, typed, filter] of meant) {
  test(`${column.category}: ${typed}`, () => {
    assert.deepEqual(parseFilter(typed, column), filter);
    assert.deepEqual(parseFilter(filterText(filter, column), column), filter);
  });
}

for (const [column, typed] of [
  [number, "abc"],
  [number, ">"],
  [date, "1945-13"],
  [date, "31.12.45"],
  [{ category: "binary" }, "x"],
  [number, "5..x"],
]) {
  test(`${column.category}: ${typed} is refused`, () => assert.throws(() => parseFilter(typed, column), ValueError));
}

test("an empty text is no filter", () => assert.equal(parseFilter("  ", text), null));

test("items of a list may hold commas and quotes", () => {
  const filter = parseFilter('in "Smith,John", Doe , "say ""hi"""', text);
  assert.deepEqual(filter, { operator: "in", value: ["Smith,John", "Doe", 'say "hi"'] });
  assert.deepEqual(parseFilter(filterText(filter, text), text), filter);
  assert.throws(
    () => parseFilter("in ,", text),
    (error) => error.reason === "needsValue",
  );
});

test("operators fit the column", () => {
  assert.ok(!operatorsOf(number).includes("contains"));
  assert.deepEqual(operatorsOf({ category: "binary" }), ["isNull", "isNotNull"]);
});

test("filters are put, switched off, and go to the wire", () => {
  const filters = new Filters([
    { column: "Name", operator: "contains", value: "a", matchCase: true },
    { column: "x" },
    null,
  ]);
  assert.equal(filters.list.length, 1);
  assert.equal(filters.put("Age", { operator: "greater", value: 5 }), true);
  assert.equal(filters.put("Age", { operator: "greater", value: 5 }), false);
  assert.equal(filters.put("Age", { operator: "isNull" }), true);
  assert.deepEqual(filters.toWire(), [
    { column: "Name", operator: "contains", value: "a", matchCase: true },
    { column: "Age", operator: "isNull" },
  ]);
  filters.list[0].off = true;
  assert.equal(filters.toWire().length, 1);
  assert.equal(filters.put("Age", null), true);
  assert.equal(filters.put("Age", null), false);
  assert.equal(filters.keepOnly(new Set(["Age"])).length, 1);
  assert.equal(filters.list.length, 0);
});

test("a layout keeps what it knows and takes new columns where the table has them", () => {
  const columns = ["a", "b", "new", "c"].map((name) => ({ name }));
  const layout = new Layout({
    order: ["c", "gone", "b", "a"],
    widths: { a: 100, b: "x", c: 5 },
    hidden: ["b"],
    frozen: 2,
  });
  assert.deepEqual(
    layout.arrange(columns).map((column) => column.name),
    ["c", "b", "new", "a"],
  );
  assert.deepEqual([...layout.widths], [["a", 100]]);
  assert.deepEqual(new Layout(layout.data).data, layout.data);
  assert.deepEqual(new Layout("nonsense").arrange(columns), columns);
});

test("filters of an address that lack what their operator needs are left out", () => {
  const good = [
    { column: "Age", operator: "between", value: [1, 2] },
    { column: "Age", operator: "in", value: [1] },
    { column: "Name", operator: "isNull" },
    { column: "Name", operator: "equals", value: "x" },
  ];
  const bad = [
    { column: "Age", operator: "between", value: [1] },
    { column: "Age", operator: "between", value: 1 },
    { column: "Age", operator: "in", value: "1" },
    { column: "Age", operator: "in", value: [] },
    { column: "Age", operator: "in", value: [{}] },
    { column: "Age", operator: "equals", value: [1] },
    { column: "Age", operator: "drop" },
    { operator: "equals", value: 1 },
    null,
    "Age",
  ];
  assert.deepEqual(new Filters([...bad, ...good]).list, good);
});

test("a list's text needs no column: it is shown before the table's description is there", () => {
  assert.equal(filterText({ column: "Age", operator: "in", value: [1, 2] }), "in 1, 2");
  assert.equal(filterText({ column: "Age", operator: "between", value: [1, 2] }), "1 .. 2");
});

test("alternatives have a number in common, whatever is switched off between them", () => {
  const one = (column, more = {}) => ({ column, operator: "equals", value: 1, ...more });
  const groups = (...list) => new Filters(list).toWire().map(({ column, group }) => [column, group ?? null]);
  const or = { or: true };
  assert.deepEqual(groups(one("a"), one("b")), [
    ["a", null],
    ["b", null],
  ]);
  assert.deepEqual(groups(one("a"), one("b", or), one("c"), one("d", or), one("e", or)), [
    ["a", 0],
    ["b", 0],
    ["c", 2],
    ["d", 2],
    ["e", 2],
  ]);
  assert.deepEqual(groups(one("a"), one("b", { off: true }), one("c", or)), [
    ["a", null],
    ["c", null],
  ]);
  assert.deepEqual(groups(one("a", or), one("b", { ...or, off: true }), one("c", or)), [
    ["a", 0],
    ["c", 0],
  ]);
});

test("an alternative whose first filter is taken away stays apart from those before", () => {
  const filters = new Filters([
    { column: "a", operator: "isNull" },
    { column: "b", operator: "isNull" },
    { column: "c", operator: "isNull", or: true },
  ]);
  filters.put("b", null);
  assert.deepEqual(
    filters.toWire().map(({ group }) => group),
    [undefined, undefined],
  );
});

test("* and ? are a pattern in the filter row, as on the wire; in quotes they stand for themselves", () => {
  const text = { name: "Name", category: "text" };
  const typed = (written) => parseFilter(written, text);
  assert.deepEqual(typed("Sm*th"), { operator: "matches", value: "Sm*th" });
  assert.deepEqual(typed("S?ith "), { operator: "matches", value: "S?ith" });
  assert.deepEqual(typed('"50* off?"'), { operator: "contains", value: "50* off?" });
  assert.deepEqual(typed("=a*"), { operator: "equals", value: "a*" });
  for (const written of ["Sm*th", '"50* off?"', "=a*", '"plain"'])
    assert.deepEqual(parseFilter(filterText(typed(written), text), text), typed(written));
  const filters = new Filters([{ column: "Name", operator: "matches", value: "a*" }]);
  assert.deepEqual(filters.toWire(), [{ column: "Name", value: "a*" }]);
});
