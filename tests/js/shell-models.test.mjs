import assert from "node:assert/strict";
import { test } from "node:test";

import { LosslessNumber } from "../../static/js/data/json.js";
import { Staged } from "../../static/js/data/staged.js";
import { LineCounter, bytes, exportAddress, exportFields } from "../../static/js/shell/export.js";
import { DraftStore } from "../../static/js/shell/draft-store.js";
import { address, readAddress } from "../../static/js/shell/location.js";
import { Memory } from "../../static/js/data/memory.js";
import { find, score } from "../../static/js/shell/palette-model.js";
import { entries, group } from "../../static/js/shell/tree-model.js";
import { T } from "../../static/js/texts.js";

const there = (place) => {
  const url = new URL(address(place), "http://h");
  return readAddress(url);
};

test("one row is one row", () => {
  assert.equal(T.rows(0, 0, 1, "exact"), "1 row");
  assert.equal(T.rows(0, 0, 2, "exact"), "2 rows");
  assert.equal(T.rows(1, 1, 1, "exact"), "1–1 of 1");
});

// --- the tree

const LIST = {
  namespace: "SAMPLES",
  details: [
    { name: "Sample.Person", kind: "table", description: "People" },
    { name: "Sample.Company", kind: "table", description: "" },
    { name: "Cinema.Film", kind: "view", description: "" },
    { name: "%Library.File", kind: "system", description: "" },
    { name: "NoSchema", kind: "table", description: "" },
  ],
};

const names = ({ schemas }) => schemas.map(({ name, tables }) => [name, ...tables.map((table) => table.name)]);

test("tables stand in their schemas, both sorted", () => {
  assert.deepEqual(names(group(entries(LIST))), [
    ["", "NoSchema"],
    ["Cinema", "Film"],
    ["Sample", "Company", "Person"],
  ]);
});

test("system schemas only when asked for", () => {
  assert.deepEqual(names(group(entries(LIST), { system: true }))[1], ["%Library", "File"]);
});

test("the filter takes words in any order, from names and descriptions", () => {
  assert.deepEqual(names(group(entries(LIST), { text: "PERSON sam" })), [["Sample", "Person"]]);
  assert.deepEqual(names(group(entries(LIST), { text: "people" })), [["Sample", "Person"]]);
  assert.equal(group(entries(LIST), { text: "nothing" }).shown, 0);
  const both = entries({ details: [{ name: "A.Film" }, { name: "A.Crew", description: "who made the film" }] });
  assert.deepEqual(names(group(both, { text: "film" })), [["A", "Film"]], "a name beats a description");
});

test("a server that sends names alone is enough", () => {
  assert.deepEqual(entries({ tables: ["A.B_C.D"] }), [
    { schema: "A", name: "B_C.D", full: "A.B_C.D", kind: "table", description: "" },
  ]);
});

// --- the palette

const labels = (text, ...all) =>
  find(
    all.map((label) => ({ label })),
    text,
  ).map(({ label }) => label);

test("a whole part beats letters that only occur in order", () => {
  assert.deepEqual(labels("per", "Sample.PurchaseOrder", "Sample.Person", "Sample.Paper"), [
    "Sample.Person",
    "Sample.Paper",
    "Sample.PurchaseOrder",
  ]);
});

test("initials of words find the table", () => {
  assert.equal(labels("fc", "Cinema.Film", "Cinema.FilmCategory", "Office.Chair")[0], "Cinema.FilmCategory");
});

test("letters that do not occur exclude", () => {
  assert.equal(score("xyz", "Sample.Person"), null);
  assert.deepEqual(labels("zz", "Sample.Person"), []);
});

test("nothing typed keeps everything, boosted ones first", () => {
  assert.deepEqual(
    find([{ label: "a" }, { label: "b", boost: 5 }], "").map(({ label }) => label),
    ["b", "a"],
  );
});

