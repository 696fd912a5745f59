import assert from "node:assert/strict";
import { test } from "node:test";

import { LosslessNumber, numberOf } from "../../static/js/data/json.js";
import {
  ValueError,
  isCut,
  kindOf,
  looksLikeJson,
  parseValue,
  refusal,
  sameValue,
  sizeText,
  sumOf,
  textOf,
} from "../../static/js/data/values.js";

const column = (category, more = {}) => ({ name: "C", category, nullable: true, ...more });

const meant = [
  ["text", {}, "", ""],
  ["text", {}, " 007 ", " 007 "],
  ["text", {}, "NULL", "NULL"],
  ["integer", {}, "42", "42"],
  ["integer", {}, "+0042", "42"],
  ["integer", { dataType: "BIGINT" }, "9223372036854775807", "9223372036854775807"],
  ["integer", {}, "", null],
  ["numeric", { precision: 12, scale: 2 }, "1204.50", "1204.50"],
  ["numeric", { precision: 12, scale: 2 }, ".5", "0.5"],
  ["numeric", { precision: 12, scale: 2 }, "1.5000", "1.50"],
  ["numeric", {}, "12345678901234567890.123456789", "12345678901234567890.123456789"],
  ["numeric", {}, "-0.10", "-0.10"],
  ["double", {}, "1e300", "1e300"],
  ["double", {}, "-Infinity", "-INF"],
  ["double", {}, "nan", "NAN"],
  ["bit", {}, "TRUE", "1"],
  ["bit", {}, "0", "0"],
  ["date", {}, "2024-2-29", "2024-02-29"],
  ["date", {}, "0001-01-01", "0001-01-01"],
  ["time", {}, "9:05", "09:05:00"],
  ["time", {}, "23:59:59.123456789", "23:59:59.123456789"],
  ["timestamp", {}, "2024-01-31T10:00:00.5", "2024-01-31 10:00:00.5"],
  ["timestamp", {}, "2024-01-31", "2024-01-31 00:00:00"],
  ["posixtime", {}, "1970-01-01 00:00:00.000001", "1970-01-01 00:00:00.000001"],
];
for (const [category, more, text, value] of meant) {
  test(`${category}: ${JSON.stringify(text)} means ${value}`, () => {
    const parsed = parseValue(text, column(category, more));
    assert.equal(parsed === null ? null : String(parsed), value);
  });
}

const refused = [
  ["integer", {}, "1.5", "notWhole"],
  ["integer", {}, "abc", "notNumber"],
  ["integer", {}, "0x10", "notNumber"],
  ["integer", { dataType: "SMALLINT" }, "32768", "outOfRange"],
  ["integer", {}, "9223372036854775808", "outOfRange"],
  ["integer", { nullable: false }, " ", "required"],
  ["numeric", { precision: 5, scale: 2 }, "1.005", "tooManyDecimals"],
  ["numeric", { precision: 5, scale: 2 }, "1234", "tooManyDigits"],
  ["numeric", {}, "1e5", "notNumber"],
  ["numeric", {}, "Infinity", "notNumber"],
  ["double", {}, "1e999", "outOfRange"],
  ["date", {}, "2023-02-29", "noSuchDate"],
  ["date", {}, "31.12.24", "shortYear"],
  ["date", {}, "0000-01-01", "noSuchDate"],
  ["time", {}, "24:00:00", "noSuchTime"],
  ["timestamp", {}, "2024-01-31T10:00:00Z", "noZone"],
  ["timestamp", {}, "2024-01-31 10:00:00+02:00", "noZone"],
  ["timestamp", {}, "10:00", "notTimestamp"],
  ["bit", {}, "2", "notBit"],
  ["text", { maxLength: 3 }, "abcd", "tooLong"],
  ["binary", {}, "x", "notEditable"],
];
for (const [category, more, text, reason] of refused) {
  test(`${category}: ${JSON.stringify(text)} is refused: ${reason}`, () => {
    assert.throws(
      () => parseValue(text, column(category, more)),
      (error) => error instanceof ValueError && error.reason === reason,
    );
  });
}

