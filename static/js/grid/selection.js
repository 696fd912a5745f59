// Ranges of cells: extending, whole rows and columns, and what a range holds.

import { sumOf } from "../data/values.js";
import { SlickRange } from "./sheet.js";

const FIRST = 1; // the gutter is cell 0
const SUM_LIMIT = 20_000;

/** The selection of a sheet; a range reaches from the active cell to the head. */
export class Selection {
  constructor(sheet) {
    this.sheet = sheet;
  }

  get lastCell() {
    return this.sheet.getColumns().findLastIndex((column) => !column.hidden);
  }

  get firstCell() {
    return Math.max(
      FIRST,
      this.sheet.getColumns().findIndex((column, index) => index >= FIRST && !column.hidden),
    );
  }

  /** The selected range, else the active cell, else null. */
  get range() {
    const active = this.sheet.getActiveCell();
    return (
      this.sheet.getSelectionModel().getSelectedRanges().at(-1) ??
      (active ? new SlickRange(active.row, active.cell) : null)
    );
  }

  set range(range) {
    this.sheet.getSelectionModel().setSelectedRanges([range]);
  }

  /** All that is selected, from top to bottom: whole rows may be picked one by one, cells are one range. */
  get ranges() {
    const { range } = this;
    if (!range) return [];
    if (!range.isRows) return [range];
    const picked = this.sheet.getSelectionModel().getSelectedRanges();
    return picked.filter(({ isRows }) => isRows).sort((one, other) => one.fromRow - other.fromRow);
  }

  /** True when more than one cell is selected. */
  get isWide() {
    const { range } = this;
    return this.ranges.length > 1 || (range && (range.toRow > range.fromRow || range.toCell > range.fromCell));
  }

  /** Pick a row beside those that are picked already, or leave it out again. */
  pick(row) {
    const { sheet } = this;
    const spans = (this.isRows ? this.ranges : []).flatMap(({ fromRow, toRow }) => {
      if (row < fromRow || row > toRow) return [[fromRow, toRow]];
      return [
        [fromRow, row - 1],
        [row + 1, toRow],
      ].filter(([from, to]) => from <= to);
    });
    const wasIn = this.isRows && this.ranges.some(({ fromRow, toRow }) => row >= fromRow && row <= toRow);
    if (!wasIn || !spans.length) spans.push([row, row]);
    const place = wasIn ? spans.at(-1)[0] : row;
    const active = sheet.getActiveCell();
    sheet.setActiveCell(place, active?.cell ?? this.firstCell, false, false, false);
    sheet.head = { row: place, cell: this.lastCell };
    const ranges = spans.map(([from, to]) => this.#rowRange(from, to));
    ranges.push(
      ...ranges.splice(
        ranges.findIndex(({ fromRow, toRow }) => place >= fromRow && place <= toRow),
        1,
      ),
    );
    sheet.getSelectionModel().setSelectedRanges(ranges);
  }

  /** True when whole rows were chosen: cells that happen to cover a row are cells. */
  get isRows() {
    return this.range?.isRows === true;
  }

  /** Choose whole rows; such a range says so itself, as it goes with the grid. */
  #chooseRows(from, to) {
    this.range = this.#rowRange(from, to);
  }

  #rowRange(from, to) {
    return Object.assign(new SlickRange(from, this.firstCell, to, this.lastCell), { isRows: true });
  }

  /** Move the head of the range. */
  extend(rows, cells) {
    const { sheet } = this;
    const active = sheet.getActiveCell();
    if (!active) return;
    const limit = (value, least, most) => Math.max(least, Math.min(most, value));
    const head = sheet.head ?? { row: active.row, cell: active.cell };
    let cell = limit(head.cell + cells, this.firstCell, this.lastCell);
    while (sheet.getColumns()[cell].hidden && cell > this.firstCell && cell < this.lastCell) cell += Math.sign(cells);
    const row = limit(head.row + rows, 0, sheet.getDataLength() - 1);
    if (this.isRows && !cells) this.#chooseRows(Math.min(active.row, row), Math.max(active.row, row));
    else this.range = new SlickRange(active.row, active.cell, row, cell);
    sheet.head = { row, cell };
    sheet.scrollCellIntoView(row, cell);
  }

  extendTo(row, cell) {
    const active = this.sheet.getActiveCell();
    if (!active) return;
    this.range = new SlickRange(active.row, active.cell, row, cell);
    this.sheet.head = { row, cell };
  }

  all() {
    this.#chooseRows(0, this.sheet.getDataLength() - 1);
  }

  /** Select whole rows; the active cell goes to the first of them. */
  rows(from, to = from) {
    const active = this.sheet.getActiveCell();
    const cell = active?.cell ?? this.firstCell;
    if (!active || active.row !== from) this.sheet.setActiveCell(from, cell, false, false, false);
    this.#chooseRows(Math.min(from, to), Math.max(from, to));
    this.sheet.head = { row: to, cell: this.lastCell };
  }

  /** Widen the range to whole rows. */
  widenToRows() {
    const range = this.range;
    if (range) this.#chooseRows(range.fromRow, range.toRow);
  }

  /** Widen the range to whole columns. */
  widenToColumns() {
    const range = this.range;
    if (range) this.range = new SlickRange(0, range.fromCell, this.sheet.getDataLength() - 1, range.toCell);
  }

  /**
   * A row was taken out: what is chosen stays with the rows that are left of it, and never falls to one that moved up.
   */
  rowRemoved(ranges, row) {
    if (row < 0 || !ranges.some(({ toRow }) => row <= toRow)) return;
    const left = ranges.map((range) => without(range, row)).filter(Boolean);
    const active = this.sheet.getActiveCell();
    if (left.length) this.sheet.getSelectionModel().setSelectedRanges(left);
    else if (active) this.range = new SlickRange(active.row, active.cell);
  }

  /** What the status bar says of the range: {rows, columns, sum, avg, nulls}; the sums only where all rows are here. */
  summary(valueAt) {
    const { range, ranges } = this;
    if (!range) return null;
    const columns = this.sheet
      .getColumns()
      .slice(range.fromCell, range.toCell + 1)
      .filter((column) => !column.hidden && !column.gutter);
    const rows = rowCount(ranges);
    const summary = { rows, columns: columns.length, sum: null, avg: null, nulls: null };
    if (rows * columns.length > SUM_LIMIT || rows * columns.length < 2) return summary;
    const values = [];
    let nulls = 0;
    for (const row of rowsOf(ranges)) {
      for (const column of columns) {
        const value = valueAt(row, column);
        if (value === undefined && !this.sheet.getDataItem(row)) return summary;
        if (value === null) nulls++;
        else values.push(value);
      }
    }
    const sums = sumOf(values);
    return { ...summary, nulls, sum: sums?.sum ?? null, avg: sums?.average ?? null };
  }
}

/** Number of rows of ranges. */
export const rowCount = (ranges) => ranges.reduce((sum, { fromRow, toRow }) => sum + toRow - fromRow + 1, 0);

/** The rows of ranges, one after another. */
export function* rowsOf(ranges) {
  for (const { fromRow, toRow } of ranges) for (let row = fromRow; row <= toRow; row++) yield row;
}

/** What is left of a range when a row above or in it was taken out; null for nothing. */
function without(range, row) {
  if (row > range.toRow) return range;
  const from = row < range.fromRow ? range.fromRow - 1 : range.fromRow;
  const to = range.toRow - 1;
  if (to < from) return null;
  return Object.assign(new SlickRange(from, range.fromCell, to, range.toCell), { isRows: range.isRows });
}
