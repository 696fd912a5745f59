// What stands in place of rows: nothing there, nothing found, not allowed, not readable; and the thin line of waiting.

import { el } from "../shell/dom.js";
import { T } from "./texts.js";

const WAIT_BEFORE_LINE = 400;

/** Overlays of one table's box. */
export class States {
  #overlay = null;
  #title = "";
  #line = null;
  #timer = null;
  kind = null;

  constructor(box) {
    this.box = box;
  }

  /** A read began; the line shows when it takes long. */
  waiting(on) {
    clearTimeout(this.#timer);
    if (!on) {
      this.#line?.remove();
      this.#line = null;
    } else if (!this.#line) {
      this.#timer = setTimeout(() => {
        this.#line = el("div", { class: "progress", role: "progressbar", "aria-label": T.valueLoading });
        this.box.append(this.#line);
      }, WAIT_BEFORE_LINE);
    }
  }

  clear() {
    this.#overlay?.remove();
    this.#overlay = null;
    this.kind = null;
  }

  /**
   * Show a heading, sentences and buttons over the rows: actions are [label, run, primary]; `kind` is "empty", "away" or "error".
   * `float` sets it on a ground of its own, where there are rows below.
   */
  show(kind, title, sentences = [], actions = [], { alert = false, float = false } = {}) {
    if (this.kind === kind && this.#title === title) return;
    this.clear();
    this.kind = kind;
    this.#title = title;
    this.#overlay = el("div", { class: "empty", role: alert ? "alert" : "status" }, el("div", { class: float ? "float" : null },
      el("h2", {}, title),
      ...sentences.filter(Boolean).map((text) => el("p", {}, text)),
      actions.length ? el("div", { class: "row" }, ...actions.map(([label, run, primary]) => el("button", { class: `button ${primary ? "button-primary" : "button-outline"}`, type: "button", on: { click: run } }, label))) : null,
    ));
    this.box.append(this.#overlay);
  }
}
