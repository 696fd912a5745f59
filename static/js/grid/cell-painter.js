// How cells and rows look at this moment: values with their staged edits, states with their reasons.

import { own } from "../data/json.js";
import { invalidIn } from "../data/staged.js";
import { Invalid, textOf } from "../data/values.js";
import { paintGutter, paintValue, paintWaiting } from "./cell-nodes.js";
import { T, reasonText } from "./texts.js";

const FLASH = 1600;

/** The painter of a sheet. */
export class Look {
  #flashes = new Map(); // row ID -> Set of columns

  constructor(table, header) {
    this.table = table;
    this.head = header;
  }

  header(node, column) {
    this.head.header(node, column);
  }

  filter(node, column) {
    this.head.filter(node, column);
  }

  cell(node, row, cell, item) {
    const { table } = this;
    const column = table.columns[cell];
    if (column.gutter) {
      const entry = item && table.staged.get(item.id);
      const state = this.#rowState(item, entry);
      return paintGutter(
        node,
        table.rows.numberOf(row),
        state,
        entry ? rowWhy(entry) : state === "outside" ? T.outsideRow : null,
      );
    }
    if (!item) return paintWaiting(node, column.schema, row);
    const entry = table.staged.get(item.id);
    const name = column.field;
    const changed = entry !== undefined && name in entry.values;
    const value = table.rows.valueOf(item, name);
    const deleted = entry?.kind === "delete";
    const state = this.#cellState(item, name, entry, changed);
    paintValue(node, column.schema, {
      value,
      preview: changed ? null : (own(item.previews, name) ?? null),
      state,
      why: cellWhy(entry, name, item, state),
      editable: column.editable && !deleted,
      reason: column.schema.readOnlyReason ?? T.readOnly,
    });
  }

  /** What is wrong with a cell or else with its row, in words; null where nothing is. */
  problem(item, name) {
    const entry = item && this.table.staged.get(item.id);
    if (!entry) return null;
    const state = this.#cellState(item, name, entry, name in entry.values);
    return (["conflict", "error", "unknown"].includes(state) && cellWhy(entry, name, item, state)) || rowWhy(entry);
  }

  row(nodes, row, item) {
    const entry = item && this.table.staged.get(item.id);
    const state = this.#rowState(item, entry);
    for (const node of nodes) {
      if (item) node.dataset.rowId = item.id;
      else delete node.dataset.rowId;
      node.classList.remove("new-row");
      node.classList.toggle("loading", !item);
      node.classList.toggle("is-new", entry?.kind === "insert");
      node.classList.toggle("is-deleted", entry?.kind === "delete" || state === "gone");
    }
  }

  #rowState(item, entry) {
    if (!item) return null;
    if (!entry) return this.table.gone.has(item.id) ? "gone" : this.table.outside.has(item.id) ? "outside" : null;
    if (["saving", "error", "conflict", "gone", "unknown"].includes(entry.state)) return entry.state;
    if (invalidIn(entry).length) return "error";
    return { insert: "new", delete: "deleted", update: "changed" }[entry.kind];
  }

  #cellState(item, name, entry, changed) {
    if (this.#flashes.get(item.id)?.has(name)) return changed ? "conflict" : "others";
    if (!entry) return null;
    if (own(entry.conflict, name)) return "conflict";
    if (changed && entry.kind !== "delete" && entry.values[name] instanceof Invalid) return "error";
    if (entry.state === "error" && (entry.error?.field === name || (changed && !entry.error?.field))) return "error";
    if (!changed || entry.kind !== "update") return null;
    return { saving: "saving", unknown: "unknown" }[entry.state] ?? "changed";
  }

  /** Let cells that someone else changed show it for a moment. */
  flash(id, names) {
    const flashing = this.#flashes.get(id) ?? new Set();
    for (const name of names) flashing.add(name);
    this.#flashes.set(id, flashing);
    setTimeout(() => {
      for (const name of names) flashing.delete(name);
      if (!flashing.size && this.#flashes.get(id) === flashing) this.#flashes.delete(id);
      this.table.repaintRow(id);
    }, FLASH);
  }
}

function cellWhy(entry, name, item, state) {
  if (!entry) return null;
  const conflict = own(entry.conflict, name);
  if (conflict) return T.becameBy(entry.by, theirsText(conflict));
  const value = own(entry.values, name);
  if (state === "error") return value instanceof Invalid ? T.invalidCell(reasonText(value)) : errorText(entry.error);
  if (state === "unknown") return T.unknownOutcome;
  if (state === "saving") return T.saving;
  if (state === "changed") return T.was(shown(entry.base[name]));
  return null;
}

function rowWhy(entry) {
  if (entry.state === "error") return errorText(entry.error);
  if (entry.state === "gone") return goneText(entry);
  const [name] = invalidIn(entry);
  if (name !== undefined) return invalidText(entry, name);
  if (entry.state === "unknown") return entry.kind === "insert" ? T.unknownNewRow : T.unknownOutcome;
  return null;
}

/** Why a row cannot be saved as it is. */
export const invalidText = (entry, name) => `${name}: ${T.invalidCell(reasonText(entry.values[name]))}`;

/** What is told of a row that is not there any more. */
export const goneText = (entry) => (entry.outside ? errorText(entry.error) : T.goneBy(entry.by));

const shown = (value) =>
  value === null ? "NULL" : value === "" ? "''" : value === undefined ? T.default : textOf(value);

/** The other side of a conflict, with an ellipsis where only its start came. */
export const theirsText = ({ theirs, preview }) => `${shown(theirs)}${preview ? "…" : ""}`;

/** An error of a row in words: the sentence, then IRIS's own. */
export function errorText(error) {
  if (!error) return "";
  const code = error.sqlcode === undefined || error.sqlcode === null ? "" : `SQLCODE ${error.sqlcode}: `;
  return [error.message, error.serverText && `${code}${error.serverText}`].filter(Boolean).join("\n");
}
