// One owner for a name among the tabs of one browser: by Web Locks, else by asking the other tabs over a
// BroadcastChannel.

const CHANNEL = "iris-quart:owners";
const ANSWER = 150; // ms in which an owner answers

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const token = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");

/** Names that this page owns, until it releases them or goes away. */
export class Ownership {
  #held = new Map(); // name -> function that releases it
  #channel = null;
  #asking = new Map(); // name -> {token, refused}

  /**
   * @param {{locks?: LockManager, Channel?: typeof BroadcastChannel}} apis what the browser has: an insecure page has
   * no locks
   */
  constructor({ locks = globalThis.navigator?.locks, Channel = globalThis.BroadcastChannel } = {}) {
    this.locks = locks;
    this.Channel = Channel;
  }

  /** Own a name; false when another tab owns it and keeps it for `wait` ms. */
  async own(name, wait = 0) {
    if (this.#held.has(name)) return true;
    const release = await (this.locks ? this.#lock(name, wait) : this.#ask(name, wait));
    if (release) this.#held.set(name, release);
    return release !== null;
  }

  release(name) {
    this.#held.get(name)?.();
    this.#held.delete(name);
  }

  close() {
    for (const name of [...this.#held.keys()]) this.release(name);
    this.#channel?.close();
    this.#channel = null;
  }

  #lock(name, wait) {
    return new Promise((resolve) => {
      const options = wait ? { signal: AbortSignal.timeout(wait) } : { ifAvailable: true };
      const held = (lock) => (lock ? new Promise((release) => resolve(release)) : resolve(null));
      this.locks.request(name, options, held).catch(({ name: why }) => {
        if (why === "TimeoutError" || why === "AbortError") return resolve(null);
        this.locks = null; // a browser that has locks but forbids them
        return resolve(this.#ask(name, wait));
      });
    });
  }

  async #ask(name, wait) {
    if (!this.Channel) return () => undefined; // no tab can be asked
    const end = Date.now() + wait;
    do if (await this.#isFree(name)) return () => undefined;
    while (Date.now() < end);
    return null;
  }

  async #isFree(name) {
    this.#listen();
    const question = { token: token(), refused: false };
    this.#asking.set(name, question);
    this.#channel.postMessage({ type: "ask", name, token: question.token });
    await later(ANSWER);
    if (this.#asking.get(name) === question) this.#asking.delete(name);
    return !question.refused;
  }

  #listen() {
    if (this.#channel) return;
    this.#channel = new this.Channel(CHANNEL);
    this.#channel.addEventListener("message", ({ data }) => {
      const mine = this.#asking.get(data.name);
      if (data.type === "owned") {
        if (mine?.token === data.token) mine.refused = true;
      } else if (this.#held.has(data.name) || (mine && mine.token < data.token)) {
        this.#channel.postMessage({ type: "owned", name: data.name, token: data.token });
      } else if (mine) mine.refused = true; // of two that ask at the same time, the one with the smaller token goes on
    });
  }
}
