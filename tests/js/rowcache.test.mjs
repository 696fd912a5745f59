import assert from "node:assert/strict";
import { test } from "node:test";

import { RowCache } from "../../static/js/data/rowcache.js";

/** A table that answers pages by cursor or offset; a cursor is the key of a row at the page's edge. */
class Table {
  constructor(count) {
    this.keys = Array.from({ length: count }, (_, i) => i * 10);
    this.requests = [];
    this.countState = "exact";
  }
  async load(request, signal) {
    this.requests.push(request);
    await null;
    if (signal.aborted) throw new DOMException("gone", "AbortError");
    const { keys } = this;
    let a;
    let b;
    if (request.after !== undefined) {
      a = keys.findIndex((key) => key > request.after);
      if (a < 0) a = keys.length;
      b = a + request.pageSize;
    } else if (request.before !== undefined) {
      b = request.before === "end" ? -1 : keys.findIndex((key) => key >= request.before);
      if (b < 0) b = keys.length;
      a = Math.max(0, b - request.pageSize);
    } else {
      a = request.offset;
      b = a + request.pageSize;
    }
    const page = keys.slice(a, b);
    return {
      rows: page.map((key) => ({ id: String(key), values: { key } })),
      next: page.length && b < keys.length ? page.at(-1) : null,
      previous: page.length && a > 0 ? page[0] : null,
      total: this.countState === "exact" ? keys.length : page.length,
      countState: this.countState,
    };
  }
  cache(options = {}) {
    const cache = new RowCache({
      load: (request, signal) => this.load(request, signal),
      pageSize: 20,
      maxRows: 200,
      ...options,
    });
    return cache;
  }
}

const keysOf = (cache, from, to) => Array.from({ length: to - from + 1 }, (_, i) => cache.at(from + i)?.values.key);

async function opened(table, options) {
  const cache = table.cache(options);
  cache.reset(await table.load({ offset: 0, pageSize: 20 }, new AbortController().signal));
  table.requests.length = 0;
  return cache;
}

test("the next page is read by the cursor of the page before it", async () => {
  const table = new Table(1000);
  const cache = await opened(table);
  await cache.want(0, 35);
  assert.deepEqual(table.requests, [{ after: 190, pageSize: 20 }]);
  assert.deepEqual(keysOf(cache, 0, 35), table.keys.slice(0, 36));
});

test("a jump reads by offset, and its neighbours by cursor both ways", async () => {
  const table = new Table(1000);
  const cache = await opened(table);
  await cache.want(500, 510);
  await cache.want(520, 525);
  await cache.want(490, 499);
  assert.deepEqual(
    table.requests.map((request) => Object.keys(request)[0]),
    ["offset", "after", "before"],
  );
  assert.deepEqual(keysOf(cache, 480, 539), table.keys.slice(480, 540));
});

test("the last rows are read from the end", async () => {
  const table = new Table(1003);
  const cache = await opened(table);
  await cache.want(985, 1002);
  assert.deepEqual(table.requests, [{ before: "end", pageSize: 20 }]);
  assert.deepEqual(keysOf(cache, 983, 1002), table.keys.slice(983));
  table.keys.push(20_000);
  cache.setTotal(1004, "exact");
  await cache.want(960, 1002);
  assert.deepEqual(keysOf(cache, 960, 1002), table.keys.slice(960, 1003));
});

test("rows far from the view are forgotten and can be read again", async () => {
  const table = new Table(10_000);
  const cache = await opened(table);
  for (let row = 0; row < 9_000; row += 15) {
    cache.show(row, row + 30);
    await cache.want(row, row + 30);
    assert.deepEqual(keysOf(cache, row, row + 30), table.keys.slice(row, row + 31));
  }
  await new Promise((resolve) => setTimeout(resolve)); // forgetting comes after those who waited
  assert.ok(cache.size <= 200 + 40, `${cache.size} rows kept`);
  await cache.want(0, 10);
  assert.deepEqual(keysOf(cache, 0, 10), table.keys.slice(0, 11));
});

