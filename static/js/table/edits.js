// Edits of cells and rows: everything goes through the undo history into the staged edits.

import { History } from "../data/history.js";
import { own, record, recordOf } from "../data/json.js";
import {
  exactly,
  holdsEmpty,
  isCut,
  kindOf,
  parseValue,
  refusal,
  sameValue,
  textOf,
  ValueError,
} from "../data/values.js";
import { revertSteps } from "./revert.js";
import { rowsOf } from "../grid/selection.js";
import { SlickRange } from "../grid/sheet.js";
import { T, reasonText, sentences } from "../grid/texts.js";

const PROGRESS_EVERY = 1_000; // ms

export const CELLS_AT_ONCE = 1_000_000;

/**
 * Edits of one table. `table` gives {sheet, rows, cache, staged, selection, schema, columns}; `announce` tells the
 * person.
 */
export class Edits {
  #left = new Set(); // columns of deleted rows that cannot be brought back
  /** Called when the person changes something. */
  acted = () => undefined;
  /** Called with 1 when rows of a range are being read, and with -1 at the end. @type {(change: number) => void} */
  hold = () => undefined;
  #lost = 0; // steps of a batch that mean nothing any more: their row was saved, or is gone

  constructor(table, announce) {
    this.table = table;
    this.announce = announce;
    this.history = new History((batch, way) => this.#apply(batch, way));
  }

  /** Why a cell cannot be edited, or null. */
  reason(item, column) {
    const { schema } = this.table;
    if (schema.readOnly) return T.readOnlyTable(schema.readOnlyReason);
    if (!column.editable) return T.readOnlyColumn(column.field, column.schema?.readOnlyReason);
    if (!item) return T.waitingRow;
    if (this.table.staged.get(item.id)?.kind === "delete") return T.deletedRow;
    if (own(item.previews, column.field) && !this.table.staged.has(item.id, column.field)) return T.wholeValueFirst;
    return null;
  }

  writable = (name) => {
    const column = this.table.columnOf(name);
    return Boolean(column?.editable) && !["binary", "list"].includes(kindOf(column.schema));
  };

  /** True when only the start of a cell's value is here: nothing may be made of it. */
  cut(item, name) {
    return Boolean(item) && !this.table.staged.has(item.id, name) && isCut(item.values[name], own(item.previews, name));
  }

  /** The step that gives a cell a value, or null when it has it already. */
  step(item, column, value) {
    const from = this.table.rows.valueOf(item, column.field);
    if (from === value || (from !== undefined && value !== undefined && sameValue(from, value))) return null;
    const base = item.isNew ? undefined : (item.values[column.field] ?? null);
    return { kind: "cell", id: item.id, column: column.field, from, to: value, base, row: this.#whole(item) };
  }

  /** The names of a row's columns of which only the start is here. */
  cutColumns(item) {
    return Object.keys(item.previews ?? {}).filter((name) => this.cut(item, name));
  }

  #whole(item) {
    const cut = this.cutColumns(item);
    return cut.length ? recordOf(Object.entries(item.values).filter(([name]) => !cut.includes(name))) : item.values;
  }

  /** Stage a value; `seen` is what the database held when the editing began, where nothing was staged then. */
  setCell(item, column, value, seen = undefined) {
    const step = this.step(item, column, value);
    if (!step) return;
    this.history.commit([step]);
    if (seen === undefined || seen === step.base || sameValue(seen, step.base)) return;
    if (this.table.staged.contest(item.id, column.field, seen, step.base, item.by, item.previews))
      this.announce(T.changedMeanwhile(item.by, column.field), "error");
  }

  /** What a cell holds in the database; undefined where an edit is staged already, or the row is new. */
  seen(item, column) {
    return item.isNew || this.table.staged.has(item.id, column.field) ? undefined : (item.values[column.field] ?? null);
  }

  /** Take the last step back; returns its steps, or null. */
  undo() {
    this.#lost = 0;
    this.#left.clear();
    const batch = this.history.undo();
    if (batch && this.#lost === batch.length) this.announce(T.cannotUndo, "error");
    else if (this.#left.size) this.announce(sentences([T.undone, T.notRestored([...this.#left])]), "error");
    else this.announce(batch ? T.undone : T.nothingToUndo);
    return batch;
  }

  /** Do the step that was taken back; returns its steps, or null. */
  redo() {
    this.#lost = 0;
    const batch = this.history.redo();
    if (batch && this.#lost === batch.length) this.announce(T.cannotRedo, "error");
    else this.announce(batch ? T.redone : T.nothingToRedo);
    return batch;
  }

  /** Make every row of some ranges present; false, with the reason told, when that is not possible. */
  async present(ranges) {
    for (const range of ranges) if (!(await this.#present(range))) return false;
    return true;
  }

  async #present(range) {
    const { rows, cache } = this.table;
    const cells = (range.toRow - range.fromRow + 1) * (range.toCell - range.fromCell + 1);
    if (cells > CELLS_AT_ONCE) {
      this.announce(T.tooMuchToChange(cells, CELLS_AT_ONCE), "error");
      return false;
    }
    const span = rows.span(range.fromRow, range.toRow);
    if (span.to < span.from) return true;
    const rowsWanted = span.to - span.from + 1;
    const progress = setInterval(
      () => this.announce(T.readingRange(cache.countIn(span.from, span.to), rowsWanted)),
      PROGRESS_EVERY,
    );
    this.hold(1);
    try {
      await cache.want(span.from, span.to);
      return true;
    } catch (error) {
      this.announce(error.name === "AbortError" ? T.readingRangeStopped : T.couldNotRead, "error");
      return false;
    } finally {
      clearInterval(progress);
      this.hold(-1);
    }
  }

  /**
   * Change the cells of a range: `valueFor(row, cell, column, item)` gives a value, undefined for the default of a new
   * row, or SKIP. Throws of ValueError are counted. Returns {steps, refused: [{row, cell, why}]}.
   */
  collect(range, valueFor) {
    const { rows, columns } = this.table;
    const steps = [];
    const refused = [];
    for (let row = range.fromRow; row <= range.toRow; row++) {
      const item = rows.getItem(row);
      for (let cell = range.fromCell; cell <= range.toCell; cell++) {
        const column = columns[cell];
        if (!column || column.hidden || column.gutter) continue;
        let value;
        try {
          value = valueFor(row, cell, column, item);
        } catch (error) {
          if (!(error instanceof ValueError)) throw error;
          refused.push({ row, cell, why: this.reason(item, column) ?? `${column.field}: ${reasonText(error)}` });
          continue;
        }
        if (value === SKIP) continue;
        const why = this.reason(item, column);
        if (why) {
          refused.push({ row, cell, why });
          continue;
        }
        const step = this.step(item, column, value);
        if (step) steps.push(step);
      }
    }
    return { steps, refused };
  }

  /** Change the cells of a range, or of several, in one step. */
  async change(ranges, valueFor) {
    const list = [ranges ?? []].flat();
    if (!(await this.present(list))) return;
    const parts = list.map((range) => this.collect(range, valueFor));
    const steps = parts.flatMap((part) => part.steps);
    const refused = parts.flatMap((part) => part.refused);
    this.history.commit(steps);
    const told = [];
    if (steps.length > 1 || (steps.length && refused.length)) told.push(T.edited(steps.length));
    if (refused.length)
      told.push(steps.length || refused.length > 1 ? T.leftAsIs(refused.length, refused[0].why) : refused[0].why);
    this.announce(sentences(told), refused.length ? "error" : undefined);
  }

  /** Clear: NULL where the column takes it, '' in a text column that does not. */
  clear() {
    return this.change(this.table.selection.ranges, (row, cell, column) => {
      if (column.schema.nullable !== false) return null;
      return given("", column);
    });
  }

  setNull() {
    return this.change(this.table.selection.ranges, (row, cell, column) => given(null, column));
  }

  /** ''; with `loosely`, NULL in columns that are no text. */
  setEmpty(loosely = false) {
    return this.change(this.table.selection.ranges, (row, cell, column) =>
      given(loosely && !holdsEmpty(column.schema) ? null : "", column),
    );
  }

  setDefault() {
    return this.change(this.table.selection.ranges, (row, cell, column, item) => {
      if (!item?.isNew) throw new ValueError(T.noDefaultHere);
      return undefined;
    });
  }

  /** Flip a check box; NULL comes after false where the column takes it. False when the cell is none. */
  toggle(row, cell) {
    const { rows, columns } = this.table;
    const column = columns[cell];
    if (!column?.schema || kindOf(column.schema) !== "bit") return false;
    const item = rows.getItem(row);
    const why = this.reason(item, column);
    if (why) {
      this.announce(why, "error");
      return true;
    }
    const value = rows.valueOf(item, column.field);
    const on = String(value) === "1";
    this.setCell(
      item,
      column,
      on ? 0 : value === null || value === undefined || column.schema.nullable === false ? 1 : null,
    );
    return true;
  }

  /** Repeat the source over the destination, like the fill handle. */
  fill(source, destination) {
    const { rows, columns } = this.table;
    const height = source.toRow - source.fromRow + 1;
    const width = source.toCell - source.fromCell + 1;
    const wrap = (n, size) => ((n % size) + size) % size;
    return this.change(destination, (row, cell, column) => {
      if (source.contains(row, cell)) return SKIP;
      const item = rows.getItem(source.fromRow + wrap(row - source.fromRow, height));
      const from = columns[source.fromCell + wrap(cell - source.fromCell, width)];
      if (this.cut(item, from.field)) throw new ValueError("cut");
      return converted(rows.valueOf(item, from.field), column);
    });
  }

  /** Give what is written in the open editor to all selected cells; each column reads it in its own way. */
  fillSelection(editor) {
    const { sheet, selection } = this.table;
    const { isNull, newText } = editor;
    const { ranges } = selection;
    sheet.cancelEditing();
    sheet.setFocus();
    return this.change(ranges, (row, cell, column) =>
      isNull ? given(null, column) : parseValue(newText, column.schema),
    );
  }

  fillDown() {
    const { range } = this.table.selection;
    if (range && range.fromRow === range.toRow) return this.announce(T.fillNeedsRows, "warning", { until: "move" });
    if (range) return this.fill(new SlickRange(range.fromRow, range.fromCell, range.fromRow, range.toCell), range);
  }

  /**
   * Stage new rows below a grid row; returns their IDs. `left` names columns whose values could not be copied into
   * them.
   */
  insertRows(list, below = null, left = new Set()) {
    const { rows, staged } = this.table;
    const at = below === null ? Infinity : below < 0 ? 0 : placeAfter(rows, below);
    const steps = list.map((values) => ({ kind: "insert", id: newRowId(), values, at }));
    this.history.commit(steps);
    this.announce(
      sentences([T.inserted(steps.length), ...(left.size ? [T.notCopied([...left])] : [])]),
      left.size ? "error" : undefined,
    );
    return steps.map(({ id }) => id).filter((id) => staged.get(id));
  }

  /** Copies of the selected rows, without what the database gives itself. */
  async duplicateRows() {
    const { ranges } = this.table.selection;
    if (!ranges.length || !(await this.present(ranges))) return [];
    const { rows } = this.table;
    const list = [];
    const left = new Set();
    for (const row of rowsOf(ranges)) {
      const item = rows.getItem(row);
      const values = record();
      for (const column of this.table.columns) {
        if (column.gutter || column.schema.unique || column.schema.isPrimaryKey) continue;
        const value = rows.valueOf(item, column.field);
        if (!this.writable(column.field) || this.cut(item, column.field)) {
          if (this.#isPartOfCopy(column.field, value)) left.add(column.field);
          continue;
        }
        if (value !== undefined) values[column.field] = value;
      }
      list.push(values);
    }
    return this.insertRows(list, ranges.at(-1).toRow, left);
  }

  /** True when a copy of a row without the value would lack something that the database does not give itself. */
  #isPartOfCopy(name, value) {
    const column = this.table.columnOf(name);
    return (
      value !== null && value !== undefined && Boolean(column) && !column.schema.readOnly && !column.schema.isPrimaryKey
    );
  }

  /** Mark rows to be deleted; new ones just go. */
  deleteRows(items) {
    const { staged } = this.table;
    const busy = items.filter((item) => staged.get(item.id)?.state === "saving");
    if (busy.length) this.announce(T.busyRows(busy.length), "error");
    const steps = items
      .filter((item) => staged.get(item.id)?.kind !== "delete" && !busy.includes(item))
      .map((item) => {
        const entry = staged.get(item.id);
        return {
          kind: "delete",
          id: item.id,
          row: record(item.values),
          cut: this.cutColumns(item),
          isNew: Boolean(item.isNew),
          values: record(entry?.values),
          at: entry?.at ?? Math.max(0, this.table.cache.indexOf(item.id)),
        };
      });
    this.history.commit(steps);
    if (steps.length) this.announce(T.marked(steps.length));
  }

  /** Drop the edits of a row, or of some columns of it. */
  revert(entry, names = null) {
    this.#takeBack(revertSteps(entry, names));
  }

  /** Drop the staged edits of what is selected. */
  revertSelection() {
    const { rows, staged, columns, selection } = this.table;
    const { range, ranges } = selection;
    if (!range) return;
    const names = selection.isRows
      ? null
      : columns.slice(range.fromCell, range.toCell + 1).map((column) => column.field);
    const steps = [];
    for (const row of rowsOf(ranges)) {
      const entry = staged.get(rows.idAt(row));
      if (entry) steps.push(...revertSteps(entry, names));
    }
    this.#takeBack(steps);
  }

  #takeBack(steps) {
    this.history.commit(steps);
    if (steps.length) this.announce(T.reverted(steps.length));
  }

  #apply(batch, way) {
    const forwards = way === "forwards";
    this.acted();
    this.table.batch(() => {
      for (const step of batch) {
        if (step.kind === "cell") this.#applyCell(step, forwards ? step.to : step.from);
        else if (step.kind === "restore") this.#applyRestore(step, forwards);
        else if ((step.kind === "insert") === forwards) this.#applyInsert(step);
        else this.#applyDelete(step);
      }
    });
  }

  #applyCell(step, value) {
    const { rows, staged } = this.table;
    const item = rows.find(step.id);
    if (staged.get(step.id)?.kind === "insert") staged.set(step.id, step.column, value);
    else if (value === undefined || isProvisional(step.id)) this.#lost++;
    else
      staged.set(
        step.id,
        step.column,
        value,
        item && !item.isNew ? (item.values[step.column] ?? null) : step.base,
        item ? this.#whole(item) : step.row,
      );
  }

  #applyRestore({ id, row, cut }, forwards) {
    const { rows, staged } = this.table;
    const item = rows.find(id);
    if (forwards) staged.restore(id);
    else if (item || staged.get(id)) staged.remove(id, item?.values ?? row, cut, item ? (item.previews ?? {}) : null);
    else this.#lost++;
  }

  #applyInsert(step) {
    const { staged } = this.table;
    const entry = staged.get(step.id);
    if (entry?.kind === "delete") staged.restore(step.id);
    else if (step.kind === "delete" && !step.isNew && !step.saved) this.#lost++;
    else if (step.kind === "delete" && !step.isNew) {
      const values = recordOf(
        Object.entries(step.row).filter(([name]) => this.writable(name) && !step.cut.includes(name)),
      );
      for (const name of Object.keys(step.row))
        if (!(name in values) && this.#isPartOfCopy(name, step.row[name])) this.#left.add(name);
      this.history.rename(step.id, staged.insert(values, step.at));
    } else staged.insert(step.values, step.at, step.id);
  }

  #applyDelete(step) {
    const { rows, staged } = this.table;
    const entry = staged.get(step.id);
    const item = rows.find(step.id);
    if (step.kind === "insert" && entry) step.values = record(entry.values);
    if (entry || item)
      staged.remove(step.id, item?.values ?? step.row ?? record(), step.cut, item ? (item.previews ?? record()) : null);
    else this.#lost++;
  }
}

