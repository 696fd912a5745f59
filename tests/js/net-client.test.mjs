import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Client, CommandError } from "../../static/js/net/client.js";
import { newId } from "../../static/js/net/exchanges.js";

/** The browser's WebSocket as far as the client uses it; the test plays the server. */
class FakeSocket extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;
  static all = [];

  constructor(url) {
    super();
    this.url = url;
    this.readyState = FakeSocket.CONNECTING;
    this.frames = [];
    FakeSocket.all.push(this);
  }
  send(text) {
    assert.equal(this.readyState, FakeSocket.OPEN);
    this.frames.push(JSON.parse(text));
  }
  close() {
    this.readyState = FakeSocket.CLOSED;
  }
  // What a server does:
  accept() {
    this.readyState = FakeSocket.OPEN;
    this.dispatchEvent(new Event("open"));
  }
  say(message) {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
  }
  answer(command, event, payload) {
    const frame = this.frames.findLast((frame) => frame.command === command);
    this.say({ event, payload, id: frame.id });
  }
  drop(code = 1006, reason = "") {
    this.readyState = FakeSocket.CLOSED;
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }
  welcome() {
    this.accept();
    this.answer("getSession", "session", { user: "_SYSTEM" });
  }
  get commands() {
    return this.frames.map((frame) => frame.command);
  }
}

const latest = () => FakeSocket.all.at(-1);
const settled = () => new Promise((resolve) => setImmediate(resolve));
const clients = [];

beforeEach(() => {
  for (const client of clients.splice(0)) client.stop();
  FakeSocket.all = [];
});

async function live(options = {}) {
  const client = new Client({ url: "http://127.0.0.1:8000/ws", Socket: FakeSocket, ...options });
  clients.push(client);
  client.start();
  latest().welcome();
  await settled();
  assert.equal(client.state, "live");
  return client;
}

test.after(() => clients.forEach((client) => client.stop()));

test("the address of the page becomes the address of the socket", async () => {
  await live();
  assert.equal(latest().url, "ws://127.0.0.1:8000/ws");
});

test("an accepted socket is live with its first answer, not before", async () => {
  const client = new Client({ url: "http://h/ws", Socket: FakeSocket });
  clients.push(client);
  client.start();
  latest().accept();
  assert.equal(client.state, "connecting");
  assert.deepEqual(
    latest().frames.map(({ command, background }) => [command, background]),
    [["getSession", true]],
  );
  latest().drop(4001, "Unauthorized");
  assert.equal(client.state, "signedOut");
});

test("a server that cannot tell the session is live all the same", async () => {
  const client = new Client({ url: "http://h/ws", Socket: FakeSocket });
  clients.push(client);
  client.start();
  latest().accept();
  latest().answer("getSession", "error", { code: "STORE_UNAVAILABLE", message: "The session store is away" });
  await settled();
  assert.equal(client.state, "live");
});

test("reads asked for before the first connection go out with it", async () => {
  const client = new Client({ url: "http://h/ws", Socket: FakeSocket });
  clients.push(client);
  client.start();
  const asked = client.send("getNamespaces");
  latest().welcome();
  latest().answer("getNamespaces", "namespaceList", { namespaces: ["USER"] });
  assert.deepEqual(await asked, { event: "namespaceList", payload: { namespaces: ["USER"] } });
});

test("selectTable resolves with its last event; onEvent sees every one", async () => {
  const client = await live();
  const seen = [];
  const asked = client.send(
    "selectTable",
    { namespace: "USER", tableName: "A.B" },
    { onEvent: (event) => seen.push(event) },
  );
  latest().answer("selectTable", "tableSelected", {});
  latest().answer("selectTable", "tableSchema", { columns: [] });
  latest().answer("selectTable", "tableLoading", { loading: false });
  latest().answer("selectTable", "tableData", { rows: [], countState: "pending" });
  assert.equal((await asked).event, "tableData");
  latest().answer("selectTable", "rowCount", { totalRows: 7 });
  assert.deepEqual(seen, ["tableSelected", "tableSchema", "tableLoading", "tableData", "rowCount"]);
});

