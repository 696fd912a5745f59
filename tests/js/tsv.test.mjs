import assert from "node:assert/strict";
import { test } from "node:test";

import { readTsv, writeTsv } from "../../static/js/data/tsv.js";

const table = [
  ["", []],
  ["a", [["a"]]],
  [
    "a\tb\nc\td",
    [
      ["a", "b"],
      ["c", "d"],
    ],
  ],
  [
    "a\tb\r\nc\td\r\n",
    [
      ["a", "b"],
      ["c", "d"],
    ],
  ],
  ["a\rb", [["a"], ["b"]]],
  ['"a ""q""\nsecond"\tx\n', [['a "q"\nsecond', "x"]]],
  [
    "\t\n\t",
    [
      ["", ""],
      ["", ""],
    ],
  ],
  ["\n", [[""]]],
  ['"', [['"']]],
  ['"open\tcell', [['"open', "cell"]]],
  ['5" disk\t6"', [['5" disk', '6"']]],
  ['"quoted" start\tb', [['"quoted" start', "b"]]],
  ['""\tb', [['""', "b"]]],
  ['"quoted"', [['"quoted"']]],
  ['"a"\t"b"\n"c"', [['"a"', '"b"'], ['"c"']]],
  ['say "hi"', [['say "hi"']]],
  ['"two\tcells"', [["two\tcells"]]],
  ["a\t", [["a", ""]]],
];
for (const [text, rows] of table) {
  test(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(readTsv(text), rows));
}

test("what is written is read back", () => {
  const rows = [
    ["plain", "tab\there", 'quote"', "line\r\nbreak", '"', "", "\u00e9\u20ac\ud83d\ude00", "<b>x</b>"],
    ["", "b", "", "", "", "", "", "="],
  ];
  assert.deepEqual(readTsv(writeTsv(rows)), rows);
});

test("quotes alone are written as they are", () => {
  assert.equal(writeTsv([['say "hi"', '"quoted"']]), 'say "hi"\t"quoted"');
  assert.equal(writeTsv([['a "q"\nb']]), '"a ""q""\nb"');
});

test("null is an empty cell", () => assert.equal(writeTsv([[null, "a", undefined, 5]]), "\ta\t\t5"));

test("ten thousand rows of fifty cells are read in well under a second", () => {
  const rows = Array.from({ length: 10_000 }, (_, i) =>
    Array.from({ length: 50 }, (_, j) => (j % 7 ? `cell ${i} ${j}` : 'with "quotes"\n')),
  );
  const text = writeTsv(rows);
  const start = performance.now();
  assert.equal(readTsv(text).length, 10_000);
  assert.ok(performance.now() - start < 3000);
});
