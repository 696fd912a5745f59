import assert from "node:assert/strict";
import { test } from "node:test";
import { deepEqual } from "./plain.mjs";

import { numberOf } from "../../static/js/data/json.js";
import { History } from "../../static/js/data/history.js";
import { Staged } from "../../static/js/data/staged.js";
import { ServerTimes, timedId, timeOf } from "../../static/js/data/times.js";

const row = { Name: "Ann", Age: 5, City: null };
const edited = (staged = new Staged()) => {
  staged.set("1", "Name", "Anna", "Ann", row);
  return staged;
};
const send = (staged, ...ids) => {
  const entries = ids.map((id) => staged.get(id));
  const changes = entries.map((entry) => staged.change(entry));
  staged.sending(entries);
  return changes;
};

test("an edit carries what was seen", () => {
  const staged = edited();
  const change = staged.change(staged.get("1"));
  deepEqual(
    { ...change, changeId: "x" },
    { changeId: "x", kind: "update", rowId: "1", values: { Name: "Anna" }, base: { Name: "Ann" } },
  );
  deepEqual(staged.counts, { changed: 1, inserted: 0, deleted: 0, rows: 1 });
});

test("the old value typed back is no edit", () => {
  const staged = edited();
  staged.set("1", "Age", numberOf("5.0"), 5, row);
  staged.set("1", "Name", "Ann", "Ann", row);
  assert.equal(staged.entries.size, 0);
});

test("NULL and '' are different edits", () => {
  const staged = new Staged();
  staged.set("1", "City", "", null, row);
  deepEqual(staged.get("1").values, { City: "" });
  deepEqual(staged.get("1").base, { City: null });
});

test("the second of two edits to a cell is the one that is saved", () => {
  const staged = edited();
  staged.set("1", "Name", "Anne", "Ann", row);
  deepEqual(staged.change(staged.get("1")).values, { Name: "Anne" });
  deepEqual(staged.change(staged.get("1")).base, { Name: "Ann" });
});

test("the same content keeps its id, another content gets another", () => {
  const staged = edited();
  const first = staged.change(staged.get("1")).changeId;
  assert.equal(staged.change(staged.get("1")).changeId, first);
  staged.set("1", "Age", 6, 5, row);
  assert.notEqual(staged.change(staged.get("1")).changeId, first);
});

test("saved: the edit is gone and what the database holds is returned", () => {
  const staged = edited();
  const [change] = send(staged, "1");
  const { saved } = staged.settle({
    changeId: change.changeId,
    outcome: "saved",
    rowId: "1",
    values: { Name: "ANNA" },
  });
  deepEqual(saved, { Name: "ANNA" });
  assert.equal(staged.entries.size, 0);
});

test("typed on while saving: the newer value stays staged on the saved one", () => {
  const staged = edited();
  const [change] = send(staged, "1");
  staged.set("1", "Name", "Annabel", "Ann", row);
  staged.settle({ changeId: change.changeId, outcome: "saved", values: { Name: "Anna" } });
  deepEqual(staged.get("1").values, { Name: "Annabel" });
  deepEqual(staged.get("1").base, { Name: "Anna" });
  assert.equal(staged.get("1").state, "staged");
});

test("typed back to the old value while saving: it is an edit of the saved value", () => {
  const staged = edited();
  const [change] = send(staged, "1");
  staged.set("1", "Name", "Ann", "Ann", row);
  staged.settle({ changeId: change.changeId, outcome: "saved", values: { Name: "Anna" } });
  deepEqual(staged.get("1").values, { Name: "Ann" });
  deepEqual(staged.get("1").base, { Name: "Anna" });
});

test("what is being saved cannot be dropped, deleted or reverted before its answer", () => {
  const staged = edited();
  const fresh = staged.insert({ Name: "Zed" });
  staged.set("3", "Age", 1, 5, row);
  const [change] = send(staged, "1", fresh);
  staged.revert("1");
  staged.revert("1", "Name");
  assert.equal(staged.remove("1", row), false);
  assert.equal(staged.remove(fresh), false);
  staged.clear();
  deepEqual([...staged.entries.keys()], ["1", fresh]);
  const { entry } = staged.settle({ changeId: change.changeId, outcome: "saved", values: { Name: "Anna" } });
  assert.equal(entry.kind, "update");
  assert.equal(staged.get("1"), undefined);
});