test("nothing follows an answer whose count is known", async () => {
  const client = await live();
  const seen = [];
  const asked = client.send("requestData", {}, { onEvent: (event) => seen.push(event) });
  latest().answer("requestData", "tableData", { rows: [], countState: "exact" });
  await asked;
  const pushed = [];
  client.addEventListener("rowCount", (event) => pushed.push(event.detail.totalRows));
  latest().answer("requestData", "rowCount", { totalRows: 1 });
  assert.deepEqual([seen, pushed], [["tableData"], [1]]);
});

test("saveChanges ends with changesSaved", async () => {
  const client = await live();
  const results = [];
  const asked = client.send(
    "saveChanges",
    { changes: [] },
    { onEvent: (event, payload) => results.push(payload.changeId) },
  );
  latest().answer("saveChanges", "changeResult", { changeId: "a" });
  latest().answer("saveChanges", "changeResult", { changeId: "b" });
  latest().answer("saveChanges", "changesSaved", { saved: 2 });
  assert.equal((await asked).payload.saved, 2);
  assert.deepEqual(results, ["a", "b", undefined]);
});

test("an error event rejects with everything it says", async () => {
  const client = await live();
  const asked = client.send("requestData", {});
  latest().answer("requestData", "error", {
    message: "No such field",
    code: "INVALID_INPUT",
    recoverable: true,
    context: "requestData",
    sqlcode: -29,
    serverText: "Field not found",
    field: "sort",
  });
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof CommandError);
    assert.deepEqual(
      [error.message, error.code, error.sqlcode, error.serverText, error.field, error.context],
      ["No such field", "INVALID_INPUT", -29, "Field not found", "sort", "requestData"],
    );
    return true;
  });
});

test("answers find their command whatever the order", async () => {
  const client = await live();
  const first = client.send("getTables", { namespace: "A" });
  const second = client.send("getTables", { namespace: "B" });
  const [a, b] = latest().frames.slice(-2);
  latest().say({ event: "tableList", payload: { namespace: "B" }, id: b.id });
  latest().say({ event: "tableList", payload: { namespace: "A" }, id: a.id });
  assert.deepEqual([(await first).payload.namespace, (await second).payload.namespace], ["A", "B"]);
});

test("pushed events are dispatched by name", async () => {
  const client = await live();
  const seen = [];
  for (const name of ["rowsChanged", "sessionExpiring"])
    client.addEventListener(name, (event) => seen.push([name, event.detail]));
  latest().say({ event: "rowsChanged", payload: { by: "alice" } });
  latest().say({ event: "sessionExpiring", payload: { secondsLeft: 120 } });
  assert.deepEqual(seen, [
    ["rowsChanged", { by: "alice" }],
    ["sessionExpiring", { secondsLeft: 120 }],
  ]);
});

test("a drop ends reads with AWAY and refuses new ones", async () => {
  const client = await live();
  const asked = client.send("requestData", {});
  latest().drop();
  await assert.rejects(asked, { code: "AWAY" });
  await assert.rejects(client.send("requestData", {}), { code: "AWAY" });
});

test("edits that wait are counted by rows, and told when their number changes", async () => {
  const client = await live();
  const told = [];
  client.addEventListener("unanswered", ({ detail }) => told.push(detail));
  latest().drop();
  const saved = client.send("saveChanges", { changes: [{ changeId: "1" }, { changeId: "2" }, { changeId: "3" }] });
  assert.equal(client.unanswered, 3);
  const read = client.send("getTables", {}).catch(() => undefined);
  await read;
  client.retry();
  latest().welcome();
  await settled();
  latest().answer("saveChanges", "changesSaved", { saved: 3 });
  await saved;
  assert.deepEqual(told, [3, 0]);
});