test("a deferred count grows with the rows read and ends exactly at the end", async () => {
  const table = new Table(55);
  table.countState = "pending";
  const cache = await opened(table);
  assert.equal(cache.countState, "pending");
  assert.ok(cache.length > 20);
  await cache.want(20, 39);
  await cache.want(40, 59);
  assert.equal(cache.length, 55);
  assert.equal(cache.countState, "exact");
});

test("a late count sets the length", async () => {
  const table = new Table(1000);
  table.countState = "pending";
  const cache = await opened(table);
  cache.setTotal(1000, "exact");
  assert.equal(cache.length, 1000);
});

test("an empty table has no rows and no open question", async () => {
  const cache = await opened(new Table(0));
  assert.equal(cache.length, 0);
  assert.equal(cache.countState, "exact");
});

test("a count that was far too high ends at the true last row", async () => {
  const table = new Table(130);
  table.countState = "estimate";
  const cache = await opened(table);
  cache.setTotal(100_000, "estimate");
  for (let i = 0; i < 40 && cache.countState !== "exact"; i++) {
    cache.show(cache.length - 20, cache.length - 1);
    await cache.want(cache.length - 20, cache.length - 1).catch(() => {});
  }
  assert.equal(cache.length, 130);
  assert.equal(cache.at(129).values.key, 1290);
});

test("a removed row lets the others move up", async () => {
  const table = new Table(100);
  const cache = await opened(table);
  await cache.want(0, 60);
  table.keys.splice(5, 1);
  assert.equal(cache.remove("50"), true);
  assert.equal(cache.remove("50"), false);
  assert.equal(cache.length, 99);
  await cache.want(0, 98);
  assert.deepEqual(keysOf(cache, 0, 98), table.keys);
  assert.equal(cache.indexOf("60"), 5);
  assert.equal(cache.indexOf("50"), -1);
});

test("rows inserted elsewhere between two reads make no row twice and leave none out", async () => {
  const table = new Table(200);
  const cache = await opened(table, { maxRows: 1000 });
  await cache.want(60, 79);
  table.keys.splice(30, 0, 295, 296, 297);
  await cache.want(0, cache.length - 1);
  await cache.want(0, cache.length - 1); // what the insertions moved
  const seen = keysOf(cache, 0, cache.length - 1);
  assert.deepEqual(seen, table.keys);
});

test("rows deleted elsewhere between two reads make no row twice and leave none out", async () => {
  const table = new Table(200);
  const cache = await opened(table);
  await cache.want(60, 79);
  table.keys.splice(30, 5);
  await cache.want(0, cache.length - 1);
  await cache.want(0, cache.length - 1);
  assert.deepEqual(keysOf(cache, 0, cache.length - 1), table.keys);
});

test("a refresh reads what is on screen again and keeps its first row in place", async () => {
  const table = new Table(1000);
  const cache = await opened(table);
  await cache.want(0, 119);
  table.keys.splice(2, 0, 11, 12);
  table.keys[table.keys.indexOf(1050)] = 1055;
  assert.equal(await cache.refresh(100, 119), true);
  assert.equal(cache.at(100).values.key, 1000);
  assert.equal(cache.at(105).values.key, 1055);
});

test("a newer view does not wait for a slow older one", async () => {
  const table = new Table(10_000);
  const cache = await opened(table);
  const held = [];
  cache.load = (request, signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new DOMException("gone", "AbortError")));
      held.push({ request, answer: async () => resolve(await table.load(request, new AbortController().signal)) });
    });
  cache.show(1000, 1020);
  cache.show(5000, 5020);
  assert.equal(held.length, 2);
  const shown = new Promise((resolve) => (cache.onRows = resolve));
  await held[1].answer();
  await shown;
  assert.equal(cache.at(5000).values.key, 50_000);
  assert.equal(cache.at(1000), undefined);
});

test("an error pauses reading and is told once; resume goes on", async () => {
  const table = new Table(1000);
  const cache = await opened(table);
  const errors = [];
  cache.onError = (error) => errors.push(error.message);
  const { load } = cache;
  cache.load = async () => {
    throw new Error("boom");
  };
  await assert.rejects(cache.want(100, 110), /boom/);
  assert.deepEqual(errors, ["boom"]);
  cache.load = load;
  cache.resume();
  await cache.want(100, 110);
  assert.equal(cache.at(105).values.key, 1050);
});

