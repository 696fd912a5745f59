// The panels of a view: review or row detail at the right, and the questions that need a dialog.

import { openDialog } from "../ui/dialog.js";
import { el } from "../ui/dom.js";
import { T } from "../grid/texts.js";

const SIDES = {
  detail: async () => (await import("./detail.js")).Detail,
  review: async () => (await import("./review.js")).Review,
};

/** Opens and closes what stands beside the rows. */
export class Panels {
  #kind = null; // of what stands there, or is about to
  #side = null; // Review or Detail
  #opening = false;

  constructor(view) {
    this.view = view;
  }

  get reviewShown() {
    return this.#kind === "review";
  }

  toggleReview() {
    return this.#toggle("review");
  }

  toggleDetail() {
    return this.#toggle("detail");
  }

  async #toggle(kind) {
    const same = this.#kind === kind;
    this.closeSide();
    if (same) return;
    this.#kind = kind;
    const Kind = await SIDES[kind]();
    if (this.#kind !== kind || this.#side || this.view.closed) return;
    this.#side = new Kind(this.view, () => this.closeSide(true));
    this.view.box.append(this.#side.element);
    this.#side.draw();
    this.#side.focus?.();
  }

  closeSide(refocus = false) {
    if (!this.#kind) return false;
    this.#side?.finish?.();
    this.#side?.element.remove();
    this.#side = this.#kind = null;
    if (refocus) this.view.focus();
    return true;
  }

  /** Everything that was reviewed is saved: the focus goes back to the rows if it was there. */
  closeReview() {
    if (!this.reviewShown) return;
    const { activeElement } = document;
    this.closeSide(activeElement === document.body || this.#side?.element.contains(activeElement));
  }

  /** Esc in the grid closes what is open beside it. */
  escape() {
    return this.closeSide(true);
  }

  focusReview() {
    if (this.reviewShown) this.#side?.focus();
  }

  /** Stage what is being typed beside the rows. */
  finish() {
    this.#side?.finish?.();
  }

  /** The active cell moved. */
  follow() {
    if (this.#kind === "detail") this.#side?.draw();
  }

  /** Staged edits changed. */
  stagedChanged() {
    this.#side?.drawSoon();
  }

  async openColumns() {
    const { openColumns } = await import("./columns.js");
    return openColumns(this.view);
  }

  /** Open a value in its own editor; while it is read, a second key opens no second one. */
  async openValue(row, cell) {
    if (this.#opening) return;
    this.#opening = true;
    try {
      const { openValue } = await import("./value.js");
      await openValue(this.view, row, cell);
    } finally {
      this.#opening = false;
    }
  }

  async decide(id) {
    const { decide } = await import("./conflict.js");
    return decide(this.view, id);
  }

  /** Ask for a row number, or a key value after "=". */
  async askRow() {
    const { view } = this;
    const input = el("input", {
      class: "input",
      type: "text",
      inputmode: "numeric",
      "aria-label": T.gotoText,
      autofocus: true,
    });
    const hint = el("p", { class: "field-note" }, T.gotoText);
    const answer = await openDialog({
      title: T.goto,
      class: "small-dialog",
      body: [el("form", { class: "fields", method: "dialog" }, input, hint)],
      actions: [{ label: T.gotoGo, value: "go", primary: true }],
      ready: (dialog) => {
        input.focus();
        input.form.addEventListener("submit", (event) => {
          event.preventDefault();
          dialog.close("go");
        });
      },
    });
    const text = input.value.trim().replaceAll(/[\s,]/g, "");
    if (answer !== "go" || text === "") return view.focus();
    if (text.startsWith("=")) view.places.gotoKey(input.value.trim().slice(1).trim());
    else if (/^\d+$/.test(text)) {
      const { cache } = view.table;
      view.goto(Number(text));
      // only then is it sure how many there are
      await cache.want(Number(text) - 1, Number(text) - 1).catch(() => undefined);
      if (cache.countState === "exact" && cache.length && Number(text) > cache.length)
        view.announce(T.lastRow(cache.length));
    } else view.announce(T.noSuchRow(input.value), "error");
  }

  close() {
    this.closeSide();
  }
}
