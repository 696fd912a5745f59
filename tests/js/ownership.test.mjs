import assert from "node:assert/strict";
import { test } from "node:test";

import { Ownership } from "../../static/js/net/ownership.js";

/** Locks as a browser has them, as far as they are used. */
function lockManager() {
  const held = new Map();
  return {
    async request(name, { ifAvailable, signal }, run) {
      while (held.has(name)) {
        if (ifAvailable) return run(null);
        await Promise.race([
          held.get(name),
          new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
        ]);
      }
      const done = run({ name });
      held.set(name, done);
      await done;
      held.delete(name);
      return undefined;
    },
  };
}

const forbidden = { request: () => Promise.reject(new DOMException("no", "SecurityError")) };
const apis = {
  "Web Locks": () => ({ locks: lockManager() }),
  "a channel": () => ({ locks: undefined }),
  "forbidden locks": () => ({ locks: forbidden }),
};

for (const [name, make] of Object.entries(apis)) {
  test(`one owner by ${name}`, async () => {
    const shared = make();
    const [a, b, c] = [1, 2, 3].map(() => new Ownership(shared));
    try {
      assert.equal(await a.own("draft"), true);
      assert.equal(await a.own("draft"), true, "it is owned already");
      assert.equal(await b.own("draft"), false);
      assert.equal(await b.own("other"), true);
      const waiting = b.own("draft", 5_000);
      a.close();
      assert.equal(await waiting, true, "who waits for it gets it");
      assert.equal(await c.own("draft"), false);
    } finally {
      for (const each of [a, b, c]) each.close();
    }
  });

  test(`of tabs that ask together only one owns, by ${name}`, async () => {
    const shared = make();
    const all = Array.from({ length: 4 }, () => new Ownership(shared));
    try {
      const owned = await Promise.all(all.map((each) => each.own("draft")));
      assert.equal(owned.filter(Boolean).length, 1);
    } finally {
      for (const each of all) each.close();
    }
  });
}

test("a browser with neither asks nobody", async () => {
  assert.equal(await new Ownership({ locks: undefined, Channel: null }).own("draft"), true);
});
