// What is typed, pasted or received is looked through once: a megabyte of any character takes a moment, not minutes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { parseFilter } from "../../static/js/data/filters.js";
import { parse } from "../../static/js/data/json.js";
import { readTsv, writeTsv } from "../../static/js/data/tsv.js";
import { looksLikeJson, parseValue, sameValue } from "../../static/js/data/values.js";

const LONG = 1024 * 1024;
const SHORT = 16 * 1024;
const CATEGORIES = ["text", "integer", "numeric", "double", "date", "time", "timestamp", "bit"];
const UNITS = [
  "0",
  "1",
  "T",
  " ",
  ".",
  "..",
  ",",
  '"',
  '""',
  "-",
  "+",
  "e",
  ":",
  "in ",
  "\n",
  "\t",
  "a",
  "*",
  "(",
  "Z",
  "1-",
];

function quiet(work) {
  const started = process.cpuUsage();
  try {
    work();
  } catch (error) {
    if (error.name === "RangeError" || error instanceof TypeError) throw error;
  }
  const { user } = process.cpuUsage(started);
  return user / 1e6;
}

/** Quadratic work on a megabyte takes 64 times as long as linear work beside the short text. */
function assertLinear(what, work) {
  for (let attempt = 0; ; attempt += 1) {
    const short = Math.max(
      quiet(() => work(SHORT)),
      2e-3,
    );
    const long = quiet(() => work(LONG));
    if (long < 0.25 || long < (short * LONG * 5) / SHORT) return;
    assert.ok(attempt < 2, `${what}: ${short} s, then ${long} s`);
  }
}

for (const unit of UNITS) {
  for (const [start, end] of [
    ["", ""],
    ["1T", " x y"],
    ["in ", "!"],
  ]) {
    const text = (length) => start + unit.repeat(length / unit.length) + end;
    test(`a megabyte of ${JSON.stringify(unit)} after ${JSON.stringify(start)}`, () => {
      for (const category of CATEGORIES) {
        assertLinear(`value ${category}`, (length) => parseValue(text(length), { category, nullable: true }));
        assertLinear(`filter ${category}`, (length) => parseFilter(text(length), { category, schema: { category } }));
      }
      assertLinear("looks like JSON", (length) => looksLikeJson(text(length)));
      assertLinear("same value", (length) => sameValue(text(length), `${text(length)}0`));
      assertLinear("TSV", (length) => readTsv(text(length)));
      assertLinear("TSV out", (length) => writeTsv([[text(length)]]));
      assertLinear("JSON", (length) => parse(JSON.stringify({ value: text(length) })));
    });
  }
}
