// What others do to the table while it is open: cells change in place and flash, new rows are offered, deleted ones
// marked.

import { el, icon } from "../ui/dom.js";
import { markOf, sameValue } from "../data/values.js";
import { T } from "../grid/texts.js";

/** Takes in rowsChanged for one view; bursts are taken in once a frame. */
export class Live {
  #queue = [];
  #frame = null;
  #news = new Set(); // IDs of rows that others inserted
  #chip = null;

  constructor(view) {
    this.view = view;
  }

  get newRows() {
    return this.#news.size;
  }

  listen() {
    this.view.client.addEventListener("rowsChanged", this.#changed);
    this.view.client.addEventListener("state", this.#state);
  }

  close() {
    this.view.client.removeEventListener("rowsChanged", this.#changed);
    this.view.client.removeEventListener("state", this.#state);
    cancelAnimationFrame(this.#frame);
    this.#chip?.remove();
  }

  forgetNews() {
    this.#news.clear();
    this.#draw();
  }

  #state = () => {
    if (this.view.client.state === "live") this.view.saving.askAgain();
  };

  #changed = ({ detail }) => {
    if (detail.namespace !== this.view.namespace || detail.tableName !== this.view.tableName) return;
    for (const change of detail.changes) this.#queue.push({ ...change, by: detail.by ?? null });
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      const queue = this.#queue;
      this.#queue = [];
      if (this.view.table.sheet) this.view.table.batch(() => queue.forEach((change) => this.#take(change)));
    });
  };

  #take({ kind, rowId, values = {}, previews = null, by }) {
    const { table, look } = this.view;
    const id = String(rowId);
    if (kind === "insert") {
      if (!table.rows.find(id)) this.#news.add(id);
      this.#draw();
      return;
    }
    const item = table.rows.find(id);
    if (kind === "delete") {
      this.#news.delete(id);
      this.#draw();
      table.staged.gone(id, by);
      if (item) {
        table.gone.add(id);
        table.repaintRow(id);
      }
      return;
    }
    const names = item
      ? Object.keys(values).filter(
          (name) =>
            markOf(values[name], previews, name) ||
            (!sameValue(item.values[name], values[name]) && (item.values[name] ?? null) !== values[name]),
        )
      : Object.keys(values);
    table.staged.rebase(id, values, by, previews);
    if (!item) return;
    item.by = by;
    for (const name of names) {
      item.values[name] = values[name];
      table.mark(item, name, markOf(values[name], previews, name));
    }
    if (names.length) look.flash(id, names);
    table.repaintRow(id);
  }

  #draw() {
    const count = this.#news.size;
    if (!count) {
      this.#chip?.remove();
      this.#chip = null;
      return;
    }
    if (!this.#chip) {
      this.#chip = el("button", {
        class: "news float",
        type: "button",
        on: {
          click: () =>
            this.view.refresh().then(
              () => this.view.focus(),
              () => undefined,
            ),
        },
      });
      this.view.box.append(this.#chip);
    }
    this.#chip.replaceChildren(icon("plus", { small: true }), T.newRows(count));
  }
}
