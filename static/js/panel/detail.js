// The row detail: every column of the active row below one another, also hidden ones.

import { el, icon } from "../ui/dom.js";
import { own } from "../data/json.js";
import { T } from "../grid/texts.js";
import { valueNodes } from "../grid/cell-nodes.js";

/** The panel at the right; it follows the active cell. */
export class Detail {
  // eslint-disable-next-line no-unused-private-class-members -- read by ??=: many changes redraw once a frame
  #drawing = null;

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
        el(
          "button",
          {
            class: "button button-icon push",
            type: "button",
            title: `${T.close} (Esc)`,
            "aria-label": T.close,
            on: { click: close },
          },
          icon("x"),
        ),
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
    this.body.replaceChildren(
      el(
        "dl",
        { class: "fields-list" },
        ...schema.columns.flatMap((column) => {
          const { name } = column;
          const value = rows.valueOf(item, name);
          const changed = staged.has(item.id, name);
          const preview = changed ? null : (own(item.previews, name) ?? null);
          const open = el(
            "button",
            {
              class: "link",
              type: "button",
              "aria-label": `${T.loadWhole} ${name}`,
              on: { click: () => this.#open(name) },
            },
            T.loadWhole,
          );
          const text =
            typeof value === "string" && value.includes("\n") && !preview
              ? [el("span", { class: "whole" }, value)]
              : valueNodes(value, column, preview);
          return [
            el("dt", { title: name }, name),
            el(
              "dd",
              { class: [name === current && "current", changed && "is-changed"].filter(Boolean).join(" ") || null },
              el("span", { class: "field-value", dir: "auto" }, ...text),
              open,
            ),
          ];
        }),
      ),
    );
    this.body.querySelector(".current")?.scrollIntoView({ block: "nearest" });
  }

  #open(name) {
    const { sheet, columns } = this.view.table;
    const active = sheet.getActiveCell();
    const cell = columns.findIndex((column) => column.field === name);
    if (active) this.view.panels.openValue(active.row, cell);
  }
}
