// What stands in place of rows: nothing there, nothing found, not allowed, not readable; and the thin line of waiting.

import { el } from "../ui/dom.js";
import { T } from "./texts.js";

const WAIT_BEFORE_LINE = 400;
const WAIT_BEFORE_STOP = 2_000;

/** Overlays of one table's box. */
export class States {
  // Given to the constructor.
  refocus;
  box;
  stop;

  #overlay = null;
  #line = null;
  #timer = null;
  kind = null;

  #chip = null;
  #chipTimer = null;

  /** `refocus` puts the focus back when what had it is gone; `stop` ends the reading. */
  constructor(box, { refocus, stop }) {
    Object.assign(this, { box, refocus, stop });
  }

  /** A read began; the line shows when it takes long. */
  waiting(on) {
    if (!on) {
      clearTimeout(this.#timer);
      clearTimeout(this.#chipTimer);
      this.#timer = this.#chipTimer = null;
      this.#line?.remove();
      this.#line = null;
      const focused = this.#chip?.contains(document.activeElement);
      this.#chip?.remove();
      this.#chip = null;
      if (focused) this.refocus();
      return;
    }
    this.#chipTimer ??= setTimeout(() => this.#offerStop(), WAIT_BEFORE_STOP);
    clearTimeout(this.#timer);
    if (!this.#line) {
      this.#timer = setTimeout(() => {
        this.#line = el("div", { class: "progress", role: "progressbar", "aria-label": T.rowsLoading });
        this.box.append(this.#line);
      }, WAIT_BEFORE_LINE);
    }
  }

  #offerStop() {
    const button = el("button", { class: "link", type: "button", on: { click: () => this.stop() } }, T.stop);
    this.#chip = el("div", { class: "waiting float", role: "status" }, el("span", {}, T.rowsLoading), button);
    this.box.append(this.#chip);
  }

  clear() {
    this.#overlay?.remove();
    this.#overlay = null;
    this.kind = null;
  }

  /**
   * Show a heading, sentences and buttons over the rows: actions are [label, run, primary]; `kind` is "empty" or
   * "error".
   */
  show(kind, title, sentences = [], actions = [], { alert = false } = {}) {
    if (this.kind === kind && this.#overlay?.querySelector("h2").textContent === title) return;
    this.clear();
    this.kind = kind;
    const act = (run) => () => {
      run();
      if (document.activeElement === document.body) this.refocus();
    };
    const button = ([label, run, primary]) =>
      el(
        "button",
        { class: `button ${primary ? "button-primary" : "button-outline"}`, type: "button", on: { click: act(run) } },
        label,
      );
    this.#overlay = el(
      "div",
      { class: "empty", role: alert ? "alert" : "status" },
      el(
        "div",
        { class: `empty-in${alert ? " float" : ""}` }, // rows may stand behind an alert
        el("h2", {}, title),
        ...sentences.filter(Boolean).map((text) => el("p", {}, text)),
        actions.length ? el("div", { class: "row" }, ...actions.map(button)) : null,
      ),
    );
    this.box.append(this.#overlay);
  }
}
