// The page's one WebSocket: commands out, answers and pushed events in, back by itself after a drop.

import { parse, stringify } from "../data/json.js";
import { ServerTimes } from "../data/times.js";
import { CommandError } from "./command-error.js";
import { START, step } from "./connection.js";
import { Exchanges, isWrite } from "./exchanges.js";
import { Heartbeat } from "./heartbeat.js";
import { Pace } from "./pace.js";
import { CLOSE } from "./protocol.js";

export { CommandError };

const TICK = 5_000;
const NORMAL = 1000;

/**
 * Speaks the protocol of the server over one WebSocket.
 *
 * Emits "state" ({state, why, detail, blocked, retryAt}), "unanswered" (how many edits wait for an answer) and every
 * pushed event by its name; `detail` is the payload.
 */
export class Client extends EventTarget {
  #url;
  #Socket;
  #belongs;
  #bytesMax;
  /** @type {{state: string, why?: any, detail?: string, blocked?: boolean}} */
  #life = START;
  #socket = null;
  #exchanges = new Exchanges();
  #heartbeat = new Heartbeat();
  #pace;
  #paceTimer = null; // while messages wait for their turn
  #timer = null; // of the next attempt
  #ticker = null;
  #retryAt = null;
  #stopped = false;
  times = new ServerTimes();

  /**
   * @param {object} options
   * @param {string} options.url address of the socket, absolute or from the page's origin
   * @param {(session: object) => boolean} [options.belongs] whether a session is the one this page was made for
   * @param {number} [options.bytesMax] the largest frame the server takes
   * @param {{rate?: number, burst?: number}} [options.pace] messages a second, and at once, that the server takes
   * @param {typeof WebSocket} [options.Socket]
   */
  constructor({ url, belongs = () => true, bytesMax = 1024 * 1024, pace = {}, Socket = globalThis.WebSocket }) {
    super();
    const address = new URL(url, globalThis.location?.href);
    address.protocol = address.protocol.replace("http", "ws");
    this.#url = address.href;
    this.#belongs = belongs;
    this.#bytesMax = bytesMax;
    this.#pace = new Pace(pace);
    this.#Socket = Socket;
  }

  /** "connecting" | "live" | "away" | "signedOut" */
  get state() {
    return this.#life.state;
  }