test("what is shown, parsed again, is the same value", () => {
  const values = [
    ["integer", numberOf("9223372036854775807")],
    ["numeric", numberOf("1204.50")],
    ["numeric", numberOf("-0.000001")],
    ["double", numberOf("1e-7")],
    ["date", "9999-12-31"],
    ["time", "00:00:00.000000001"],
    ["timestamp", "0001-01-01 23:59:59"],
    ["bit", 0],
    ["text", " a\n\tb "],
  ];
  for (const [category, value] of values)
    assert.ok(sameValue(parseValue(textOf(value), column(category)), value), category);
});

test("same value", () => {
  assert.ok(sameValue(numberOf("12.50"), 12.5));
  assert.ok(sameValue(numberOf("1e3"), 1000));
  assert.ok(sameValue(new LosslessNumber("0.0"), 0));
  assert.ok(!sameValue(numberOf("9007199254740993"), numberOf("9007199254740992")));
  assert.ok(!sameValue(null, ""));
  assert.ok(!sameValue("1", 1));
  assert.ok(!sameValue(undefined, null));
});

test("NULL and '' by key", () => {
  assert.equal(refusal(null, column("text", { nullable: false })).reason, "required");
  assert.equal(refusal("", column("integer")).reason, "noEmptyText");
  assert.equal(refusal("", column("text", { nullable: false })), null);
  assert.equal(refusal(null, column("date")), null);
});

test("kinds of unknown categories are text", () => assert.equal(kindOf({ category: "something" }), "text"));

test("sums keep every digit", () => {
  assert.deepEqual(sumOf([numberOf("0.10"), numberOf("0.20"), null, "x"]), { count: 2, sum: "0.30", average: "0.15" });
  assert.equal(sumOf([numberOf("9007199254740993"), 1]).sum, "9007199254740994");
  assert.equal(sumOf([-5, 2]).sum, "-3");
  assert.equal(sumOf([numberOf("-0.05")]).sum, "-0.05");
  assert.equal(sumOf(["a", null]), null);
  assert.equal(sumOf([numberOf("1e3"), 1]).sum, "1001");
});

test("sizes and JSON", () => {
  assert.equal(sizeText(12_345, "bytes"), "12 KB");
  assert.equal(sizeText(2_100, "bytes"), "2.1 KB");
  assert.equal(sizeText(40, "characters"), "40 chars");
  assert.ok(looksLikeJson(' {"a":1}') && !looksLikeJson("{a}") && !looksLikeJson("12"));
});

test("a value is cut when its preview is longer than what is here", () => {
  assert.equal(isCut("abc", null), false);
  assert.equal(isCut("abc", { length: 3, unit: "characters" }), false);
  assert.equal(isCut("abc", { length: 4, unit: "characters" }), true);
  assert.equal(isCut("0x00", { length: 4, unit: "bytes" }), true);
  assert.equal(isCut("abc", {}), true);
});

test("thirty digits are typed, shown, compared and summed as they are", () => {
  const digits = "123456789012345678901234567890";
  const wide = column("numeric", { precision: 30, scale: 0 });
  assert.equal(textOf(parseValue(digits, wide)), digits);
  assert.equal(textOf(parseValue(`-${digits}.5`, column("numeric"))), `-${digits}.5`);
  assert.ok(!sameValue(numberOf(digits), numberOf("123456789012345678901234567891")));
  assert.equal(sumOf([numberOf(digits), numberOf("1")]).sum, "123456789012345678901234567891");
  assert.equal(sumOf([numberOf(digits), numberOf("0.0000000001")]).sum, `${digits}.0000000001`);
  assert.throws(
    () => parseValue(`1${digits}`, wide),
    (error) => error.reason === "tooManyDigits",
  );
});