test("a failure keeps the edit with its reason, and another try is another write", () => {
  const staged = edited();
  const [change] = send(staged, "1");
  staged.settle({
    changeId: change.changeId,
    outcome: "failed",
    error: { code: "CONSTRAINT_VIOLATION", message: "no" },
  });
  assert.equal(staged.get("1").state, "error");
  assert.equal(staged.get("1").error.message, "no");
  assert.notEqual(staged.change(staged.get("1")).changeId, change.changeId);
});

test("an unknown outcome is asked again with the same id", () => {
  let now = 1000;
  const staged = edited(new Staged({ now: () => now }));
  const [change] = send(staged, "1");
  staged.unsent([staged.get("1")], "unknown");
  assert.equal(staged.get("1").state, "unknown");
  assert.equal(staged.change(staged.get("1")).changeId, change.changeId);
  assert.equal(staged.askable.length, 1);
  now += 11 * 60_000;
  assert.equal(staged.askable.length, 0);
});

test("a change whose id the server may have forgotten is sent under a new one where a guard protects", () => {
  let now = 1000;
  const staged = edited(new Staged({ now: () => now }));
  const [change] = send(staged, "1");
  staged.unsent([staged.get("1")], "unknown");
  now += 11 * 60_000;
  assert.notEqual(staged.change(staged.get("1")).changeId, change.changeId);
});

test("the server's own times decide for how long an id is asked again, whatever the browser's clock says", () => {
  let now = 5 * 3_600_000;
  const times = new ServerTimes(() => now);
  times.learn({ serverTime: 1_700_000_000_000, writeResultSeconds: 100, doubtSeconds: 40 });
  const staged = new Staged({ now: () => now, times });
  const id = staged.insert({ Name: "Ann" });
  const [change] = send(staged, id);
  assert.equal(timeOf(change.changeId), 1_700_000_000_000);
  staged.settle({ changeId: change.changeId, outcome: "unknown" });
  now += 89_000;
  assert.deepEqual([staged.askable.length, staged.doubtLeft(staged.get(id))], [1, 0]);
  now += 2_000;
  assert.equal(staged.askable.length, 0);
  // A clock that is set back makes nothing younger for the server.
  now -= 3_600_000;
  times.learn({ serverTime: 1_700_000_091_000, writeResultSeconds: 100, doubtSeconds: 40 });
  assert.equal(staged.askable.length, 0);
});

test("edits that did not leave get an id of their own time when they do", () => {
  let now = 1000;
  const staged = new Staged({ now: () => now });
  const id = staged.insert({ Name: "Ann" });
  const [change] = send(staged, id);
  staged.unsent([staged.get(id)], "staged", null, { never: true });
  now += 86_400_000;
  const fresh = staged.change(staged.get(id)).changeId;
  assert.equal(timeOf(fresh) - timeOf(change.changeId), 86_400_000);
});

