import assert from "node:assert/strict";
import { test } from "node:test";

import { LosslessNumber, isNumber, numberOf, parse, stringify } from "../../static/js/data/json.js";

test("plain texts give what JSON.parse gives", () => {
  const text = '{"a":[1,-2,2.5,true,null,"x"],"b":{"c":""}}';
  assert.deepEqual(parse(text), JSON.parse(text));
});

const exact = [
  "9007199254740993",
  "9223372036854775807",
  "-9223372036854775808",
  "1204.50",
  "0.10",
  "12345678901234567890.123456789",
  "1E400",
  "1e5",
  "-0",
  "0.00000001",
  "123456789.12345678901",
];
for (const literal of exact) {
  test(`${literal} keeps its digits there and back`, () => {
    const { v } = parse(`{"v":${literal}}`);
    assert.ok(v instanceof LosslessNumber);
    assert.equal(String(v), literal);
    assert.equal(stringify({ v }), `{"v":${literal}}`);
  });
}

for (const literal of ["0", "1", "-7", "2.5", "9007199254740991", "0.1", "123456.789"]) {
  test(`${literal} is a plain number`, () => {
    assert.equal(typeof parse(`[${literal}, 1.50]`)[0], "number");
    assert.equal(String(numberOf(literal)), literal);
  });
}

test("strings that look like numbers or marks stay strings", () => {
  const source = ["12.50", "\u0001n12.50", "\u0001", "\u0001ns", '"1.50"', "n0-1", "\\", "9007199254740993", "\u0001n"];
  assert.deepEqual(parse(JSON.stringify([...source, 0]).replace(/0\]$/, "1.50]")).slice(0, -1), source);
  assert.deepEqual(parse(stringify([...source, new LosslessNumber("1.50")])).slice(0, -1), source);
});

test("keys that look like numbers survive", () => {
  assert.deepEqual(Object.keys(parse('{"12.50":1.50,"9007199254740993":1}')), ["12.50", "9007199254740993"]);
});

for (const bad of [
  "",
  "{",
  "[1,]",
  "01.50",
  "1.50.2",
  "[1.]",
  "[+1.50]",
  "1.50 2",
  "[NaN, 1.50]",
  '{"a":1.50',
  "nul",
]) {
  test(`${JSON.stringify(bad)} is refused`, () => assert.throws(() => parse(bad), SyntaxError));
}

test("nested values are written in place", () => {
  const big = new LosslessNumber("18446744073709551616");
  assert.equal(
    stringify({ a: [big, { b: big }], c: "x" }),
    '{"a":[18446744073709551616,{"b":18446744073709551616}],"c":"x"}',
  );
  assert.ok(isNumber(big) && isNumber(1) && !isNumber("1"));
});