test("random reading, inserting and deleting always ends with every row once, in order", async () => {
  let seed = 7;
  const random = (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
  for (let round = 0; round < 40; round++) {
    const table = new Table(100 + random(300));
    const cache = await opened(table, { maxRows: 10_000 });
    for (let step = 0; step < 12; step++) {
      const from = random(Math.max(1, cache.length));
      await cache.want(from, from + random(60)).catch(() => {});
    }
    await cache.want(0, cache.length - 1);
    for (let i = 0; i < 3 && cache.at(cache.length - 1) === undefined; i++) await cache.want(0, cache.length - 1);
    assert.deepEqual(keysOf(cache, 0, cache.length - 1), table.keys);
  }
});

/** A cache over 1,000 rows of which 800 were deleted behind its back, the first 100 rows still among its chunks. */
async function shrunk(options) {
  const table = new Table(1000);
  const cache = await opened(table, options);
  await cache.want(0, 99);
  assert.equal(cache.length, 1000);
  table.keys = table.keys.slice(0, 200);
  return { table, cache };
}

test("what the server counts exactly ends the rows: a jump beyond them", async () => {
  const { table, cache } = await shrunk();
  cache.show(690, 710);
  await cache.want(690, 710);
  assert.deepEqual([cache.length, cache.countState], [200, "exact"]);
  await cache.want(180, 199);
  assert.deepEqual(keysOf(cache, 180, 199), table.keys.slice(180));
});

test("what the server counts exactly ends the rows: the end is asked for", async () => {
  const { table, cache } = await shrunk();
  await cache.want(985, 999);
  assert.equal(cache.length, 200);
  assert.deepEqual(keysOf(cache, 180, 199), table.keys.slice(180));
});

test("what the server counts exactly ends the rows: read again where there are none", async () => {
  const { table, cache } = await shrunk();
  assert.equal(await cache.refresh(690, 710), true);
  assert.equal(cache.length, 200);
  assert.deepEqual(keysOf(cache, 190, 199), table.keys.slice(190));
});

test("what the server counts exactly ends the rows: a late count", async () => {
  const { table, cache } = await shrunk();
  await cache.want(500, 520).catch(() => undefined);
  const other = await opened(new Table(1000));
  await other.want(900, 930);
  other.setTotal(200, "exact");
  assert.deepEqual([other.length, other.at(905)], [200, undefined]);
  assert.equal(table.keys.length, 200);
});

test("rows that were deleted above move the last page to its right numbers", async () => {
  const table = new Table(100);
  const cache = await opened(table);
  await cache.want(0, 79);
  table.keys.splice(0, 30);
  await cache.want(80, 99);
  assert.equal(cache.length, 70);
  assert.deepEqual(keysOf(cache, 50, 69), table.keys.slice(50));
  await cache.want(0, 69);
  assert.deepEqual(keysOf(cache, 0, 69), table.keys);
});

test("rows that came at the end are read, and the search for them ends", async () => {
  const table = new Table(60);
  const cache = await opened(table);
  await cache.want(0, 59);
  table.keys.push(5_000, 5_010);
  cache.setTotal(62, "exact");
  await cache.want(50, 61);
  assert.deepEqual(keysOf(cache, 58, 61), table.keys.slice(58));
  const { length } = table.requests;
  cache.setTotal(65, "exact"); // a count that is not true any more
  await cache.want(50, 64);
  assert.equal(cache.length, 62);
  assert.ok(table.requests.length < length + 5, "it does not ask for ever");
});

test("rows read again at the end of a table that shrank above keep together", async () => {
  const table = new Table(100);
  const cache = await opened(table);
  await cache.want(40, 99);
  table.keys.splice(0, 10);
  assert.equal(await cache.refresh(45, 95), true);
  assert.equal(cache.length, 90);
  await cache.want(0, 89);
  assert.deepEqual(keysOf(cache, 0, 89), table.keys);
});