test("the list is cut, not the best", () => {
  const many = Array.from({ length: 500 }, (_, n) => ({ label: `T.Table${n}` }));
  assert.deepEqual(
    find([...many, { label: "T.Zed" }], "zed", 10).map(({ label }) => label),
    ["T.Zed"],
  );
});

// --- the address

test("an address gives back what it was made from", () => {
  const place = {
    namespace: "%SYS",
    table: 'My "Odd".Täble/1?#%',
    view: {
      sort: [
        { column: "A:b", direction: "desc" },
        { column: "C", direction: "asc" },
      ],
      filters: [
        { column: "Name", operator: "contains", value: "ü & =", matchCase: true },
        { column: "Age", operator: "between", value: [1, 40] },
        { column: "Big", operator: "equals", value: new LosslessNumber("9007199254740993.10") },
        { column: "Note", operator: "isNull" },
      ],
      search: "two words",
    },
  };
  assert.deepEqual(there(place), place);
});

test("a filter that is switched off is not part of the address", () => {
  assert.deepEqual(
    there({ namespace: "U", table: "A.B", view: { filters: [{ column: "X", operator: "isNull", off: true }] } }).view,
    {},
  );
});

for (const [what, path] of [
  ["no table", "/"],
  ["a namespace alone", "/table/USER"],
  ["a broken escape", "/table/%E0%A4%A/T"],
]) {
  test(`${what} is no table's address`, () => {
    const url = new URL(path, "http://h");
    assert.equal(readAddress({ pathname: path, search: url.search }), null);
  });
}

test("parts of an address that cannot be read are left out", () => {
  const search = new URLSearchParams([
    ["sort", "Name"],
    ["sort", ":asc"],
    ["sort", "Name:sideways"],
    ["sort", "Name:desc"],
    ["filter", "{"],
    ["filter", '"x"'],
    ["filter", "[1,2]"],
    ["filter", '["A","isNull"]'],
  ]).toString();
  assert.deepEqual(readAddress({ pathname: "/table/USER/A.B", search }).view, {
    sort: [{ column: "Name", direction: "desc" }],
    filters: [{ column: "A", operator: "isNull" }],
  });
});

// --- what the browser remembers

test("memory keeps JSON under its scope, and forgets what it cannot read", () => {
  const map = new Map();
  const storage = {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, text) => map.set(key, text),
    removeItem: (key) => map.delete(key),
  };
  const memory = new Memory(storage, "demo", "alice");
  assert.equal(memory.get("tabs", "none"), "none");
  assert.equal(memory.set("tabs", [1]), true);
  assert.deepEqual(memory.get("tabs"), [1]);
  assert.deepEqual([...map.keys()], ["iris-quart:demo:alice:tabs"]);
  assert.equal(new Memory(storage, "demo", "bob").get("tabs"), null);
  map.set("iris-quart:demo:alice:tabs", "{");
  assert.equal(memory.get("tabs", "none"), "none");
  memory.set("tabs", null);
  assert.equal(map.size, 0);
});

test("a browser that refuses storage costs nothing but the memory", () => {
  const refuse = () => {
    throw new Error("quota");
  };
  const memory = new Memory({ getItem: refuse, setItem: refuse, removeItem: refuse });
  assert.equal(memory.get("x", 1), 1);
  assert.equal(memory.set("x", 2), false);
});

// --- drafts

function storage() {
  const map = new Map();
  return new Proxy(
    {
      getItem: (key) => map.get(key) ?? null,
      setItem: (key, text) => map.set(key, text),
      removeItem: (key) => map.delete(key),
    },
    { ownKeys: () => [...map.keys()], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) },
  );
}

function snapshot(change) {
  const staged = new Staged();
  change(staged);
  return staged.snapshot();
}

