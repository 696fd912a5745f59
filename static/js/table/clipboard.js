// Copy, cut and paste with spreadsheets, by the browser's own clipboard events on the focused grid: no permission
// asked, no helper field, nothing scrolls. A format of our own beside the text keeps NULL apart from ''.

import { parse, record, stringify } from "../data/json.js";
import { readTsv, writeTsv } from "../data/tsv.js";
import { Invalid, ValueError, shownText, textOf } from "../data/values.js";
import { writeText } from "../ui/clipboard.js";
import { SKIP, converted, newRowId, pasted, placeAfter } from "./edits.js";
import { rowCount, rowsOf } from "../grid/selection.js";
import { SlickRange } from "../grid/sheet.js";
import { T, reasonText, sentences } from "../grid/texts.js";

export const FORMAT = "application/x-iris-quart-cells+json";
const COPY_ROWS = 20_000;
const CONFIRM_CELLS = 1_000;
const REASONS_TOLD = 3;
const ROWS_TOLD = 5;
const CUT = { cut: true }; // stands for a value of which only the start is here
const plain = (value) => (value instanceof Invalid ? value.text : (value ?? null));
const isCutMark = (value) => value?.cut === true;

/**
 * The clipboard of one table. `confirm` asks {title, text, go} and resolves to true or false; `choose` asks
 * {title, text, choices: [[value, label], ...]} and resolves to a value, or null.
 */
export class Clipboard {
  // Given to the constructor.
  table;
  edits;
  announce;
  keys;
  confirm;
  choose;

  constructor(table, edits, { keys, announce, confirm, choose }) {
    Object.assign(this, { table, edits, keys, announce, confirm, choose });
    const container = table.sheet.getContainerNode();
    const outside = (event) =>
      event.target !== container && event.target.closest?.("input,textarea,select,[contenteditable]");
    for (const type of ["copy", "cut", "paste"]) {
      container.addEventListener(type, (event) => {
        if (!outside(event)) this[type](event);
      });
    }
  }

