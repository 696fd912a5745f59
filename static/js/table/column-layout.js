// How a person arranges the columns: width, order, hidden, frozen; kept per table.

import { Layout } from "../data/layout.js";
import { buildColumns, frozenColumn } from "../grid/columns.js";

/** The arrangement of one view's columns. */
export class Arranging {
  constructor(view) {
    this.view = view;
    addEventListener("densitychange", this.#density);
  }

  close() {
    removeEventListener("densitychange", this.#density);
  }

  /** The person chose another height of rows. */
  #density = () => {
    const { sheet } = this.view.table;
    if (!sheet || !this.view.commit()) return;
    sheet.setOptions({ rowHeight: rowHeight() });
    sheet.invalidate();
  };

  /** Give the grid the columns of the table as they now are. */
  setColumns() {
    const { table } = this.view;
    const { sheet, columns } = table;
    const active = sheet.getActiveCell();
    const name = active ? sheet.getColumns()[active.cell]?.field : null;
    sheet.setColumns(columns);
    sheet.setOptions({ frozenColumn: frozenColumn(columns, table.schema, table.layout) });
    this.view.header.showSort();
    const place = columns.findIndex((column) => column.field === name);
    const shown = (column) => !column.hidden && !column.gutter;
    const behind = columns.findIndex((column, index) => index >= place && shown(column));
    const cell = behind < 0 ? columns.findLastIndex(shown) : behind; // of a hidden column, its neighbour
    if (active && cell > 0) sheet.setActiveCell(active.row, cell, false, false, false);
    sheet.syncCounts();
  }

  /** Bring the grid in step with the layout, and keep it. */
  changed() {
    const { view } = this;
    if (!view.commit()) return;
    view.table.columns = buildColumns(view.table.schema, view.table.layout);
    this.setColumns();
    view.drafts.saveLayout();
    view.header.refresh();
  }

  hide(names, hidden = true) {
    for (const name of names) this.view.table.layout.hidden[hidden ? "add" : "delete"](name);
    this.changed();
  }

  reset() {
    this.view.table.layout = new Layout();
    this.changed();
  }

  get #order() {
    return this.view.table.columns.filter((column) => !column.gutter).map((column) => column.field);
  }

  /** Move a column by one place, to the left (-1) or the right (1); over hidden ones too, where those are not seen. */
  move(name, by, overHidden = false) {
    const { hidden } = this.view.table.layout;
    const order = this.#order;
    const from = order.indexOf(name);
    let to = from + by;
    while (overHidden && hidden.has(order[to])) to += by;
    if (order[to] === undefined) return;
    order.splice(to, 0, ...order.splice(from, 1));
    this.#reorder(order);
  }

  /** Put a column before or behind another one. */
  place(name, target, behind) {
    const order = this.#order.filter((other) => other !== name);
    order.splice(order.indexOf(target) + (behind ? 1 : 0), 0, name);
    this.#reorder(order);
  }

  #reorder(order) {
    this.view.table.layout.order = order;
    this.changed();
  }

  /** Freeze the columns up to one, or none. */
  freeze(name) {
    const { table } = this.view;
    const shown = table.columns.filter((column) => !column.gutter && !column.hidden);
    table.layout.frozen = name === null ? 0 : shown.findIndex((column) => column.field === name) + 1;
    this.changed();
  }

  /** Make a column as wide as what is drawn of it. */
  fit(name) {
    const { table } = this.view;
    const cell = table.columns.findIndex((column) => column.field === name);
    const nodes = [...table.sheet.getContainerNode().querySelectorAll(`.slick-cell.l${cell}`)];
    const widest = nodes.reduce((most, node) => Math.max(most, node.textContent.length), name.length + 4);
    table.layout.widths.set(name, Math.max(56, Math.min(800, Math.round(widest * 7.2 + 24))));
    this.changed();
  }

  /** The person dragged a width. */
  resized() {
    const { table, drafts } = this.view;
    for (const column of table.sheet.getColumns()) {
      const known = table.columns.find((other) => other.id === column.id);
      if (!column.gutter && known) table.layout.widths.set(column.field, column.width);
    }
    drafts.saveLayout();
  }
}

/** The height of a row in pixels, as the styles say. */
export function rowHeight() {
  return parseInt(getComputedStyle(document.documentElement).getPropertyValue("--row-h"), 10) || 26;
}
