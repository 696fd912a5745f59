// Commands and their answers: which event ends which command, what a lost connection does to each.
// Pure bookkeeping; the client owns the socket.

import { CommandError } from "./command-error.js";
import { WRITES } from "./protocol.js";
import { T } from "../texts.js";

/**
 * The event that ends an answer of more than one event; every other command is answered by one.
 * @type {Map<import("./protocol.js").CommandName, import("./protocol.js").EventName>}
 */
const LAST = new Map([
  ["selectTable", "tableData"],
  ["openTable", "tableData"],
  ["requestData", "tableData"],
  ["refresh", "tableData"],
  ["refreshData", "tableData"],
  ["paginate", "tableData"],
  ["paginateNext", "tableData"],
  ["paginatePrev", "tableData"],
  ["saveChanges", "changesSaved"],
  ["followTable", "tableFollowed"],
]);

export const isWrite = (command) => WRITES.has(command);

/**
 * An id the server accepts (1-64 of A-Z a-z 0-9 _ -), unique over reloads and tabs, because answers to writes are kept
 * by it.
 */
export function newId(random = (bytes) => crypto.getRandomValues(bytes)) {
  const bytes = random(new Uint8Array(15));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}

/**
 * A clock of the browser may be set, and its steady one stand still while the computer sleeps: the older age counts.
 */
const made = () => ({ made: Date.now(), madeSteady: performance.now() });
const age = (exchange) => Math.max(Date.now() - exchange.made, performance.now() - exchange.madeSteady);

export class Exchanges {
  #open = new Map(); // id -> exchange, in the order of sending
  #late = new Map(); // id -> exchange answered already, whose count is still to come

  /** How many edits have no answer yet: a command may save many rows. */
  get edits() {
    let count = 0;
    for (const exchange of this.#open.values()) if (exchange.write) count += exchange.payload.changes?.length ?? 1;
    return count;
  }

  /** Begin: gives the exchange; its `promise` settles with the answer. */
  start(command, payload, { background = false, onEvent = null, id = newId() } = {}) {
    if (this.#open.has(id)) return this.#open.get(id);
    /** @type {any} */
    const exchange = {
      id,
      command,
      payload,
      background,
      onEvent,
      write: isWrite(command),
      sent: false,
      bytes: 0,
      times: 0,
      ...made(),
    };
    exchange.promise = new Promise((resolve, reject) => Object.assign(exchange, { resolve, reject }));
    this.#open.set(id, exchange);
    return exchange;
  }

  /** An event arrived that carries `id`. Says whether a command was waiting for it. */
  receive(id, event, payload) {
    const late = this.#late.get(id);
    if (late) {
      if (event === "rowCount" || event === "error") this.#late.delete(id);
      late.onEvent?.(event, payload);
      return true;
    }
    const exchange = this.#open.get(id);
    if (!exchange) return false;
    exchange.onEvent?.(event, payload);
    if (event === "error") {
      this.#open.delete(id);
      exchange.reject(Object.assign(new CommandError(payload), { resent: exchange.times > 1 }));
    } else if (event === (LAST.get(exchange.command) ?? event)) {
      this.#open.delete(id);
      if (payload.countState === "pending") this.#late.set(id, exchange);
      exchange.resolve({ event, payload });
    }
    return true;
  }

  /**
   * The caller no longer wants the answer. True for a read that is on its way; a write's answer is still waited for.
   */
  abandon(exchange) {
    this.#late.delete(exchange.id);
    if (this.#open.get(exchange.id) !== exchange) return false;
    // A write that has left, even over a connection that is gone, may have been run; only its answer can say.
    if (exchange.write && exchange.left) return false;
    this.#open.delete(exchange.id);
    exchange.reject(new CommandError({ code: "ABORTED", message: "No longer wanted", context: exchange.command }));
    return exchange.sent;
  }

  /** The connection is gone: reads end with AWAY, writes stay for the next one. */
  lost() {
    this.#late.clear();
    for (const exchange of [...this.#open.values()]) {
      if (exchange.write) {
        exchange.sent = false;
      } else {
        this.#open.delete(exchange.id);
        exchange.reject(
          new CommandError({ code: "AWAY", message: "The connection was lost", context: exchange.command }),
        );
      }
    }
  }

  /**
   * End the writes that wait for a connection and whose result the server may forget before they are sent again: sent
   * again after that they would be run twice. One that never left just is not sent under this id.
   */
  expire(isOver, waiting = this.unsent()) {
    for (const exchange of waiting) {
      if (!exchange.write || !isOver(age(exchange))) continue;
      this.#open.delete(exchange.id);
      const context = exchange.command;
      exchange.reject(
        new CommandError(
          exchange.left
            ? { code: "OUTCOME_UNKNOWN", message: T.tooLate, context }
            : { code: "STALE", message: T.tooLate, context },
        ),
      );
    }
  }

  /** The server refused a frame as too large: the largest one under way is the one that it meant. */
  tooLarge() {
    const sent = [...this.#open.values()].filter((exchange) => exchange.sent);
    const largest = sent.sort((a, b) => b.bytes - a.bytes)[0];
    if (!largest) return;
    this.#open.delete(largest.id);
    largest.reject(
      new CommandError({
        code: "INVALID_INPUT",
        message: "The message is too large for the server",
        context: largest.command,
      }),
    );
  }

  /** Everything that still has to be sent, in order. */
  unsent() {
    return [...this.#open.values()].filter((exchange) => !exchange.sent);
  }
}