test("ids are UUIDs of version 7, and of others no time is read", () => {
  const id = timedId(1_645_557_742_000, new Uint8Array([0xff, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]));
  assert.match(id, /^017f22e2-79b0-7fc3-98c4-dc0c0c07398f$/);
  assert.equal(timeOf(id), 1_645_557_742_000);
  assert.equal(timeOf("919108f7-52d1-4320-9bac-f847db4148a8"), null);
  assert.equal(timeOf(undefined), null);
  const ids = new Set(Array.from({ length: 1000 }, () => timedId(5)));
  assert.equal(ids.size, 1000);
  for (const each of ids) assert.match(each, /^00000000-0005-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("what the server itself does not know is asked under a new id where a guard protects, else under the same", () => {
  const staged = edited();
  const id = staged.insert({ Name: "Zed" });
  const [update, insert] = send(staged, "1", id);
  staged.settle({ changeId: update.changeId, outcome: "unknown" });
  staged.settle({ changeId: insert.changeId, outcome: "unknown" });
  assert.notEqual(staged.change(staged.get("1")).changeId, update.changeId);
  assert.equal(staged.change(staged.get(id)).changeId, insert.changeId);
});

test("a new row whose id the server has forgotten is not sent by itself: it might be there twice", () => {
  let now = 1000;
  const staged = new Staged({ now: () => now });
  const id = staged.insert({ Name: "Ann" });
  const [change] = send(staged, id);
  staged.settle({ changeId: change.changeId, outcome: "unknown" });
  deepEqual([staged.savable.length, staged.askable.length, staged.undecided.length], [1, 1, 0]);
  now += 11 * 60_000;
  deepEqual([staged.savable.length, staged.askable.length, staged.undecided.length], [0, 0, 1]);
  staged.sendAnew(id);
  assert.notEqual(staged.change(staged.get(id)).changeId, change.changeId);
  deepEqual([staged.savable.length, staged.undecided.length], [1, 0]);
});

test("looking at what would be sent changes nothing: an answer under way still finds its edit, and what is unknown is still asked for", () => {
  const staged = edited();
  const id = staged.insert({ Name: "Zed" });
  const [update, insert] = send(staged, "1", id);
  staged.set("1", "Name", "Anne", "Ann", row);
  const shown = staged.preview([...staged.entries.values()], () => true);
  deepEqual(
    shown.map(({ values }) => values),
    [{ Name: "Anne" }, { Name: "Zed" }],
  );
  assert.equal(new Set(shown.map(({ changeId }) => changeId)).size, 2);
  assert.notEqual(staged.settle({ changeId: update.changeId, outcome: "unknown" }), null);
  assert.notEqual(staged.settle({ changeId: insert.changeId, outcome: "unknown" }), null);
  staged.preview(staged.savable, () => true);
  assert.equal(staged.askable.length, 2);
});

test("a new row of unknown outcome that is edited is asked for as it was sent, for with the new value it might be there twice", () => {
  const staged = new Staged();
  const id = staged.insert({ Name: "Zed" });
  const [sent] = send(staged, id);
  staged.settle({ changeId: sent.changeId, outcome: "unknown" });
  staged.set(id, "Name", "Zoe");
  const copy = new Staged();
  copy.load(staged.snapshot());
  for (const each of [staged, copy]) {
    assert.equal(each.get(id).state, "unknown");
    deepEqual(each.preview(each.savable)[0].values, { Name: "Zed" });
    const [asked] = send(each, id);
    deepEqual(asked, sent);
    deepEqual(each.value(id, "Name"), "Zoe");
  }
  staged.settle({ changeId: sent.changeId, outcome: "saved", rowId: "77", values: { Name: "Zed" } });
  deepEqual(
    [staged.get("77").values, staged.get("77").base, staged.entries.size],
    [{ Name: "Zoe" }, { Name: "Zed" }, 1],
  );
  copy.settle({ changeId: sent.changeId, outcome: "failed", error: { message: "It was not made." } });
  const [again] = send(copy, id);
  deepEqual(again.values, { Name: "Zoe" });
  assert.notEqual(again.changeId, sent.changeId);
});

test("a new row of unknown outcome that is inserted again is inserted as it is now, once the first can no longer arrive", () => {
  let now = 1000;
  const staged = new Staged({ now: () => now });
  const id = staged.insert({ Name: "Zed" });
  const [sent] = send(staged, id);
  staged.settle({ changeId: sent.changeId, outcome: "unknown" });
  staged.set(id, "Name", "Zoe");
  staged.sendAnew(id);
  assert.equal(staged.get(id).state, "unknown");
  now += 65_001;
  staged.sendAnew(id);
  deepEqual(send(staged, id)[0].values, { Name: "Zoe" });
});

test("a conflict waits for a decision: mine is saved over theirs", () => {
  const staged = edited();
  const [change] = send(staged, "1");
  staged.settle({
    changeId: change.changeId,
    outcome: "conflict",
    conflict: { Name: { base: "Ann", mine: "Anna", theirs: "Bob" } },
  });
  deepEqual([staged.savable.length, staged.undecided.length], [0, 1]);
  deepEqual(staged.resolve("1", { Name: "mine" }), { Name: "Bob" });
  deepEqual(staged.change(staged.get("1")).base, { Name: "Bob" });
  deepEqual(staged.change(staged.get("1")).values, { Name: "Anna" });
});

test("a conflict taken from the other side leaves nothing staged", () => {
  const staged = edited();
  deepEqual(staged.rebase("1", { Name: "Bob", Age: 9 }, "alice"), ["Name"]);
  assert.equal(staged.get("1").by, "alice");
  deepEqual(staged.resolve("1", { Name: "theirs" }), { Name: "Bob" });
  assert.equal(staged.entries.size, 0);
});

test("the same value from both sides is no conflict and no edit", () => {
  const staged = edited();
  deepEqual(staged.rebase("1", { Name: "Anna" }), []);
  assert.equal(staged.entries.size, 0);
});

test("typed over a value that changed meanwhile: what was seen is the base, and it is a conflict", () => {
  const staged = new Staged();
  staged.set("1", "Name", "Anna", "theirs", { ...row, Name: "theirs" });
  assert.equal(staged.contest("1", "Name", "Ann", "theirs", "alice"), true);
  deepEqual(staged.get("1").conflict, { Name: { base: "Ann", mine: "Anna", theirs: "theirs" } });
  assert.equal(staged.get("1").by, "alice");
  assert.equal(staged.contest("1", "City", "x", "y"), false);
});

test("another column changed by someone else is no conflict", () => {
  const staged = edited();
  deepEqual(staged.rebase("1", { Age: 6 }), []);
  deepEqual(staged.change(staged.get("1")).base, { Name: "Ann" });
});

test("a row gone with edits can be inserted again with them", () => {
  const staged = edited();
  assert.equal(staged.gone("1", "alice"), true);
  assert.equal(staged.savable.length, 0);
  const id = staged.insertAgain("1", (name) => name !== "Age", 3);
  deepEqual(staged.get(id).values, { Name: "Anna", City: null });
  assert.equal(staged.get(id).at, 3);
});

test("a deletion is guarded by the row as seen, and takes edits of the row with it until it is taken back", () => {
  const staged = edited();
  staged.remove("1", row);
  deepEqual(staged.change(staged.get("1"), (name) => name !== "City").base, { Name: "Ann", Age: 5 });
  deepEqual(staged.counts, { changed: 0, inserted: 0, deleted: 1, rows: 1 });
  staged.restore("1");
  deepEqual(staged.get("1").values, { Name: "Anna" });
});

test("a deletion says of which values only the start was seen, where that is known", () => {
  const staged = new Staged();
  staged.remove("1", row, ["City"], { City: { length: 4000, unit: "characters" } });
  deepEqual(staged.change(staged.get("1"), () => true).previews, { City: { length: 4000, unit: "characters" } });
  staged.remove("2", row, [], {});
  deepEqual(staged.change(staged.get("2"), () => true).previews, {});
  staged.remove("3", row);
  assert.equal("previews" in staged.change(staged.get("3"), () => true), false);
});

test("a row marked to be deleted that someone changed is a conflict; one that someone deleted is settled", () => {
  const staged = new Staged();
  staged.remove("1", row);
  deepEqual(staged.rebase("1", { Age: 6 }), ["Age"]);
  assert.equal(staged.get("1").state, "conflict");
  staged.resolve("1", { Age: "mine" });
  assert.equal(staged.change(staged.get("1")).base.Age, 6);
  assert.equal(staged.gone("1"), false);
  assert.equal(staged.entries.size, 0);
});

test("a new row sends only what was filled", () => {
  const staged = new Staged();
  const id = staged.insert({}, 0);
  staged.set(id, "Name", "Zed");
  staged.set(id, "City", null);
  staged.set(id, "Age", 3);
  staged.set(id, "Age", undefined);
  const change = staged.change(staged.get(id));
  deepEqual(change.values, { Name: "Zed", City: null });
  assert.ok(!("rowId" in change) && !("base" in change));
  staged.remove(id);
  assert.equal(staged.entries.size, 0);
});

test("a new row edited while it is saved goes on as an edit of the saved row", () => {
  const staged = new Staged();
  const id = staged.insert({ Name: "Zed" });
  const [change] = send(staged, id);
  staged.set(id, "Name", "Zoe");
  const { saved } = staged.settle({
    changeId: change.changeId,
    outcome: "saved",
    rowId: "77",
    values: { Name: "Zed", Age: 1 },
  });
  deepEqual(saved, { Name: "Zed", Age: 1 });
  deepEqual(staged.get("77").values, { Name: "Zoe" });
  deepEqual(staged.get("77").base, { Name: "Zed" });
});

test("everything survives a reload, with all digits; what was on its way is unknown", () => {
  const staged = edited();
  staged.set("2", "Age", numberOf("12345678901234567890.50"), numberOf("1.50"), row);
  staged.insert({ Name: "Zed" }, Infinity, "new:1");
  const [change] = send(staged, "1");
  const copy = new Staged();
  assert.equal(copy.load(staged.snapshot()), true);
  assert.equal(String(copy.get("2").values.Age), "12345678901234567890.50");
  assert.equal(copy.get("1").state, "unknown");
  assert.equal(copy.change(copy.get("1")).changeId, change.changeId);
  assert.equal(copy.get("new:1").at, Infinity);
  assert.equal(new Staged().snapshot(), null);
});

for (const bad of ["", "{}", "nonsense", '{"version":9,"entries":[]}', '{"version":1,"entries":5}']) {
  test(`a snapshot of ${JSON.stringify(bad)} is refused`, () => assert.equal(new Staged().load(bad), false));
}

test("an answer for a change nobody knows is nothing", () =>
  assert.equal(new Staged().settle({ changeId: "x", outcome: "saved" }), null));

test("undo and redo walk the batches, across a save and a new row's ID", () => {
  const log = [];
  const history = new History((batch, way) =>
    log.push([way, ...batch.map((step) => [step.id, step.column, step.base])]),
  );
  history.commit([]);
  assert.equal(history.undo(), null);
  history.commit([
    { id: "new:1", column: "a", base: 1 },
    { id: "2", column: "b", base: 2 },
  ]);
  history.rename("new:1", "77");
  history.rebase("2", { b: 9 });
  history.undo();
  history.redo();
  deepEqual(log.slice(1), [
    ["backwards", ["2", "b", 9], ["77", "a", 1]],
    ["forwards", ["77", "a", 1], ["2", "b", 9]],
  ]);
  history.undo();
  history.commit([{ id: "3", column: "c", base: 3 }]);
  assert.equal(history.canRedo, false);
});

const HARD = ["__proto__", "constructor", "toString", "hasOwnProperty"];

test("columns may be called as what every object has", () => {
  for (const name of HARD) {
    const staged = new Staged();
    assert.equal(staged.has("1", name), false);
    const row = JSON.parse(`{"ID": 1, "${name}": "old"}`);
    staged.set("1", "ID", 2, 1, row);
    assert.equal(staged.has("1", name), false, "another column's edit is none of this one");
    staged.set("1", name, "new", "old", row);
    const id = staged.insert(JSON.parse(`{"${name}": "x"}`));
    const again = new Staged();
    again.load(staged.snapshot());
    for (const each of [staged, again]) {
      assert.equal(each.value("1", name, null), "new");
      assert.equal(each.value(id, name, null), "x");
      const change = each.change(each.get("1"));
      assert.deepEqual(
        Object.entries(change.values).sort(),
        [
          ["ID", 2],
          [name, "new"],
        ].sort(),
      );
      assert.ok(JSON.stringify(change).includes(`"base":{"ID":1,"${name}":"old"}`));
    }
    again.settle({
      changeId: again.get("1").sent.changeId,
      outcome: "conflict",
      conflict: JSON.parse(`{"${name}": {"base": "old", "mine": "new", "theirs": "other"}}`),
    });
    assert.equal(again.resolve("1", JSON.parse(`{"${name}": "mine"}`))[name], "other");
    assert.equal(again.get("1").base[name], "other");
    const { saved } = again.settle({
      changeId: (again.change(again.get("1")), again.get("1").sent.changeId),
      outcome: "saved",
      values: JSON.parse(`{"ID": 2, "${name}": "new"}`),
    });
    assert.equal(saved[name], "new");
    assert.equal(again.get("1"), undefined);
  }
});

test("the start of the other side's value is not taken for the whole", () => {
  const start = "x".repeat(1_000);
  const staged = new Staged();
  staged.set("1", "T", start, "seen", { T: "seen" });
  staged.rebase("1", { T: start }, "bob", { T: { length: 5_000, unit: "characters" } });
  assert.equal(staged.get("1").conflict.T.preview.length, 5_000, "equal to mine only as far as it goes");
  staged.set("2", "T", "mine", "seen", { T: "seen" });
  staged.rebase("2", { T: start });
  assert.ok(staged.get("2").conflict.T.preview, "as long as what is cut, and not marked");
  staged.set("3", "T", "mine", "seen", { T: "seen" });
  staged.change(staged.get("3"));
  staged.settle({
    changeId: staged.get("3").sent.changeId,
    outcome: "conflict",
    conflict: { T: { base: "seen", mine: "mine", theirs: "y" } },
    previews: { T: { length: 9, unit: "characters" } },
  });
  assert.equal(staged.get("3").conflict.T.preview.length, 9);
});