/** Leave the cell as it is. */
export const SKIP = Symbol("skip");

/** A value given by key or menu; throws ValueError when the column does not take it. */
export function given(value, column) {
  const error = refusal(value, column.schema);
  if (error) throw error;
  return value;
}

/** A value of one column as a value of another; throws ValueError when it means nothing there. */
export function converted(value, column) {
  if (value === undefined || value === null) return given(null, column);
  if (value === "") return holdsEmpty(column.schema) ? "" : given(null, column);
  return parseValue(textOf(value), exactly(column.schema));
}

/** A text from outside, read as `schema` says; an empty one is NULL where that is possible. */
export function pasted(text, column, item, schema = column.schema) {
  if (text === "") {
    if (item?.isNew) return undefined;
    return column.schema.nullable === false ? given("", column) : null;
  }
  return parseValue(text, schema);
}

const NEW = "new:";
const isProvisional = (id) => id.startsWith(NEW);

/** A provisional ID for a new row. */
export function newRowId() {
  return `${NEW}${Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => byte.toString(36)).join("")}`;
}

/** The position of the query below a grid row. */
export function placeAfter(rows, row) {
  const number = rows.numberOf(row);
  if (number !== null) return number;
  const entry = rows.staged.get(rows.idAt(row));
  return entry?.at ?? rows.span(row, row).from;
}
