import assert from "node:assert/strict";
import { test } from "node:test";

import { Rows } from "../../static/js/data/rows.js";
import { Staged } from "../../static/js/data/staged.js";

function sheet(count) {
  const list = Array.from({ length: count }, (_, i) => ({ id: String(i), values: { a: i }, previews: {} }));
  const cache = {
    get length() {
      return list.length;
    },
    at: (i) => list[i],
    find: (id) => list.find((row) => row.id === id),
    indexOf: (id) => list.findIndex((row) => row.id === id),
    remove: (id) =>
      list.some((row) => row.id === id) &&
      list.splice(
        list.findIndex((row) => row.id === id),
        1,
      ).length > 0,
  };
  const staged = new Staged();
  return { cache, staged, rows: new Rows(cache, staged), list };
}
const ids = (rows) => Array.from({ length: rows.getLength() }, (_, i) => rows.idAt(i));

test("new rows stand where they were put, between the rows of the query", () => {
  const { staged, rows } = sheet(3);
  staged.insert({}, 1, "new:a");
  staged.insert({}, 1, "new:b");
  staged.insert({}, Infinity, "new:end");
  staged.insert({}, 0, "new:top");
  assert.equal(rows.sync(), true);
  assert.equal(rows.sync(), false);
  assert.deepEqual(ids(rows), ["new:top", "0", "new:a", "new:b", "1", "2", "new:end"]);
  for (const [row, id] of ids(rows).entries()) assert.equal(rows.indexOf(id), row);
  assert.deepEqual(
    [0, 1, 2, 4].map((row) => rows.numberOf(row)),
    [null, 1, null, 2],
  );
  assert.deepEqual(rows.span(1, 5), { from: 0, to: 2 });
  assert.equal(rows.rowOf(2), 5);
});

test("a saved new row stays in place, and goes when it comes with the query", () => {
  const { staged, rows, list } = sheet(2);
  staged.insert({ a: 5 }, 1, "new:a");
  rows.sync();
  staged.entries.delete("new:a");
  rows.settle("new:a", "99", { a: 5 });
  assert.equal(rows.sync(), false);
  assert.deepEqual(ids(rows), ["0", "99", "1"]);
  assert.equal(rows.valueOf(rows.find("99"), "a"), 5);
  list.push({ id: "99", values: { a: 5 }, previews: {} });
  assert.equal(rows.dropSettled(new Set(["99"])), true);
  assert.deepEqual(ids(rows), ["0", "1", "99"]);
});

test("values: staged, seen, NULL where the column did not come, default in a new row", () => {
  const { staged, rows } = sheet(1);
  staged.insert({ b: null }, 0, "new:a");
  rows.sync();
  staged.set("0", "a", 7, 0, { a: 0 });
  assert.equal(rows.valueOf(rows.find("0"), "a"), 7);
  assert.equal(rows.valueOf(rows.find("0"), "b"), null);
  assert.equal(rows.valueOf(rows.find("new:a"), "a"), undefined);
  assert.equal(rows.valueOf(rows.find("new:a"), "b"), null);
  assert.equal(rows.valueOf(undefined, "a"), undefined);
});

test("removing and another query", () => {
  const { staged, rows } = sheet(3);
  staged.insert({}, 2, "new:a");
  rows.sync();
  assert.equal(rows.remove("1"), true);
  assert.deepEqual(ids(rows), ["0", "new:a", "2"]);
  assert.equal(rows.remove("nobody"), false);
  rows.resized();
  rows.moveToTop();
  assert.deepEqual(ids(rows), ["new:a", "0", "2"]);
  staged.remove("new:a");
  assert.equal(rows.sync(), true);
  assert.deepEqual(ids(rows), ["0", "2"]);
});
