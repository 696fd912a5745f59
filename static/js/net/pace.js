// How fast messages may leave: the server closes a socket that sends more than it allows.

const SHARE = 0.8; // of what is allowed, as the way there may bunch messages together

/** What may leave now: `rate` more each second, never over `burst`. */
class Bucket {
  // Given to the constructor.
  burst;
  now;
  rate;

  constructor(rate, burst, now) {
    Object.assign(this, { rate: rate * SHARE, burst: Math.max(1, burst * SHARE), now });
    this.reset();
  }

  reset() {
    this.level = this.burst;
    this.at = this.now();
  }

  /** Milliseconds until `amount` may leave; more than fits at once waits for a full bucket. */
  wait(amount) {
    const now = this.now();
    this.level = Math.min(this.burst, this.level + ((now - this.at) / 1000) * this.rate);
    this.at = now;
    return Math.max(0, Math.ceil(((Math.min(amount, this.burst) - this.level) / this.rate) * 1000));
  }
}

/** The pace of one page, in messages and in bytes. */
export class Pace {
  /**
   * @param {{rate?: number, burst?: number, bytesRate?: number, bytesBurst?: number, now?: () => number}} limits
   *   what the server
   *   allows a second and at once, and a clock in milliseconds
   */
  constructor({
    rate = 40,
    burst = 200,
    bytesRate = Infinity,
    bytesBurst = Infinity,
    now = () => performance.now(),
  } = {}) {
    this.messages = new Bucket(rate, burst, now);
    this.bytes = Number.isFinite(bytesRate) ? new Bucket(bytesRate, bytesBurst, now) : null;
  }

  /** A new socket starts with all messages that may leave at once; bytes are counted beyond it. */
  reset() {
    this.messages.reset();
  }

  /** Milliseconds until a message of this size may leave. */
  wait(bytes = 0) {
    return Math.max(this.messages.wait(1), this.bytes?.wait(bytes) ?? 0);
  }

  /** A message leaves. */
  take(bytes = 0) {
    this.wait(bytes);
    this.messages.level -= 1;
    if (this.bytes) this.bytes.level -= bytes;
  }
}
