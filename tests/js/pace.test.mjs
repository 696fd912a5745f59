import assert from "node:assert/strict";
import { test } from "node:test";

import { Pace } from "../../static/js/net/pace.js";

test("no more leaves than is allowed at once and in a second", () => {
  let now = 0;
  const pace = new Pace({ rate: 40, burst: 200, now: () => now });
  let sent = 0;
  const send = () => {
    while (pace.wait() === 0) {
      pace.take();
      sent++;
    }
  };
  send();
  assert.equal(sent, 160);
  for (; now < 10_000; now += pace.wait()) send();
  assert.ok(sent <= 160 + 330, String(sent));
  assert.ok(sent >= 160 + 300, String(sent));
  pace.take();
  assert.ok(pace.wait() > 0);
  pace.reset();
  assert.equal(pace.wait(), 0);
});

test("bytes are counted as well, and a message larger than the bucket leaves from a full one", () => {
  let now = 0;
  const pace = new Pace({ rate: 1000, burst: 1000, bytesRate: 1_000, bytesBurst: 10_000, now: () => now });
  pace.take(8_000);
  assert.equal(pace.wait(800), 1_000);
  pace.reset();
  assert.equal(pace.wait(800), 1_000, "a new socket has no new bytes");
  now = 60_000;
  assert.equal(pace.wait(50_000), 0);
});
