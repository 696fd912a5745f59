// The status bar: connection, table, rows, selection, staged edits, what was done, how long it took.

import { T, edits } from "../texts.js";
import { el, icon } from "../ui/dom.js";

const MESSAGE_FOR = 6000;

/** Emits "do" ({action}) for its buttons: retry, count, stopCounting, stopSaving, showReview. */
export class StatusBar extends EventTarget {
  #parts;
  #situation = null;
  #waiting = 0;
  #ticker = null;
  #forget = null;
  #veiled = false;

  /** @param {HTMLElement} root @param {{user: string}} facts */
  constructor(root, { user }) {
    super();
    const slot = (name, properties = {}) => el("span", { ...properties, data: { part: `status-${name}` } });
    this.#parts = {
      connection: slot("connection"), // no live region: it counts seconds; the frame announces what happens
      table: slot("table", { class: "table-name", hidden: true }),
      lock: slot("lock", { hidden: true }),
      rows: slot("rows", { hidden: true }),
      selection: slot("selection", { hidden: true }),
      pending: slot("pending", { class: "changes", hidden: true }),
      message: slot("message", { class: "message" }),
      query: slot("query", { hidden: true }),
    };
    const { connection, table, lock, message, query, ...rest } = this.#parts;
    root.append(
      connection,
      table,
      el("span", { class: "wide" }, user),
      lock,
      ...Object.values(rest),
      el("span", { class: "tail" }, message, query),
    );
  }

  /** Show the client's situation: {state, why, detail, blocked, retryAt}. */
  connection(situation) {
    this.#situation = situation;
    const { state, blocked, retryAt } = situation;
    clearInterval(this.#ticker);
    const slot = this.#parts.connection;
    slot.dataset.state = state;
    slot.classList.toggle("off", state === "away" || state === "signedOut");
    if (state === "live") slot.replaceChildren(el("span", { class: "pulse" }), T.live);
    else if (state === "connecting") slot.replaceChildren(el("span", { class: "pulse pulse-wait" }), T.connecting);
    else if (state === "signedOut") slot.replaceChildren(icon("wifi-off", { small: true }), T.signedOut);
    else {
      const again = el(
        "button",
        { class: "link", type: "button", on: { click: () => this.#do("retry") } },
        blocked ? T.reconnect : T.retryNow,
      );
      slot.replaceChildren(icon("wifi-off", { small: true }), el("span"), again);
      if (!blocked && retryAt) this.#ticker = setInterval(() => this.#count(), 1000);
    }
    this.#count();
  }

  /** How many edits are on their way to the server. */
  set waiting(count) {
    this.#waiting = count;
    this.#count();
  }

  /** Until when, with how many edits: while the connection is away. */
  #count() {
    if (!this.#situation) return;
    const { state, why, detail, blocked, retryAt } = this.#situation;
    const waiting = state === "away" ? this.#waiting : 0;
    const slot = this.#parts.connection;
    slot.title = [T.why[why] ?? "", detail, T.keptEdits(waiting)].filter(Boolean).join(" ");
    if (state !== "away") return;
    const said = blocked ? T.stopped : T.away(retryAt ? Math.ceil((retryAt - Date.now()) / 1000) : 0);
    slot.querySelector("span").textContent = waiting ? `${said} · ${T.waiting(waiting)}` : said;
  }

  /** Say nothing of any row, as long as nobody is signed in. */
  set veiled(veiled) {
    this.#veiled = veiled;
    for (const name of ["selection", "message"]) {
      fill(this.#parts[name], null);
      this.#parts[name].removeAttribute("title");
    }
    this.#parts.message.hidden = false;
  }

  /** Show a table's status; null clears it. */
  table(tab) {
    const { table, lock, rows, selection, pending, query } = this.#parts;
    const status = tab?.status ?? {};
    const name = tab ? `${tab.namespace}.${tab.table}` : "";
    fill(table, name);
    table.title = name;
    fill(lock, status.readOnly ? [icon("lock", { small: true }), T.readOnly.replace(".", "")] : null);
    lock.title = status.readOnly?.reason ?? "";
    this.#rows(rows, status);
    fill(selection, this.#veiled ? null : selectionText(status.selection));
    const text = edits(tab?.pending ?? {});
    const { saving, undecided } = status;
    const progress = saving?.all ? T.savingRows(saving.done, saving.all) : saving ? T.savingNow : null;
    const said = progress ?? text;
    const more = saving?.all
      ? this.#button(T.stopSaving, "stopSaving")
      : undecided
        ? this.#button(T.undecided(undecided), "showReview")
        : null;
    // Rebuilt only when its text changes: a button keeps its focus.
    const key = `${said} ${saving?.all ? "stop" : undecided}`;
    if (pending.dataset.key !== key || !said) {
      pending.dataset.key = key;
      const focused = pending.contains(document.activeElement);
      fill(pending, said ? [el("span", { class: "staged" }), said, more].filter(Boolean) : null);
      if (focused) pending.querySelector("button")?.focus();
    }
    const { at, ms, roundTrips } = status.lastQuery ?? {};
    fill(query, at ? T.query(new Date(at).toTimeString().slice(0, 8), ms) : null);
    query.title = at ? T.lastQuery(roundTrips) : "";
  }

  /** Say what was done, for a while; null: it is over, or something went wrong since. */
  message(text) {
    clearTimeout(this.#forget);
    const slot = this.#parts.message;
    slot.removeAttribute("title");
    if (!text || this.#veiled) return slot.replaceChildren();
    slot.title = text;
    slot.replaceChildren(icon("check", { small: true }), el("span", { class: "said" }, text));
    this.#forget = setTimeout(() => this.message(null), MESSAGE_FOR);
  }

  #rows(slot, { range, total, countState, counting }) {
    const text = range ? T.rows(range[0], range[1], total, countState) : "";
    if (!text) return fill(slot, null);
    if (counting) fill(slot, [text, el("span", {}, T.counting), this.#button(T.stopCounting, "stopCounting")]);
    else
      fill(
        slot,
        countState === "estimate" || countState === "skipped" ? [text, this.#button(T.countExactly, "count")] : text,
      );
  }

  #button(label, action) {
    return el("button", { class: "link", type: "button", on: { click: () => this.#do(action) } }, label);
  }

  #do(action) {
    this.dispatchEvent(new CustomEvent("do", { detail: { action } }));
  }
}

function fill(slot, content) {
  slot.hidden = !content || content.length === 0;
  slot.replaceChildren(...(slot.hidden ? [] : [content].flat()));
}

function selectionText(selection) {
  if (!selection || (selection.rows ?? 0) * (selection.columns ?? 0) <= 1) return null;
  const { sum, avg, nulls } = selection;
  const known = (value) => value !== undefined && value !== null;
  return [
    T.selection(selection),
    known(sum) && T.sum(String(sum)),
    known(avg) && T.average(String(avg)),
    nulls && T.nulls(nulls),
  ]
    .filter(Boolean)
    .join(" · ");
}