  /** What the page says about the connection: {state, why, detail, blocked, retryAt}. */
  get situation() {
    const { state, why, detail = "", blocked } = this.#life;
    return { state, why, detail, blocked, retryAt: this.#retryAt };
  }

  /** How many edits wait for an answer. */
  get unanswered() {
    return this.#exchanges.edits;
  }

  /** Connect, and stay connected. */
  start() {
    this.#ticker ??= setInterval(() => this.#beat(), TICK);
    globalThis.addEventListener?.("online", this.#wake);
    globalThis.addEventListener?.("pageshow", this.#wake);
    globalThis.document?.addEventListener("visibilitychange", this.#wake);
    this.#connect();
  }

  /** Close for good. */
  stop() {
    clearTimeout(this.#paceTimer);
    this.#stopped = true;
    clearInterval(this.#ticker);
    clearTimeout(this.#timer);
    globalThis.removeEventListener?.("online", this.#wake);
    globalThis.removeEventListener?.("pageshow", this.#wake);
    globalThis.document?.removeEventListener("visibilitychange", this.#wake);
    this.#socket?.close(NORMAL);
  }

  /** The person signed in again. */
  signedIn() {
    this.#happen({ type: "signedIn" });
  }

  /** The person asks to try now. */
  retry() {
    this.#happen({ type: "retry" });
  }

  /**
   * Send one command.
   *
   * Resolves with the last event of the answer. Writes wait while the connection is away and are sent again with the
   * same id; reads are refused then with code AWAY.
   *
   * @param {import("./protocol.js").CommandName} command
   * @param {object} [payload]
   * @param {{background?: boolean, onEvent?: (event: string, payload: object) => void, signal?: AbortSignal, id?:
   *   string}} [options]
   * @returns {Promise<{event: string, payload: object}>}
   */
  async send(command, payload = {}, { background = false, onEvent = null, signal = null, id = undefined } = {}) {
    if (signal?.aborted) throw aborted(command);
    if (!isWrite(command) && (this.state === "away" || this.state === "signedOut")) {
      throw new CommandError({ code: "AWAY", message: "There is no connection at the moment", context: command });
    }
    const exchange = this.#exchanges.start(command, payload, { background, onEvent, ...(id ? { id } : {}) });
    const abort = () => {
      exchange.stopped = true;
      if (this.#exchanges.abandon(exchange) || (exchange.write && exchange.sent))
        this.#write({ command: "cancel", payload: { id: exchange.id } });
    };
    signal?.addEventListener("abort", abort, { once: true });
    if (this.state === "live" && !exchange.sent) this.#dispatch(exchange);
    if (exchange.write) this.#emit("unanswered", this.unanswered);
    try {
      return await exchange.promise;
    } finally {
      signal?.removeEventListener("abort", abort);
      if (exchange.write) this.#emit("unanswered", this.unanswered);
    }
  }

  #wake = () => {
    if (globalThis.document?.visibilityState === "hidden") return;
    this.#happen({ type: "wake" });
    if (this.state === "live") this.#beat();
  };

  #connect() {
    clearTimeout(this.#timer);
    if (this.#stopped || (this.#socket && this.#socket.readyState < this.#Socket.CLOSING)) return;
    this.#retryAt = null;
    const socket = new this.#Socket(this.#url);
    this.#socket = socket;
    socket.addEventListener("open", () => this.#opened(socket));
    socket.addEventListener("message", (message) => this.#received(socket, message.data));
    socket.addEventListener("close", (close) => this.#closed(socket, close));
  }

  #opened(socket) {
    if (socket !== this.#socket) return;
    this.#heartbeat.heard(Date.now());
    this.#pace.reset();
    this.#probe(socket);
  }

  /**
   * An accepted socket is not yet a session: the server accepts, then closes with 4001. And after a drop the cookie may
   * belong to another sign-in. So the first answer makes it live, and no write leaves before it. Only the reads of a
   * page that has just been served go out behind the question at once.
   */
  #probe(socket) {
    const first = this.state === "connecting";
    const probe = this.#exchanges.start("getSession", {}, { background: true });
    const live = (session) => socket === this.#socket && this.#live(session);
    probe.promise.then(
      ({ payload }) => live(payload),
      (error) => error.code !== "AWAY" && live(null), // the close that ended it says why
    );
    this.#dispatch(probe);
    if (first) this.#dispatchWaiting((exchange) => !exchange.write);
  }

  #live(session) {
    if (session && !this.#belongs(session)) {
      this.#socket.close(NORMAL);
      this.#socket = null;
      this.#exchanges.lost();
      this.#happen({ type: "foreign" });
      this.#emit("session", session);
      return;
    }
    if (session) this.times.learn(session);
    this.#happen({ type: "open" });
    if (session) this.#emit("session", session);
    this.#expire();
    this.#dispatchWaiting();
  }

  /** @param {(exchange: object) => boolean} [wanted] */
  #dispatchWaiting(wanted = () => true) {
    for (const exchange of this.#exchanges.unsent()) if (wanted(exchange)) this.#dispatch(exchange);
  }

  #received(socket, text) {
    if (socket !== this.#socket) return;
    this.#heartbeat.heard(Date.now());
    const { event, payload, id } = parse(text);
    if (id !== undefined && this.#exchanges.receive(id, event, payload)) return;
    this.#emit(event, payload);
  }

  #closed(socket, { code, reason }) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#paceTimer);
    this.#paceTimer = null;
    if (this.#stopped) return;
    if (code === CLOSE.TOO_LARGE) this.#exchanges.tooLarge();
    this.#exchanges.lost();
    this.#happen({ type: "close", code, reason });
  }

  #happen(happening) {
    const { next, act } = step(this.#life, happening);
    const before = this.#life;
    this.#life = next;
    if (act.do === "connect") this.#connect();
    if (act.do === "wait") {
      clearTimeout(this.#timer);
      this.#retryAt = Date.now() + act.ms;
      this.#timer = setTimeout(() => this.#happen({ type: "due" }), act.ms);
    }
    if (before !== next || act.do !== "nothing") this.#emit("state", this.situation);
  }

  /** Writes that never left wait on; they are ended when the connection is back, and saved under new ids. */
  #expire() {
    const waiting = this.#exchanges.unsent().filter((exchange) => exchange.left || this.state === "live");
    this.#exchanges.expire((ms) => this.times.isOver(ms), waiting);
  }

  #beat() {
    if (this.state !== "live") return this.#expire();
    const verdict = this.#heartbeat.tick(Date.now());
    if (verdict === "ask") {
      this.send("getSession", {}, { background: true }).then(
        ({ payload }) => {
          this.times.learn(payload);
          this.#emit("session", payload);
        },
        () => undefined, // a drop is reported by the close
      );
    } else if (verdict === "dead") {
      const socket = this.#socket;
      socket.close();
      this.#closed(socket, { code: 1006, reason: "" });
    }
  }

  /** Send a command, or let it wait for its turn behind those that wait already. */
  #dispatch(exchange) {
    if (this.#paceTimer !== null) return;
    const { id, command, payload, background } = exchange;
    const text = stringify(background ? { command, payload, id, background } : { command, payload, id });
    exchange.bytes = text.length > this.#bytesMax / 4 ? new TextEncoder().encode(text).length : text.length;
    const tooLarge = exchange.bytes > this.#bytesMax;
    const wait = tooLarge ? 0 : this.#pace.wait(exchange.bytes);
    if (wait > 0) {
      this.#paceTimer = setTimeout(() => {
        this.#paceTimer = null;
        if (this.state === "live") this.#dispatchWaiting();
      }, wait);
      return;
    }
    exchange.sent = exchange.left = true;
    exchange.times++;
    if (tooLarge) {
      this.#exchanges.receive(id, "error", {
        code: "INVALID_INPUT",
        message: "This is too large to send at once",
        context: command,
      });
      return;
    }
    this.#pace.take(exchange.bytes);
    this.#socket.send(text);
    if (exchange.stopped) this.#write({ command: "cancel", payload: { id } });
  }

  #write(message) {
    if (this.#socket?.readyState !== this.#Socket.OPEN) return;
    const text = stringify(message);
    this.#pace.take(text.length);
    this.#socket.send(text);
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function aborted(command) {
  return new CommandError({ code: "ABORTED", message: "No longer wanted", context: command });
}
