import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { deepEqual } from "./plain.mjs";

import { Staged } from "../../static/js/data/staged.js";
import { Saving } from "../../static/js/table/saving.js";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A table with a client whose answers the test gives: `sent` holds what is on its way or was. */
function open({ confirmSave = async () => true } = {}) {
  const sent = [];
  const said = [];
  const staged = new Staged();
  const client = {
    state: "live",
    send: (command, { changes }, { onEvent }) =>
      new Promise((resolve, reject) => {
        const fail = async (error) => {
          reject(error);
          await turn();
        };
        const answer = async (outcome, of = () => ({})) => {
          for (const change of changes) {
            const values = outcome === "saved" ? { ...change.values } : undefined;
            onEvent("changeResult", { changeId: change.changeId, outcome, rowId: change.rowId, values, ...of(change) });
          }
          resolve({ event: "changesSaved", payload: {} });
          await turn();
        };
        sent.push({ changes, answer, fail, rows: changes.map(({ rowId }) => rowId) });
      }),
  };
  const table = {
    staged,
    namespace: "USER",
    tableName: "Some.Table",
    writable: () => true,
    batch: (change) => change(),
    schema: { columns: [] },
  };
  const hooks = {
    announce: (text) => said.push(text),
    progress: () => {},
    settled: () => [],
    confirmSave,
    attend: () => {},
  };
  const type = (id, value, seen = "old") => staged.set(id, "Word", value, seen, { Word: seen });
  return { saving: new Saving(table, client, hooks), staged, client, sent, said, type };
}

test("saves that were asked for while another ran are one save, and the next one waits for it", async () => {
  const { saving, sent, said, type } = open();
  type("1", "a");
  saving.save();
  await turn();
  type("2", "b");
  saving.save();
  saving.save();
  await sent[0].answer("saved");
  deepEqual(
    sent.map(({ rows }) => rows),
    [["1"], ["2"]],
  );
  assert.equal(saving.busy, true);
  type("3", "c");
  saving.save();
  await turn();
  assert.equal(sent.length, 2);
  await sent[1].answer("saved");
  deepEqual(sent[2].rows, ["3"]);
  await sent[2].answer("saved");
  assert.equal(saving.busy, false);
  assert.equal(said.length, 3); // a save that found all done meanwhile says nothing
  saving.close();
});

test("a value typed over one that is being saved is guarded by that one, never by what it replaces", async () => {
  const { saving, staged, sent, type } = open();
  type("1", "a");
  type("2", "x");
  saving.save();
  await turn();
  type("1", "b");
  saving.save();
  saving.save();
  await sent[0].answer("saved");
  deepEqual(sent[1].changes[0].base, { Word: "a" });
  type("1", "c");
  saving.save();
  await turn();
  await sent[1].answer("saved");
  deepEqual(
    sent[2].changes.map(({ values, base }) => [values, base]),
    [[{ Word: "c" }, { Word: "b" }]],
  );
  await sent[2].answer("saved");
  assert.equal(staged.entries.size, 0);
  saving.close();
});

test("stop also drops the saves that wait", async () => {
  const { saving, staged, sent, type } = open();
  type("1", "a");
  saving.save();
  await turn();
  type("2", "b");
  const waiting = saving.save();
  saving.stop();
  await sent[0].answer("saved");
  assert.equal(await waiting, null);
  assert.equal(sent.length, 1);
  assert.equal(staged.get("2").state, "staged");
  saving.close();
});

test("one question about keys is asked at a time", async () => {
  const asked = [];
  const { saving, sent, type } = open({ confirmSave: () => new Promise((resolve) => asked.push(resolve)) });
  type("1", "a");
  saving.save();
  saving.save();
  await turn();
  assert.equal(asked.length, 1);
  asked[0](false);
  await turn();
  assert.equal(asked.length, 2);
  asked[1](true);
  await turn();
  deepEqual(sent[0].rows, ["1"]);
  await sent[0].answer("saved");
  saving.close();
});

test("what nobody knows is asked for a second later and settled, whatever is looked at meanwhile", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { saving, staged, sent, type } = open();
    type("1", "a");
    saving.save();
    await turn();
    await sent[0].answer("unknown");
    assert.equal(staged.get("1").state, "unknown");
    staged.preview(staged.savable, () => true); // the review shows what saving would send
    mock.timers.tick(1_000);
    await turn();
    deepEqual(sent[1].rows, ["1"]);
    await sent[1].answer("saved");
    assert.equal(staged.entries.size, 0);
    saving.close();
  } finally {
    mock.timers.reset();
  }
});

test("a save that waited too long to leave is sent under new ids", async () => {
  const { saving, sent, staged, type } = open();
  type("1", "a");
  staged.insert({ Word: "new" });
  saving.save();
  await turn();
  await sent[0].fail({ code: "STALE", message: "" });
  assert.deepEqual(
    sent[1].changes.map(({ values }) => values),
    sent[0].changes.map(({ values }) => values),
  );
  for (const [index, change] of sent[1].changes.entries())
    assert.notEqual(change.changeId, sent[0].changes[index].changeId);
  await sent[1].answer("saved");
  assert.equal(staged.entries.size, 0);
  saving.close();
});

for (const [error, state] of [
  [{ code: "RATE_LIMITED" }, "error"],
  [{ code: "RATE_LIMITED", resent: true }, "unknown"], // the first run may be saving
  [{ code: "AUTH_EXPIRED" }, "unknown"],
  [{ code: "COMMAND_ERROR" }, "unknown"],
]) {
  test(`a new row whose save ended with ${JSON.stringify(error)} is ${state}: only what was surely not run gets a new id`, async () => {
    const { saving, sent, staged } = open();
    const id = staged.insert({ Word: "new" });
    saving.save();
    await turn();
    await sent[0].fail({ message: "No.", ...error });
    assert.equal(staged.get(id).state, state);
    staged.set(id, "Word", "newer");
    saving.save();
    await turn();
    const [again] = sent[1].changes;
    assert.deepEqual(
      [again.changeId === sent[0].changes[0].changeId, again.values.Word],
      state === "unknown" ? [true, "new"] : [false, "newer"],
    );
    await sent[1].answer("saved");
    saving.close();
  });
}