  get #range() {
    return this.table.selection.range;
  }

  #columns(range) {
    return this.table.columns
      .slice(range.fromCell, range.toCell + 1)
      .filter((column) => !column.hidden && !column.gutter);
  }

  /** The values of what is selected, or null when some rows are not here. */
  #grab(ranges) {
    const { rows } = this.table;
    const columns = this.#columns(ranges[0]);
    const values = [];
    for (const row of rowsOf(ranges)) {
      const item = rows.getItem(row);
      if (!item) return null;
      values.push(
        columns.map((column) => (this.edits.cut(item, column.field) ? CUT : plain(rows.valueOf(item, column.field)))),
      );
    }
    return values;
  }

  /** The values as text; one that is cut ends in an ellipsis, so that nobody takes it for the whole. */
  #text(ranges, values, headers = false) {
    const { rows } = this.table;
    const columns = this.#columns(ranges[0]);
    const places = [...rowsOf(ranges)];
    const lines = values.map((row, y) =>
      row.map((value, x) =>
        isCutMark(value)
          ? `${textOf(rows.valueOf(rows.getItem(places[y]), columns[x].field))}…`
          : shownText(value, columns[x].schema),
      ),
    );
    return writeTsv(headers ? [columns.map(({ field }) => field), ...lines] : lines);
  }

  #tellCopied(values) {
    const cut = values.flat().filter(isCutMark).length;
    this.announce(
      sentences([T.copied(values.length, values[0]?.length ?? 0), ...(cut ? [T.copiedCut(cut)] : [])]),
      cut ? "error" : undefined,
    );
  }

  copy(event) {
    const { ranges } = this.table.selection;
    if (!ranges.length) return false;
    event.preventDefault();
    const count = rowCount(ranges);
    if (count > COPY_ROWS) {
      this.announce(T.tooMuchToCopy(count, COPY_ROWS), "error");
      return false;
    }
    const values = this.#grab(ranges);
    if (!values) {
      this.#copyLater(ranges);
      return false;
    }
    event.clipboardData.setData("text/plain", this.#text(ranges, values));
    event.clipboardData.setData(FORMAT, stringify(values));
    this.#tellCopied(values);
    return true;
  }

  /** Rows that are not here are read first; then the asynchronous clipboard takes the text. */
  async #copyLater(ranges, headers = false) {
    this.announce(T.copying(rowCount(ranges)));
    if (!(await this.edits.present(ranges))) return;
    const values = this.#grab(ranges);
    if (!values) return this.announce(T.couldNotRead, "error");
    if (await writeText(this.#text(ranges, values, headers))) this.#tellCopied(values);
    else this.announce(T.copyRefused, "error");
  }

  /** For the menu, where there is no clipboard event; with `headers`, the names of the columns stand above. */
  async copySelection({ headers = false } = {}) {
    const { ranges } = this.table.selection;
    if (!ranges.length) return;
    const count = rowCount(ranges);
    if (count > COPY_ROWS) this.announce(T.tooMuchToCopy(count, COPY_ROWS), "error");
    else await this.#copyLater(ranges, headers);
  }

  async cut(event) {
    if (this.copy(event)) await this.edits.clear();
  }

  async paste(event) {
    const at = this.#range;
    event.preventDefault();
    const own = event.clipboardData.getData(FORMAT);
    const block = own ? readOwn(own) : readTsv(event.clipboardData.getData("text/plain"));
    const asRows = this.keys.pasteAsRows;
    this.keys.pasteAsRows = false;
    if (block?.length) await this.pasteBlock(block, { at, own: Boolean(own), asRows });
    else this.announce(T.nothingToPaste, "error");
  }

  /** Put a block of values or texts at a range: one value fills it, a block tiles it or grows over new rows. */
  async pasteBlock(block, { at, own = false, asRows = false }) {
    const { table, edits } = this;
    if (table.schema.readOnly) return this.announce(T.readOnlyTable(table.schema.readOnlyReason), "error");
    const width = Math.max(...block.map((row) => row.length));
    const fromCell = asRows || !at ? (at?.fromCell ?? table.selection.firstCell) : at.fromCell;
    const targets = this.#targets(fromCell, at, width);
    const isHeader = block.length > 1 && this.#isHeader(block[0], fromCell, targets);
    if (isHeader) block = block.slice(1);
    const beyond = Math.max(0, width - targets.filter((source) => source < width).length);
    const length = table.sheet.getDataLength();
    const fromRow = asRows || !at ? length : at.fromRow;
    const repeats =
      !asRows && at && (at.toRow - at.fromRow + 1) % block.length === 0
        ? (at.toRow - at.fromRow + 1) / block.length
        : 1;
    const height = block.length * repeats;
    const existing = Math.max(0, Math.min(height, length - fromRow));
    const added = height - existing;
    const cells = height * Math.min(width, targets.length);
    if (
      (cells > CONFIRM_CELLS || added > 100) &&
      !(await this.confirm({ title: T.pasteTitle(cells), text: T.pasteText(cells, added), go: T.paste }))
    )
      return;
    const readers = own ? new Map() : await this.#readers(block, fromCell, targets);
    if (!readers) return this.announce(T.notPastedYet);
    const invalid = []; // what its column refuses stays in its cell, to be corrected
    const locked = new Set(); // columns that cannot be edited: a copied row brings its key along
    const valueFor = (row, column, item, source) => {
      const value = block[row % block.length]?.[source];
      if (value === undefined) return SKIP;
      if (!column.editable) {
        locked.add(column);
        return SKIP;
      }
      if (isCutMark(value)) throw new ValueError("cut");
      try {
        return own ? converted(value, column) : pasted(value, column, item, readers.get(column));
      } catch (error) {
        if (!(error instanceof ValueError) || (item && edits.reason(item, column) && !item.isNew)) throw error;
        invalid.push({ row: row < existing ? fromRow + row : null, why: `${column.field}: ${reasonText(error)}` });
        return new Invalid(textOf(value), error);
      }
    };
    const range = new SlickRange(fromRow, fromCell, fromRow + height - 1, fromCell + targets.length - 1);
    const present = existing ? new SlickRange(fromRow, fromCell, fromRow + existing - 1, range.toCell) : null;
    if (present && !(await edits.present([present]))) return;
    const { steps, refused } = present
      ? edits.collect(present, (row, cell, column, item) =>
          valueFor(row - fromRow, column, item, targets[cell - fromCell] ?? -1),
        )
      : { steps: [], refused: [] };
    const beside = asRows && at ? at.toRow : null; // new rows stand where the person is
    const inserts = [];
    for (let row = existing; row < height; row++) {
      inserts.push({
        kind: "insert",
        id: newRowId(),
        at: beside === null ? Infinity : placeAfter(table.rows, beside),
        values: this.#newRow(row, fromCell, targets, valueFor, refused),
      });
    }
    edits.history.commit([...steps, ...inserts]);
    const first = inserts.length && beside !== null ? table.rows.indexOf(inserts[0].id) : fromRow;
    table.selection.range = new SlickRange(first, fromCell, first + height - 1, range.toCell);
    if (first !== fromRow) table.sheet.scrollRowIntoView(first);
    const told = []; // what went wrong first, for the status bar cuts the end
    if (invalid.length) told.push(this.#refusals(invalid, T.invalidPasted));
    if (refused.length) told.push(this.#refusals(refused, T.notPasted));
    if (isHeader) told.push(T.headerLeftOut);
    if (steps.length || inserts.length)
      told.push(T.edited(steps.length + inserts.reduce((sum, { values }) => sum + Object.keys(values).length, 0)));
    if (inserts.length) told.push(T.inserted(inserts.length));
    if (beyond) told.push(T.pasteBeyond(beyond));
    if (!steps.length && !inserts.length && !refused.length)
      for (const column of locked) told.push(edits.reason(null, column));
    this.announce(
      sentences(told),
      invalid.length || refused.length || beyond || (locked.size && !steps.length) ? "error" : undefined,
    );
  }

  /**
   * How each column reads the texts of a block: what they prove together, else what the person answers. Null when the
   * question was dismissed.
   */
  async #readers(block, fromCell, targets) {
    const readers = new Map();
    const { mannerOf, readerOf } = await import("../data/column-reading.js");
    for (const [offset, source] of targets.entries()) {
      const column = this.table.columns[fromCell + offset];
      if (source < 0 || !column.editable) continue;
      const found = mannerOf(
        block.map((row) => textOf(row[source])),
        column.schema,
      );
      const reader = await readerOf(column.schema, found, this.choose);
      if (!reader) return null;
      readers.set(column, reader);
    }
    return readers;
  }

  /** Whether the first row of a block holds the names of the columns that it falls on. */
  #isHeader(first, fromCell, targets) {
    const names = targets
      .map((source, offset) => [source, this.table.columns[fromCell + offset]])
      .filter(([source]) => source >= 0);
    const said = (text) => textOf(text).trim().toLowerCase();
    return (
      names.length === first.length &&
      names.every(([source, column]) => said(first[source]) === column.field.toLowerCase())
    );
  }

  /** For each grid column from the first on, which column of the block it takes: hidden ones take none. */
  #targets(fromCell, at, width) {
    const columns = this.table.columns;
    const selected = at ? columns.slice(at.fromCell, at.toCell + 1).filter((column) => !column.hidden).length : 1;
    const wanted = selected % width === 0 ? selected : width;
    const targets = [];
    let source = 0;
    for (let cell = fromCell; cell < columns.length && source < wanted; cell++) {
      targets.push(columns[cell].hidden ? -1 : source++ % width);
    }
    return targets;
  }

  /** What was refused and where, by reason. */
  #refusals(refused, say) {
    const reasons = [...Map.groupBy(refused, ({ why }) => why)];
    const texts = reasons.slice(0, REASONS_TOLD).map(([why, cells]) => {
      // a new row has no number
      const rows = new Set(cells.map(({ row }) => (row === null ? null : this.table.rows.numberOf(row))));
      const inNew = rows.delete(null);
      return T.whyInRows(why, [...rows].slice(0, ROWS_TOLD), rows.size > ROWS_TOLD, inNew);
    });
    return say(refused.length, texts, reasons.length - texts.length);
  }

  #newRow(row, fromCell, targets, valueFor, refused) {
    const values = record();
    targets.forEach((source, offset) => {
      const column = this.table.columns[fromCell + offset];
      if (source < 0 || !column.editable) return;
      try {
        const value = valueFor(row, column, { isNew: true }, source);
        if (value !== SKIP && value !== undefined) values[column.field] = value;
      } catch (error) {
        refused.push({ row: null, cell: fromCell + offset, why: `${column.field}: ${reasonText(error)}` });
      }
    });
    return values;
  }
}

function readOwn(text) {
  try {
    const block = parse(text);
    return Array.isArray(block) && block.every(Array.isArray) ? block : null;
  } catch {
    return null;
  }
}
