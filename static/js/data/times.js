// The server's clock, how long it keeps the result of a write, and ids that carry their time.

/** Part of the server's time after which the page no longer relies on a result that is kept. */
const RELIED = 0.9;
const ID = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** A UUID of version 7 (RFC 9562 section 5.7) for a time in milliseconds. */
export function timedId(ms, random = crypto.getRandomValues(new Uint8Array(10))) {
  const hex =
    Math.floor(ms).toString(16).padStart(12, "0") +
    Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const variant = "89ab"[Number.parseInt(hex[16], 16) & 3];
  const [head, tail] = [`${hex.slice(0, 8)}-${hex.slice(8, 12)}`, `${hex.slice(17, 20)}-${hex.slice(20, 32)}`];
  return `${head}-7${hex.slice(13, 16)}-${variant}${tail}`;
}

/** The time of such an id in milliseconds; null for other ids. */
export function timeOf(id) {
  const found = ID.exec(id ?? "");
  return found ? Number.parseInt(found[1] + found[2], 16) : null;
}

/** What the page knows of the server's times; `now` is the clock of the browser. */
export class ServerTimes {
  kept = 600_000; // ms that the result of a write is kept
  doubt = 65_000; // ms in which a statement whose answer was lost may still take effect
  #ahead = 0; // of the server's clock, ms

  constructor(now = Date.now) {
    this.clock = now;
  }

  /** Take over what the event `session` says. */
  learn({ serverTime, writeResultSeconds, doubtSeconds }) {
    if (serverTime) this.#ahead = serverTime - this.clock();
    if (writeResultSeconds) this.kept = writeResultSeconds * 1000;
    if (doubtSeconds) this.doubt = doubtSeconds * 1000;
  }

  /** An id that the server can refuse once it may have forgotten its result. */
  newId() {
    return timedId(this.clock() + this.#ahead);
  }

  /** Whether so much time has passed that the server may soon forget a write. */
  isOver(ms) {
    return ms > this.kept * RELIED;
  }

  /** Whether the server still knows the result of a write that was sent. */
  remembers({ changeId, at }) {
    const made = timeOf(changeId);
    return !this.isOver(made === null ? this.clock() - at : this.clock() + this.#ahead - made);
  }

  /** How long a write that was sent may still take effect, in ms. */
  doubtLeft({ at }) {
    return Math.max(0, at + this.doubt - this.clock());
  }
}
