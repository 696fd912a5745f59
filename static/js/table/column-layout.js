// How a person arranges the columns: width, order, hidden, frozen; kept per table.

import { Layout, MAX_WIDTH } from "../data/layout.js";
import { buildColumns, frozenColumn } from "../grid/columns.js";
import { measuredWidths } from "./column-widths.js";

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
    sheet.syncCounts(["exact", "estimate"].includes(table.cache.countState));
  }

  /** Bring the grid in step with the layout, and keep it. */
  changed() {
    const { view } = this;
    if (!view.commit()) return;
    view.table.columns = buildColumns(view.table.schema, view.table.layout, view.table.measured);
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

  /** Make columns that nobody has set as wide as what the first rows hold that came. */
  measure(from, to) {
    const { table } = this.view;
    if (table.measured.size || table.sheet.getCellEditor()) return;
    const items = this.#items(from, to);
    if (!items.length) return;
    const columns = table.columns.filter((column) => !column.gutter);
    table.measured = measuredWidths(table.sheet.getContainerNode(), columns, items);
    let changed = false;
    for (const column of columns) {
      const width = table.layout.widths.get(column.field) ?? table.measured.get(column.field);
      changed ||= column.width !== width;
      column.width = width;
    }
    if (changed) this.setColumns();
  }

  #items(from, to) {
    const { cache } = this.view.table;
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => cache.at(from + index)).filter(Boolean);
  }

  /** Make a column, or all of them, as wide as what is drawn of it. */
  fit(name = null) {
    const { table } = this.view;
    const { top, bottom } = table.sheet.shown;
    const items = Array.from({ length: bottom - top + 1 }, (_, index) => table.rows.getItem(top + index));
    const columns = table.columns.filter(({ gutter, field }) => !gutter && (name === null || field === name));
    const widths = measuredWidths(
      table.sheet.getContainerNode(),
      columns,
      items.filter(Boolean),
      name === null ? undefined : MAX_WIDTH,
    );
    for (const [field, width] of widths) table.layout.widths.set(field, width);
    this.changed();
  }

  /** The person dragged the width of a column. */
  resized(id) {
    const { table, drafts } = this.view;
    const column = table.sheet.getColumns().find((other) => other.id === id);
    if (!column || column.gutter) return;
    table.layout.widths.set(column.field, column.width);
    drafts.saveLayout();
  }
}

/** The height of a row in pixels, as the styles say. */
export function rowHeight() {
  return parseInt(getComputedStyle(document.documentElement).getPropertyValue("--row-h"), 10) || 26;
}