test("writes under way and writes made while away are sent once after, with the same ids and in order", async () => {
  const client = await live();
  const first = client.send("saveCell", { newValue: 1 }, { id: "w1" });
  latest().drop();
  const second = client.send("deleteRow", { rowId: "2" }, { id: "w2" });
  assert.equal(client.unanswered, 2);
  client.retry();
  assert.equal(FakeSocket.all.length, 2);
  latest().welcome();
  await settled();
  assert.deepEqual(
    latest()
      .frames.slice(1)
      .map(({ command, id, payload }) => [command, id, payload]),
    [
      ["saveCell", "w1", { newValue: 1 }],
      ["deleteRow", "w2", { rowId: "2" }],
    ],
  );
  latest().answer("saveCell", "saveCellResult", { success: true });
  latest().answer("deleteRow", "deleteRowResult", { success: true });
  assert.equal((await first).payload.success, true);
  assert.equal((await second).payload.success, true);
  assert.equal(client.unanswered, 0);
});

test("writes wait through an expiry and a new sign-in", async () => {
  const client = await live();
  latest().drop(4002, "Session Expired");
  const asked = client.send("saveChanges", { changes: [] }, { id: "w3" });
  await settled();
  assert.equal(FakeSocket.all.length, 1);
  client.signedIn();
  latest().welcome();
  await settled();
  latest().answer("saveChanges", "changesSaved", { saved: 0 });
  assert.equal((await asked).event, "changesSaved");
});

test("the same id again while it is under way is the same command", async () => {
  const client = await live();
  const first = client.send("saveCell", {}, { id: "same" });
  const again = client.send("saveCell", {}, { id: "same" });
  assert.equal(latest().frames.filter((frame) => frame.id === "same").length, 1);
  latest().answer("saveCell", "saveCellResult", { success: true });
  assert.deepEqual(await first, await again);
});

test("background stands in the envelope only where asked", async () => {
  const client = await live();
  client.send("requestData", {}, { background: true }).catch(() => undefined);
  client.send("getNamespaces").catch(() => undefined);
  assert.deepEqual(
    latest()
      .frames.slice(-2)
      .map((frame) => frame.background),
    [true, undefined],
  );
});

test("aborting a read sends cancel and rejects; its late answer is no one's", async () => {
  const client = await live();
  const abort = new AbortController();
  const asked = client.send("requestData", {}, { signal: abort.signal });
  const { id } = latest().frames.at(-1);
  abort.abort();
  await assert.rejects(asked, { code: "ABORTED" });
  assert.deepEqual(latest().frames.at(-1), { command: "cancel", payload: { id } });
  latest().say({ event: "tableData", payload: { rows: [] }, id });
  await assert.rejects(client.send("requestData", {}, { signal: abort.signal }), { code: "ABORTED" });
});

test("aborting a write that was sent asks the server to stop: only the answer can say what happened", async () => {
  const client = await live();
  const abort = new AbortController();
  const asked = client.send("saveCell", {}, { signal: abort.signal });
  const { id } = latest().frames.at(-1);
  abort.abort();
  assert.deepEqual(latest().frames.at(-1), { command: "cancel", payload: { id } });
  latest().answer("saveCell", "saveCellResult", { success: true });
  assert.equal((await asked).payload.success, true);
});

test("a write that had left and is aborted while away is sent again only to be stopped, and answers for itself", async () => {
  const client = await live();
  const abort = new AbortController();
  const asked = client.send("saveChanges", {}, { signal: abort.signal });
  const { id } = latest().frames.at(-1);
  latest().drop(1006);
  abort.abort();
  client.retry();
  latest().welcome();
  await settled();
  assert.deepEqual(latest().frames.slice(-2), [
    { command: "saveChanges", payload: {}, id },
    { command: "cancel", payload: { id } },
  ]);
  latest().say({ event: "changesSaved", payload: { saved: 1 }, id });
  assert.equal((await asked).payload.saved, 1);
});

test("a write that never left and is aborted while away is not sent at all", async () => {
  const client = await live();
  latest().drop(1006);
  const abort = new AbortController();
  const asked = client.send("saveChanges", {}, { signal: abort.signal });
  abort.abort();
  await assert.rejects(asked, { code: "ABORTED" });
  client.retry();
  latest().welcome();
  await settled();
  assert.equal(
    latest().frames.some(({ command }) => command === "saveChanges"),
    false,
  );
});

