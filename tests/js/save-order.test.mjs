import assert from "node:assert/strict";
import { test } from "node:test";
import { deepEqual } from "./plain.mjs";

import { saveOrder } from "../../static/js/data/save-order.js";
import { Staged } from "../../static/js/data/staged.js";

const SCHEMA = {
  tableName: "Some.Table",
  columns: [
    { name: "ID", isPrimaryKey: true, unique: true },
    { name: "Code", unique: true },
    { name: "A" },
    { name: "B" },
    { name: "Boss", references: { table: "some.table", column: "Code" } },
  ],
  uniqueKeys: [["ID"], ["A", "B"]],
  identity: { columns: ["ID"] },
};

/** Rows that are staged as `fill` does; the order of a save by row ID. */
function ordered(fill) {
  const staged = new Staged();
  const change = (id, row, values) => {
    for (const [name, value] of Object.entries(values)) staged.set(id, name, value, row[name], { ID: id, ...row });
  };
  fill({
    change,
    remove: (id, row) => staged.remove(id, { ID: id, ...row }),
    add: (values) => staged.insert(values, 0, `new:${values.Code ?? values.B}`),
  });
  const { order, stuck } = saveOrder([...staged.entries.values()], SCHEMA);
  return {
    order: order.map(({ id }) => id),
    stuck: stuck.map(({ entry, columns }) => [entry.id, columns]),
    all: stuck,
  };
}

test("deletions come before changes and changes before new rows", () => {
  const { order } = ordered(({ add, change, remove }) => {
    add({ Code: "n" });
    change("2", { Code: "b" }, { Code: "x" });
    remove("1", { Code: "a" });
  });
  deepEqual(order, ["1", "2", "new:n"]);
});

test("a chain of unique values is saved from its free end", () => {
  const { order, stuck } = ordered(({ change, add }) => {
    for (let n = 1; n <= 10; n++) change(String(n), { Code: n }, { Code: n + 1 });
    add({ Code: 1 });
  });
  deepEqual(order, ["10", "9", "8", "7", "6", "5", "4", "3", "2", "1", "new:1"]);
  deepEqual(stuck, []);
});

test("a chain through a key of several columns is ordered as well, and values with a NULL wait for nobody", () => {
  const { order, stuck } = ordered(({ change }) => {
    change("1", { A: 1, B: "x" }, { A: 2 });
    change("2", { A: 2, B: "x" }, { A: 3 });
    change("3", { A: 1, B: null }, { A: 2 });
    change("4", { A: 2, B: null }, { A: 1 });
  });
  deepEqual(order, ["2", "3", "4", "1"]);
  deepEqual(stuck, []);
});

test("rows that exchange unique values are not sent, nor what waits for them; the others are", () => {
  const { order, stuck, all } = ordered(({ change, add }) => {
    change("1", { Code: "a" }, { Code: "b" });
    change("2", { Code: "b" }, { Code: "a" });
    change("3", { Code: "c" }, { Code: "d" });
    add({ Code: "c" });
  });
  deepEqual(order, ["3", "new:c"]);
  deepEqual(stuck, [
    ["1", ["Code"]],
    ["2", ["Code"]],
  ]);
  deepEqual(
    all[0].rows.map(({ id }) => id),
    ["2"],
  );
});

test("letter case orders rows but stops none: the column may tell it apart", () => {
  const chain = ordered(({ change }) => {
    change("1", { Code: "x" }, { Code: "B" });
    change("2", { Code: "b" }, { Code: "z" });
  });
  deepEqual(chain.order, ["2", "1"]);
  const crossed = ordered(({ change }) => {
    change("1", { Code: "a" }, { Code: "B" });
    change("2", { Code: "b" }, { Code: "A" });
    change("3", { Code: "c" }, { Code: "C" });
  });
  deepEqual(crossed.stuck, []);
  assert.equal(crossed.order.length, 3);
});

test("children are written after their parents and leave or go before them", () => {
  const { order, stuck } = ordered(({ add, change, remove }) => {
    add({ Code: "child", Boss: "parent" });
    change("5", { Boss: "old" }, { Boss: "parent" });
    remove("7", { Code: "old" });
    remove("8", { Code: "leaf", Boss: "old" });
    add({ Code: "parent" });
  });
  deepEqual(stuck, []);
  const at = (id) => order.indexOf(id);
  assert.ok(at("new:parent") < at("new:child"));
  assert.ok(at("new:parent") < at("5"));
  assert.ok(at("5") < at("7"));
  assert.ok(at("8") < at("7"));
});

test("a long chain is ordered in linear time", () => {
  const seconds = (size) => {
    const entries = Array.from({ length: size }, (_, n) => ({
      id: String(n),
      kind: "update",
      values: { Code: n + 1 },
      base: { Code: n },
      row: {},
    }));
    const started = process.cpuUsage();
    const { order } = saveOrder(entries, SCHEMA);
    assert.equal(order[0].id, String(size - 1));
    return process.cpuUsage(started).user / 1e6;
  };
  seconds(2_000);
  const short = Math.max(seconds(2_000), 0.005);
  assert.ok(seconds(40_000) < 100 * short); // quadratic work takes 400 times as long
});