test("drafts are told apart by server and user, and counted", () => {
  const kept = storage();
  const mine = new DraftStore(kept, "demo", "alice");
  mine.setItem(
    "%25SYS/A.B",
    snapshot((staged) => staged.set("1", "Name", "new", "old", { Name: "old" })),
  );
  mine.setItem(
    "USER/C",
    snapshot((staged) => staged.insert({ Name: "x" })),
  );
  assert.deepEqual(mine.all, [
    { namespace: "%SYS", table: "A.B", pending: { changed: 1, inserted: 0, deleted: 0 } },
    { namespace: "USER", table: "C", pending: { changed: 0, inserted: 1, deleted: 0 } },
  ]);
  assert.deepEqual(new DraftStore(kept, "demo", "bob").all, []);
  assert.equal(new DraftStore(kept, "other", "alice").getItem("USER/C"), null);
});

test("at sign-out drafts go, and none comes back", () => {
  const kept = storage();
  const mine = new DraftStore(kept, "demo", "alice");
  const text = snapshot((staged) => staged.insert({ Name: "x" }));
  mine.setItem("USER/C", text);
  mine.end();
  mine.setItem("USER/C", text);
  assert.deepEqual(Object.keys(kept), []);
});

test("with drafts off nothing is kept", () => {
  const none = new DraftStore(null, "demo", "alice");
  none.setItem("USER/C", "x");
  assert.equal(none.getItem("USER/C"), null);
  assert.deepEqual(none.all, []);
  none.end();
});

// --- export

test("an export names table, view and rows as the server reads them", () => {
  const url = new URL(
    exportAddress(
      exportFields({
        namespace: "%SYS",
        table: "A.B",
        view: {
          filters: [{ column: "X", operator: "equals", value: new LosslessNumber("1.50") }],
          sort: [{ column: "Y", direction: "asc" }],
          search: "",
        },
        rows: ["1", "2||3"],
        columns: ["X"],
        nullText: "NULL",
        safe: false,
      }),
    ),
    "http://h",
  );
  assert.equal(url.pathname, "/api/export");
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    namespace: "%SYS",
    tableName: "A.B",
    format: "csv",
    null: "NULL",
    safe: "false",
    filters: '[{"column":"X","operator":"equals","value":1.50}]',
    sort: '[{"column":"Y","direction":"asc"}]',
    columns: '["X"]',
    rowIds: '["1","2||3"]',
  });
});

test("an export asks for nothing that was not chosen", () => {
  const fields = exportFields({ namespace: "N", table: "T", view: { filters: [], search: "" }, rows: null });
  assert.deepEqual(fields, { namespace: "N", tableName: "T", format: "csv", null: "", safe: true });
});

test("sizes are told in units", () => {
  assert.deepEqual([0, 1023, 1024, 1536, 5 * 1024 ** 3].map(bytes), ["0 B", "1023 B", "1.0 KB", "1.5 KB", "5.0 GB"]);
});

test("lines of CSV are counted over pieces, and not the line breaks within values", () => {
  const text = 'ID,Note\r\n1,"two\r\nlines"\r\n2,"a ""quoted\n"" word"\r\n3,plain\r\n';
  for (const size of [1, 2, 3, 7, 1000]) {
    const lines = new LineCounter();
    const all = new TextEncoder().encode(text);
    for (let at = 0; at < all.length; at += size) lines.take(all.subarray(at, at + size));
    assert.equal(lines.count, 4);
  }
});

test("alternatives are part of the address", () => {
  const filters = [
    { column: "a", operator: "isNull" },
    { column: "b", operator: "equals", value: 1, matchCase: true, or: true },
    { column: "c", operator: "isNull", or: true },
    { column: "d", operator: "isNull", off: true },
    { column: "e", operator: "isNull", or: true },
  ];
  const url = new URL(address({ namespace: "N", table: "S.T", view: { filters } }), "http://h");
  const read = readAddress(url).view.filters;
  assert.deepEqual(
    read.map(({ column, or, matchCase }) => [column, Boolean(or), Boolean(matchCase)]),
    [
      ["a", false, false],
      ["b", true, true],
      ["c", true, false],
      ["e", false, false],
    ],
  );
});
