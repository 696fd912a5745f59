// Work on whole rows: new ones, copies, deletions, taking back, and what a save made of them.

import { own, recordOf } from "../data/json.js";
import { markOf, sameValue, textOf } from "../data/values.js";
import { rowsOf } from "../grid/selection.js";
import { T } from "../grid/texts.js";

const MANY = 100; // rows that a save changes without a question

/** Rows of one view. */
export class RowWork {
  constructor(view) {
    this.view = view;
  }

  /** True when the table can be written; else the reason is told. */
  #writable() {
    const { schema } = this.view.table;
    if (schema?.readOnly) this.view.announce(T.readOnlyTable(schema.readOnlyReason), "error", { until: "move" });
    return Boolean(schema) && !schema.readOnly && this.view.commit();
  }

  /** May the editor open here? A value that did not come whole opens in its own editor. */
  mayEdit(item, column, row) {
    const { view } = this;
    const why = view.edits.reason(item, column);
    if (why === T.wholeValueFirst) view.panels.openValue(row, view.table.columns.indexOf(column));
    else if (why) view.announce(why, "error", { until: "move" });
    else return true;
    return false;
  }

  insert() {
    if (!this.#writable()) return;
    const { sheet } = this.view.table;
    const [id] = this.view.edits.insertRows([{}], sheet.getActiveCell()?.row ?? sheet.shown.top - 1);
    this.view.places.goToNew(id);
  }

  async duplicate() {
    if (!this.#writable()) return;
    const [id] = await this.view.edits.duplicateRows();
    if (id) this.view.places.goToNew(id);
  }

  /** Mark the selected rows to be deleted. It can be undone: the save asks. */
  async remove() {
    if (!this.#writable()) return;
    const { view } = this;
    const { selection, rows, sheet } = view.table;
    const { ranges } = selection;
    if (!(await view.edits.present(ranges))) return;
    const items = [...rowsOf(ranges)].map((row) => rows.getItem(row));
    view.edits.deleteRows(items.filter(Boolean));
    sheet.setFocus();
  }

  /** Drop the edits of a row, or of one column of it. */
  revert(entry, name = null) {
    const { table, edits } = this.view;
    if (entry.state === "gone")
      table.staged.revert(entry.id, name); // there is no row to give the edits back to
    else edits.revert(entry, name === null ? null : [name]);
    if (!table.staged.get(entry.id) && table.gone.has(entry.id)) table.restructure(() => table.rows.remove(entry.id));
  }

  revertSelection() {
    this.view.edits.revertSelection();
  }

  /** Decide the conflict of a row: {column: "mine" | "theirs"}. */
  resolve(id, choices) {
    const { table, edits } = this.view;
    const marks = recordOf(
      Object.entries(table.staged.get(id)?.conflict ?? {}).map(([name, { preview }]) => [name, preview]),
    );
    const taken = table.staged.resolve(id, choices);
    const item = table.rows.find(id);
    if (item) this.#put(item, taken, (name) => marks[name]);
    edits.history.rebase(id, taken);
    table.repaintRow(id);
  }

  /** Stage a row that someone deleted as a new one. */
  insertAgain(id) {
    const { table, places } = this.view;
    const row = table.rows.indexOf(id);
    const at = row < 0 ? 0 : Math.max(0, (table.rows.numberOf(row) ?? 1) - 1);
    const { cut = [] } = table.staged.get(id) ?? {};
    const item = table.rows.find(id);
    const left = item ? this.view.edits.cutColumns(item) : cut;
    const fresh = table.staged.insertAgain(id, table.writable, at);
    if (left.length) this.view.announce(T.notRestored(left), "error");
    if (table.gone.delete(id)) table.restructure(() => table.rows.remove(id));
    places.goToNew(fresh);
  }

  /**
   * A save left a row that needs the person: {id, name, conflict}. Its conflict is shown, or its cell; not to
   * somebody who has gone on meanwhile, in an editor, a dialog or another table, nor over the review, which lists it
   * first.
   */
  attend({ id, name = null, conflict = false }) {
    const { table, panels, box } = this.view;
    if (!box.clientHeight || table.sheet?.getCellEditor() || document.querySelector("dialog[open]")) return;
    if (conflict) panels.decide(id);
    else if (panels.reviewShown) panels.focusReview();
    else this.view.showTold(id, name);
  }

  /** The outcome of one change; gives what is to be told of it beside the outcome. */
  settled(entry, values, result, sent) {
    const { table, edits } = this.view;
    const notes = [];
    if (result.outcome === "gone") table.gone.add(entry.id);
    if (result.outcome !== "saved") return notes;
    if (result.guard === "late") notes.push(T.guardedLate(entry.id));
    if (result.unguarded?.length) notes.push(T.unguarded(result.unguarded));
    if (result.proof === "outside" && entry.kind !== "delete") {
      table.outside.add(result.rowId ?? entry.id);
      notes.push(T.outside(result.rowId ?? entry.id));
    }
    if (entry.kind === "insert") notes.push(...this.#inserted(entry, values, result));
    else if (entry.kind === "delete") {
      edits.history.deleted(entry.id);
      this.#takeOut(entry.id);
    } else {
      const item = table.rows.find(entry.id);
      if (item) this.#put(item, values, (name) => this.#cutBy(result, sent, name));
      edits.history.rebase(entry.id, values);
      notes.push(...storedOtherwise(sent, result));
    }
    table.repaintRow(result.rowId ?? entry.id);
    return notes;
  }

  /** Take a row away that was deleted. */
  #takeOut(id) {
    const { table } = this.view;
    const { rows, selection } = table;
    const ranges = selection?.ranges ?? [];
    const row = rows.indexOf(id);
    table.restructure(() => rows.remove(id));
    selection?.rowRemoved(ranges, row);
  }

  /** Put values into a row; `preview(name)` is the mark of one of which only the start came. */
  #put(item, values, preview) {
    for (const name of Object.keys(values)) {
      item.values[name] = values[name];
      this.view.table.mark(item, name, preview(name));
    }
  }

  /** The mark of a value that an answer brought; what was sent itself is whole. */
  #cutBy({ values, previews }, sent, name) {
    const value = own(values, name);
    return value === undefined || value === own(sent, name) ? null : markOf(value, previews, name);
  }

  #inserted(entry, values, result) {
    const { table, edits } = this.view;
    const { rowId } = result;
    const known = rowId !== null && rowId !== undefined;
    if (known) {
      table.rows.settle(entry.id, rowId, values);
      const item = table.rows.find(rowId);
      if (item) this.#put(item, values, (name) => this.#cutBy(result, entry.values, name));
      edits.history.rename(entry.id, rowId);
    }
    table.restructure(() => table.rows.sync());
    return known ? storedOtherwise(entry.values, result) : [T.ambiguous];
  }

  /** Ask before rows are deleted, many rows are changed, or the value of a key changes: one question for all. */
  async confirmSave(entries) {
    const { schema, tableName } = this.view.table;
    const isKey = (column) => column.isPrimaryKey || schema.identity?.columns?.includes(column.name);
    const keys = new Set(schema.columns.filter(isKey).map((column) => column.name));
    const changed = new Set(
      entries
        .filter((entry) => entry.kind === "update")
        .flatMap((entry) => Object.keys(entry.values))
        .filter((name) => keys.has(name)),
    );
    const deleted = entries.filter(({ kind }) => kind === "delete").length;
    const written = entries.length - deleted;
    const keyText = changed.size ? T.keyText([...changed]) : null;
    if (deleted || written > MANY) {
      const place = { table: tableName, server: this.view.settings.server ?? null };
      const text = [T.saveText(deleted, written, place), deleted ? T.deleteText : null, keyText]
        .filter(Boolean)
        .join(" ");
      return this.view.ask({ title: T.saveTitle(deleted, written), text, go: T.saveGo(deleted, written) });
    }
    return !keyText || this.view.ask({ title: T.keyTitle, text: keyText, go: T.keyGo });
  }
}

/** A trigger or a type stored something else than was sent. */
function storedOtherwise(sent, { values = {} }) {
  const changed = Object.entries(sent).filter(
    ([name, value]) =>
      Object.hasOwn(values, name) && value !== undefined && value !== values[name] && !sameValue(value, values[name]),
  );
  return changed.map(([name]) =>
    T.storedAs(name, values[name] === null ? "NULL" : values[name] === "" ? "''" : textOf(values[name])),
  );
}
