// Going about in a table: to a row by number or key, to a cell with an edit, to the row that a key refers to.

import { operatorsOf, parseFilter } from "../data/filters.js";
import { ValueError } from "../data/values.js";
import { rowCount, rowsOf } from "../grid/selection.js";
import { SlickRange } from "../grid/sheet.js";
import { T, reasonText } from "../grid/texts.js";

const COLUMNS_COMPARED = 8;

/** Places of one view. */
export class Places {
  constructor(view) {
    this.view = view;
  }

  #activate(row, cell, { centred = false } = {}) {
    const { sheet } = this.view.table;
    if (centred) sheet.scrollRowToTop(Math.max(0, row - Math.floor((sheet.getViewportRowCount() - 1) / 2)));
    else sheet.scrollRowIntoView(row);
    sheet.setActiveCell(row, cell, false, false, false);
    sheet.scrollCellIntoView(row, cell);
    sheet.setFocus();
  }

  /** Go to a row by its number, counted from one, in the middle of the page; past the end is the last row. */
  goto(number) {
    const { sheet, selection, rows } = this.view.table;
    if (!sheet || !rows.getLength() || !this.view.commit()) return;
    this.#activate(this.#rowOf(number), sheet.getActiveCell()?.cell ?? selection.firstCell, { centred: true });
    this.view.need();
  }

  #rowOf(number) {
    const { rows, cache } = this.view.table;
    return rows.rowOf(Math.max(0, Math.min(Number(number) - 1, cache.length - 1)));
  }

  /** Where the person is: the first row on screen and the active cell. */
  get scroll() {
    const { sheet, rows, columns } = this.view.table;
    const active = sheet?.getActiveCell();
    const top = sheet?.getViewport().top ?? 0;
    const row = active ? rows.numberOf(active.row) : null;
    if (top <= 0 && !row) return null;
    return { row: top > 0 ? top + 1 : 1, ...(row && { active: [row, columns[active.cell]?.field] }) };
  }

  /** Go back there. */
  restore({ row, active }) {
    const { sheet, rows, columns } = this.view.table;
    if (!sheet || !rows.getLength()) return;
    if (row > 1) sheet.scrollRowToTop(this.#rowOf(row));
    const cell = active ? columns.findIndex((column) => column.field === active[1] && !column.hidden) : -1;
    if (cell > 0) sheet.setActiveCell(this.#rowOf(active[0]), cell, false, false, true);
    this.view.need();
  }

  /**
   * Go to the row whose key has a value. In the table's own order that is a place, told by how many rows stand before
   * it; in another order the row is shown by a filter, which any number of rows can afford.
   */
  async gotoKey(text) {
    const { view } = this;
    const { schema, filters, sort } = view.table;
    const name =
      schema.identity?.columns?.[0] ??
      schema.columns.find((column) => column.isPrimaryKey)?.name ??
      schema.columns[0].name;
    const column = view.table.columnOf(name);
    try {
      const key = parseFilter(`=${text}`, column.schema);
      const { found, before } = await view.loading.placeOf(name, key.value);
      if (!found) return view.announce(T.noSuchKey(name, text), "error");
      if (found === 1 && !sort.length) return this.goto(before + 1);
      filters.put(name, key);
    } catch (error) {
      view.announce(error instanceof ValueError ? reasonText(error) : error.message, "error");
      return;
    }
    view.filtersChanged();
    view.focus();
  }

  /** Show the rows that hold what a new row was given, to see whether it is among them. */
  lookFor({ values }) {
    const { table } = this.view;
    const comparable = (name, value) =>
      value !== null && value !== "" && operatorsOf(table.columnOf(name).schema).includes("equals");
    const filters = Object.entries(values).filter(([name, value]) => table.columnOf(name) && comparable(name, value));
    table.filters.clear();
    for (const [name, value] of filters.slice(0, COLUMNS_COMPARED))
      table.filters.add({ column: name, operator: "equals", value });
    this.view.filtersChanged();
  }

  /** Go to the first cell of a new row that can be filled. */
  goToNew(id) {
    const { rows, selection, columns } = this.view.table;
    const row = rows.indexOf(id);
    const first = columns.findIndex((column) => column.editable && !column.hidden);
    if (row >= 0) this.#activate(row, first > 0 ? first : selection.firstCell);
  }

  /** Go to a cell by row ID and column; a row that is not on hand is read first. */
  async showCell(id, name = null) {
    const { rows, selection, columns } = this.view.table;
    if (rows.indexOf(id) < 0) await this.#fetch(id);
    const row = rows.indexOf(id);
    if (row < 0) return this.view.announce(T.notHere(id), "error");
    const cell = name === null ? -1 : columns.findIndex((column) => column.field === name && !column.hidden);
    this.#activate(row, cell > 0 ? cell : selection.firstCell);
  }

  /** Go to what a step of the undo history changed, where it is on hand; several cells side by side are selected. */
  showSteps(steps) {
    const { rows, columns, selection } = this.view.table;
    const places = (steps ?? [])
      .map(({ id, column }) => ({
        row: rows.indexOf(id),
        cell: column === undefined ? -1 : columns.findIndex(({ field, hidden }) => field === column && !hidden),
      }))
      .filter(({ row }) => row >= 0);
    if (!places.length) return;
    const [least, most] = [Math.min, Math.max].map((pick) => ({
      row: places.reduce((best, { row }) => pick(best, row), places[0].row),
      cell: places.reduce((best, { cell }) => pick(best, cell), places[0].cell),
    }));
    const isRows = least.cell < 0;
    this.#activate(
      least.row,
      isRows ? (this.view.table.sheet.getActiveCell()?.cell ?? selection.firstCell) : least.cell,
    );
    const area = (most.row - least.row + 1) * (isRows ? 1 : most.cell - least.cell + 1);
    if (places.length === 1 || places.length !== area) return;
    if (isRows) selection.rows(least.row, most.row);
    else selection.range = new SlickRange(least.row, least.cell, most.row, most.cell);
  }

  /** Read a row by its ID, where the table's own order tells its place. */
  async #fetch(id) {
    const { table, loading } = this.view;
    const { kind, columns = [] } = table.schema.identity ?? {};
    const column = kind === "rowId" && columns.length === 1 ? table.columnOf(columns[0]) : null;
    if (!column || table.sort.length) return;
    try {
      const { found, before } = await loading.placeOf(column.field, parseFilter(`=${id}`, column.schema).value);
      if (found === 1) await table.cache.want(before, before);
    } catch {
      // what is not there is told by who asked
    }
  }

  /** Ask the frame to open the row that a foreign key refers to; false where there is none. */
  follow(row, cell) {
    const { table, namespace } = this.view;
    const column = table.columns[cell];
    const target = column?.schema?.references;
    const value = table.rows.valueOf(table.rows.getItem(row), column?.field);
    if (!target || value === null || value === undefined || value === "") return false;
    const view = { filters: [{ column: target.column, operator: "equals", value }], sort: [] };
    this.view.dispatchEvent(new CustomEvent("openTable", { detail: { namespace, tableName: target.table, view } }));
    return true;
  }

  /**
   * What an export of the "selection" or of the "page" on screen covers: {ranges, rows, columns, whole}, or null.
   * `whole`: every row that matches the filters. Where rows have no identity, only that can be exported.
   */
  exportRange(what) {
    const { sheet, schema, selection, rows, columns } = this.view.table;
    if (!sheet) return null;
    const { top, bottom } = sheet.shown;
    const last = rows.getLength() - 1;
    const wanted =
      what === "selection" ? selection.ranges : [new SlickRange(top, selection.firstCell, bottom, selection.lastCell)];
    const ranges = wanted
      .map(({ fromRow, fromCell, toRow, toCell }) => ({ fromRow, fromCell, toRow: Math.min(toRow, last), toCell }))
      .filter(({ fromRow, toRow }) => fromRow <= toRow);
    if (!ranges.length) return null;
    const [{ fromRow, fromCell, toRow, toCell }] = ranges;
    const names = columns
      .slice(fromCell, toCell + 1)
      .filter((column) => !column.hidden && !column.gutter)
      .map((column) => column.field);
    const whole = fromRow === 0 && toRow === last;
    if (!names.length || (!whole && schema.identity?.kind === "none")) return null;
    return { ranges, rows: rowCount(ranges), columns: names, whole };
  }

  /**
   * The row IDs of such a range, read first where they are not here; null, with the reason told, where they cannot be.
   */
  async exportRows({ ranges }) {
    const { rows } = this.view.table;
    const wanted = ranges.map(({ fromRow, toRow }) => new SlickRange(fromRow, 0, toRow, 0));
    if (!(await this.view.edits.present(wanted))) return null;
    const items = [...rowsOf(ranges)].map((row) => rows.getItem(row));
    return items.filter((item) => item && !item.isNew).map(({ id }) => id);
  }
}
