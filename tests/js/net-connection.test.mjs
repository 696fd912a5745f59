import assert from "node:assert/strict";
import { test } from "node:test";

import { backoff, restartWait } from "../../static/js/net/backoff.js";
import { START, step } from "../../static/js/net/connection.js";
import { CLOSE } from "../../static/js/net/protocol.js";
import { Heartbeat } from "../../static/js/net/heartbeat.js";

const most = () => 1;
const least = () => 0;

/** Walk through happenings; gives the last step and every act. */
function walk(happenings, { from = START, random = most } = {}) {
  let now = from;
  const acts = [];
  for (const happening of happenings) {
    const { next, act } = step(now, happening, random);
    now = next;
    acts.push(act);
  }
  return { now, acts, act: acts.at(-1) };
}

const close = (code, reason) => ({ type: "close", code, reason });

test("waits grow from half a second to thirty, with full jitter", () => {
  assert.deepEqual(
    [0, 1, 2, 5, 6, 7, 50].map((n) => backoff(n, most)),
    [500, 1000, 2000, 16000, 30000, 30000, 30000],
  );
  assert.deepEqual(
    [0, 6].map((n) => backoff(n, least)),
    [0, 0],
  );
});

test("after a restart the first dozen attempts come within a second each", () => {
  for (let attempt = 0; attempt < 12; attempt += 1) {
    assert.ok(restartWait(attempt, most) <= 1000);
    assert.ok(restartWait(attempt, least) >= 200);
  }
  assert.equal(restartWait(13, most), 1000);
  assert.equal(restartWait(40, most), 30_000);
});

test("a page that opens is live, and forgets earlier attempts", () => {
  const { now, act } = walk([{ type: "open" }], { from: { ...START, state: "away", attempt: 9, why: "lost" } });
  assert.deepEqual(now, { state: "live", attempt: 0, why: null, blocked: false, restarting: false });
  assert.equal(act.do, "nothing");
});

test("a drop waits and tries again, without a limit", () => {
  const happenings = [{ type: "open" }];
  for (let n = 0; n < 200; n += 1) happenings.push(close(1006), { type: "due" });
  const { now, acts } = walk(happenings);
  assert.equal(now.state, "away");
  assert.equal(acts.filter((act) => act.do === "connect").length, 200);
  assert.deepEqual(
    acts
      .filter((act) => act.do === "wait")
      .map((act) => act.ms)
      .slice(0, 8),
    [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000],
  );
});

test("a failed first connection is tried again too", () => {
  const { now, act } = walk([close(1006)]);
  assert.equal(now.state, "away");
  assert.equal(act.do, "wait");
});

for (const code of [CLOSE.UNAUTHORIZED, CLOSE.SESSION_EXPIRED]) {
  test(`${code} asks for the password and waits for nothing else`, () => {
    const { now, act } = walk([{ type: "open" }, close(code)]);
    assert.equal(now.state, "signedOut");
    assert.equal(act.do, "signIn");
    for (const type of ["wake", "retry", "due"]) {
      assert.deepEqual(step(now, { type }).act, { do: "nothing" });
    }
    const back = step(now, { type: "signedIn" });
    assert.equal(back.act.do, "connect");
    assert.equal(back.next.state, "away");
  });
}

test("1008 comes back after a pause that nothing but the person cuts short, each time a longer one", () => {
  const { acts, now } = walk([
    { type: "open" },
    close(CLOSE.POLICY, "too many messages"),
    { type: "due" },
    close(CLOSE.POLICY),
  ]);
  const [first, second] = acts.filter((act) => act.do === "wait").map((act) => act.ms);
  assert.ok(first >= 3_000, String(first));
  assert.ok(second > first);
  assert.deepEqual([now.state, now.why, now.blocked], ["away", "policy", false]);
  assert.equal(step(now, { type: "wake" }).act.do, "nothing");
  assert.equal(step(now, { type: "due" }).act.do, "connect");
  assert.equal(step(now, { type: "retry" }).act.do, "connect");
});

for (const code of [CLOSE.TOO_LARGE]) {
  test(`${code} is not retried until the person says so`, () => {
    const { now, act } = walk([{ type: "open" }, close(code, "too fast")]);
    assert.equal(act.do, "stop");
    assert.equal(now.blocked, true);
    assert.equal(now.detail, "too fast");
    assert.equal(step(now, { type: "wake" }).act.do, "nothing");
    assert.equal(step(now, { type: "due" }).act.do, "nothing");
    assert.equal(step(now, { type: "retry" }).act.do, "connect");
  });
}

test("1012 comes back within three seconds, also when the first attempts fail", () => {
  const { acts, now } = walk([
    { type: "open" },
    close(1012),
    { type: "due" },
    close(1006),
    { type: "due" },
    close(1006),
  ]);
  const waits = acts.filter((act) => act.do === "wait").map((act) => act.ms);
  assert.equal(waits.length, 3);
  assert.ok(
    waits.every((ms) => ms <= 1000),
    String(waits),
  );
  assert.equal(now.why, "restart");
});

test("after a restart and a later drop the usual waits are back", () => {
  const { acts } = walk([
    { type: "open" },
    close(1012),
    { type: "due" },
    { type: "open" },
    close(1006),
    { type: "due" },
    close(1006),
  ]);
  assert.deepEqual(
    acts
      .filter((act) => act.do === "wait")
      .map((act) => act.ms)
      .slice(1),
    [500, 1000],
  );
});

test("network or tab back: at once, and from the shortest wait again", () => {
  const { now } = walk([{ type: "open" }, close(1006), close(1006), close(1006), close(1006), close(1006)]);
  const woken = step(now, { type: "wake" }, most);
  assert.equal(woken.act.do, "connect");
  assert.equal(step(woken.next, close(1006), most).act.ms, 1000);
  assert.equal(step({ ...START, state: "live" }, { type: "wake" }).act.do, "nothing");
});

test("an unknown happening is a mistake, not a state", () => {
  assert.throws(() => step(START, { type: "explode" }), TypeError);
});

test("the heartbeat asks after silence and gives up when the question stays open", () => {
  const heart = new Heartbeat({ every: 20, deadAfter: 45 });
  heart.heard(0);
  assert.equal(heart.tick(19), "wait");
  assert.equal(heart.tick(20), "ask");
  assert.equal(heart.tick(44), "wait");
  assert.equal(heart.tick(45), "dead");
});

test("an answer closes the question", () => {
  const heart = new Heartbeat({ every: 20, deadAfter: 45 });
  heart.heard(0);
  heart.tick(20);
  heart.heard(21);
  assert.equal(heart.tick(40), "wait");
  assert.equal(heart.tick(41), "ask");
});

test("a late tick of a hidden tab is not a dead server", () => {
  const heart = new Heartbeat({ every: 20, deadAfter: 45 });
  heart.heard(0);
  assert.equal(heart.tick(60), "ask");
  heart.heard(61);
  assert.equal(heart.tick(120), "ask");
});