test("a command larger than the server takes is refused here", async () => {
  const client = await live({ bytesMax: 2000 });
  const sent = latest().frames.length;
  await assert.rejects(client.send("saveCell", { newValue: "é".repeat(1500) }), { code: "INVALID_INPUT" });
  assert.equal(latest().frames.length, sent);
});

test("1009 gives up the largest command, keeps the other writes and stops", async () => {
  const client = await live();
  const large = client.send("saveCell", { newValue: "x".repeat(5000) });
  const small = client.send("saveCell", { newValue: "y" }, { id: "small" });
  latest().drop(1009);
  await assert.rejects(large, { code: "INVALID_INPUT" });
  assert.equal(client.situation.blocked, true);
  client.retry();
  latest().welcome();
  latest().say({ event: "saveCellResult", payload: { success: true }, id: "small" });
  assert.equal((await small).payload.success, true);
});

test("the state is told with its reason", async () => {
  const client = await live();
  const seen = [];
  client.addEventListener("state", (event) =>
    seen.push([event.detail.state, event.detail.why, event.detail.retryAt !== null]),
  );
  latest().drop(1012);
  latest().drop(1012); // a socket that is no longer the client's says nothing
  assert.deepEqual(seen, [["away", "restart", true]]);
});

test("ids are what the server accepts, and do not repeat", () => {
  const ids = new Set(Array.from({ length: 1000 }, () => newId()));
  assert.equal(ids.size, 1000);
  for (const id of ids) assert.match(id, /^[A-Za-z0-9_-]{20}$/);
});

test("a socket of someone else's session gets nothing of this page", async () => {
  const client = await live({ belongs: (session) => session.user === "_SYSTEM" });
  const asked = client.send("saveCell", {}, { id: "mine" });
  latest().drop();
  client.retry();
  latest().accept();
  latest().answer("getSession", "session", { user: "alice" });
  await settled();
  assert.deepEqual(latest().commands, ["getSession"]);
  assert.deepEqual([client.state, client.situation.why], ["signedOut", "otherUser"]);
  client.signedIn();
  latest().welcome();
  await settled();
  latest().say({ event: "saveCellResult", payload: { success: true }, id: "mine" });
  assert.equal((await asked).payload.success, true);
});

test("a write whose result the server may have forgotten is ended as unknown, never sent again", async (context) => {
  context.mock.timers.enable({ apis: ["Date", "setInterval", "setTimeout"], now: 1_000_000 });
  const client = await live();
  client.times.learn({ writeResultSeconds: 100 });
  const lost = client.send("saveChanges", { changes: [{}] });
  lost.catch(() => undefined);
  latest().drop();
  const waiting = client.send("saveChanges", { changes: [{}] });
  waiting.catch(() => undefined);
  context.mock.timers.tick(95_000);
  await assert.rejects(lost, { code: "OUTCOME_UNKNOWN" });
  latest().welcome();
  await settled();
  await assert.rejects(waiting, { code: "STALE" });
  assert.deepEqual(latest().commands, ["getSession"]);
});

test("a write that was lost a moment ago is sent again, and its refusal says so", async () => {
  const client = await live();
  const lost = client.send("saveChanges", { changes: [{}] });
  latest().drop();
  client.retry();
  latest().welcome();
  await settled();
  latest().answer("saveChanges", "error", { code: "RATE_LIMITED", message: "" });
  await assert.rejects(lost, { code: "RATE_LIMITED", resent: true });
});

test("what is sent keeps to the pace that the server takes, in its order", async () => {
  const client = await live({ pace: { rate: 50, burst: 10 } });
  const socket = latest();
  const before = socket.frames.length;
  const answers = Array.from({ length: 20 }, (_, n) => client.send("countRows", { n }));
  assert.ok(socket.frames.length - before <= 8, `${socket.frames.length - before} at once`);
  const start = performance.now();
  while (socket.frames.length - before < 20) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(performance.now() - start > 200, "the rest takes its time");
  assert.deepEqual(
    socket.frames.slice(before).map(({ payload }) => payload.n),
    Array.from({ length: 20 }, (_, n) => n),
  );
  for (const { id } of socket.frames.slice(before)) socket.say({ event: "rowCount", payload: {}, id });
  await Promise.all(answers);
});
