// The row detail: every column of the active row below one another, also hidden ones. Fields are edited where they
// stand.

import { el, iconButton } from "../ui/dom.js";
import { own } from "../data/json.js";
import { Invalid, kindOf } from "../data/values.js";
import { valueNodes } from "../grid/cell-nodes.js";
import { T, reasonText } from "../grid/texts.js";
import { FieldEditor } from "./field-editor.js";

/** The panel at the right; it follows the active cell. */
export class Detail {
  // eslint-disable-next-line no-unused-private-class-members -- read by ??=: many changes redraw once a frame
  #drawing = null;
  #editor = null; // of the field that is being edited
  #row = null; // its row's ID, else that of the row that is shown

  constructor(view, close) {
    this.view = view;
    this.title = el("span", { class: "dim num" });
    this.body = el("div", { class: "panel-body", tabindex: "0", role: "region", "aria-label": T.detailTitle });
    this.element = el(
      "aside",
      {
        class: "panel float detail",
        "aria-label": T.detailTitle,
        on: { keydown: (event) => event.key === "Escape" && close() },
      },
      el(
        "div",
        { class: "panel-head" },
        el("h2", {}, T.detailTitle),
        this.title,
        iconButton("x", { label: T.close, title: `${T.close} (Esc)`, click: close, class: "push" }),
      ),
      this.body,
    );
  }

  drawSoon() {
    this.#drawing ??= requestAnimationFrame(() => {
      this.#drawing = null;
      if (this.element.isConnected) this.draw();
    });
  }

  /** The focus stays on the rows; what opened beside them must not hide the cell. */
  focus() {
    const { sheet } = this.view.table;
    const active = sheet?.getActiveCell();
    if (!active) return;
    sheet.resizeCanvas();
    sheet.scrollCellIntoView(active.row, active.cell);
  }

  draw() {
    const { view } = this;
    const { sheet, rows, staged, schema } = view.table;
    const active = sheet?.getActiveCell();
    const item = active && rows.getItem(active.row);
    if (this.#editor && item?.id === this.#row) return; // what is being typed stays
    this.finish();
    this.#row = item?.id ?? null;
    if (!item) {
      this.title.textContent = "";
      this.body.replaceChildren(el("p", { class: "panel-note" }, T.noActiveRow));
      return;
    }
    this.title.textContent = item.isNew
      ? T.newRow
      : item.id.startsWith("#")
        ? T.detailOf(rows.numberOf(active.row))
        : item.id;
    const current = view.table.columns[active.cell]?.field;
    const focused = this.body.contains(document.activeElement)
      ? document.activeElement.closest("[data-field]")?.dataset.field
      : undefined;
    this.body.replaceChildren(
      el(
        "dl",
        { class: "fields-list" },
        ...schema.columns.flatMap(({ name }) => {
          const classes = [name === current && "current", staged.has(item.id, name) && "is-changed"];
          return [
            el("dt", { title: name }, name),
            el(
              "dd",
              { class: classes.filter(Boolean).join(" ") || null, data: { field: name } },
              ...this.#field(item, view.table.columnOf(name)),
            ),
          ];
        }),
      ),
    );
    if (focused !== undefined) this.#focusField(focused);
    else this.body.querySelector(".current")?.scrollIntoView({ block: "nearest" });
  }

  /** The value of a field, and what can be done with it. */
  #field(item, column) {
    const { edits, table } = this.view;
    const { field: name, schema } = column;
    const value = table.rows.valueOf(item, name);
    const preview = table.staged.has(item.id, name) ? null : (own(item.previews, name) ?? null);
    const why = edits.reason(item, column);
    const edit = () => (kindOf(schema) === "bit" ? this.#toggle(name) : this.#edit(name));
    const shown =
      typeof value === "string" && value.includes("\n") && !preview
        ? [el("span", { class: "whole" }, value)]
        : valueNodes(value, schema, preview);
    const button = (label, text, run) =>
      el("button", { class: "link", type: "button", "aria-label": label, on: { click: run } }, text);
    const follows = schema.references && value !== null && value !== undefined && value !== "";
    return [
      el(
        "span",
        {
          class: `field-value${why ? "" : " is-editable"}`,
          dir: "auto",
          title: why ?? (value instanceof Invalid ? T.invalidCell(reasonText(value)) : null),
          on: { click: () => !why && getSelection().isCollapsed && edit() },
        },
        ...shown,
      ),
      why ? null : button(T.editLabel(name), T.edit, edit),
      follows ? button(T.followMenu(schema.references.table), T.openRow, () => this.#follow(name)) : null,
      button(`${T.loadWhole} ${name}`, T.loadWhole, () => this.#open(name)),
    ];
  }

  /** Stage what is being typed. */
  finish() {
    this.#editor?.finish();
  }

  get #active() {
    return this.view.table.sheet.getActiveCell();
  }

  #cellOf(name) {
    return this.view.table.columns.findIndex((column) => column.field === name);
  }

  #toggle(name) {
    this.view.edits.toggle(this.#active.row, this.#cellOf(name));
    this.draw();
    this.#focusField(name);
  }

  #edit(name) {
    this.finish();
    const { rows, columns } = this.view.table;
    const item = this.#active && rows.getItem(this.#active.row);
    const node = this.body.querySelector(`[data-field="${CSS.escape(name)}"]`);
    if (!item || !node || !this.view.commit()) return;
    const editor = new FieldEditor(this.view, item, columns[this.#cellOf(name)], {
      done: (step) => {
        this.#editor = null;
        this.draw();
        if (step) this.#go(name, step);
        else if (!this.element.contains(document.activeElement) && document.activeElement === document.body)
          this.#focusField(name);
      },
    });
    this.#editor = editor;
    node.replaceChildren(editor.element);
    editor.focus();
  }

  /** Edit the next field that can be edited, or the one before. */
  #go(name, step) {
    const names = this.view.table.schema.columns.map((column) => column.name);
    const item = this.view.table.rows.getItem(this.#active.row);
    for (let index = names.indexOf(name) + step; names[index] !== undefined; index += step) {
      const column = this.view.table.columnOf(names[index]);
      if (this.view.edits.reason(item, column)) continue;
      if (kindOf(column.schema) === "bit") this.#focusField(names[index]);
      else this.#edit(names[index]);
      return;
    }
    this.#focusField(name);
  }

  #focusField(name) {
    this.body.querySelector(`[data-field="${CSS.escape(name)}"] .link`)?.focus();
  }

  #follow(name) {
    if (this.#active) this.view.places.follow(this.#active.row, this.#cellOf(name));
  }

  #open(name) {
    if (this.#active) this.view.panels.openValue(this.#active.row, this.#cellOf(name));
  }
}
