// Is the other end still there? Asks when it has been quiet, gives up when the question stays open.

export class Heartbeat {
  #every;
  #patience;
  #heardAt = 0;
  #askedAt = null; // when the open question was sent, or null

  /**
   * @param {{every?: number, deadAfter?: number}} limits milliseconds of silence before asking, and before giving up
   */
  constructor({ every = 20_000, deadAfter = 45_000 } = {}) {
    this.#every = every;
    this.#patience = deadAfter - every;
  }

  /** A frame arrived, or the socket opened. */
  heard(now) {
    this.#heardAt = now;
    this.#askedAt = null;
  }

  /**
   * What to do now: "ask", "dead" or "wait".
   *
   * Death is counted from the question, not from the last frame: a browser slows the timers of a hidden tab
   * to one a minute, and such a late tick alone says nothing about the server.
   */
  tick(now) {
    if (this.#askedAt !== null) return now - this.#askedAt >= this.#patience ? "dead" : "wait";
    if (now - this.#heardAt < this.#every) return "wait";
    this.#askedAt = now;
    return "ask";
  }
}
