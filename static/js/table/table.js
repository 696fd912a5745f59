// What the parts of a table's grid share: rows, staged edits, columns, query, and repainting.

import { Filters } from "../data/filters.js";
import { record } from "../data/json.js";
import { Layout } from "../data/layout.js";
import { RowCache } from "../data/rowcache.js";
import { Rows } from "../data/rows.js";
import { Staged } from "../data/staged.js";

/** The model of one open table. The view sets `sheet`, `selection`, `box` and `edits` when they are there. */
export class Table {
  schema = null;
  columns = [];
  filters = new Filters();
  sort = [];
  search = "";
  layout = new Layout();
  measured = new Map(); // widths that fit the first rows, by column name
  gone = new Set(); // IDs of rows that others deleted, still shown
  outside = new Set(); // IDs of rows that were saved and that the view no longer shows
  sheet = null;
  selection = null;
  box = null;
  edits = null;
  #batched = null;

  constructor({ namespace, tableName, load, pageSize, onRows, onLength, onError, onStaged, times }) {
    this.namespace = namespace;
    this.tableName = tableName;
    this.onStaged = onStaged;
    this.staged = new Staged({ onChange: (ids) => this.#changed(ids), times });
    this.cache = new RowCache({ load, pageSize, onRows, onLength, onError });
    this.rows = new Rows(this.cache, this.staged);
  }

  columnOf(name) {
    return this.columns.find((column) => column.field === name && !column.gutter);
  }

  columnById(id) {
    return this.columns.find((column) => String(column.id) === String(id));
  }

  writable = (name) => Boolean(this.edits?.writable(name));

  /** Say whether only the start of a row's value is here: `preview` is its mark, or null where it is whole. */
  mark(item, name, preview) {
    item.previews ??= record();
    if (preview) item.previews[name] = preview;
    else delete item.previews[name];
  }

  /** Do many staged changes and repaint once. */
  batch(change) {
    if (this.#batched) return change();
    this.#batched = new Set();
    try {
      return change();
    } finally {
      const ids = this.#batched;
      this.#batched = null;
      this.onStaged(ids.has(null) ? null : [...ids]);
    }
  }

  #changed(ids) {
    if (!this.#batched) return this.onStaged(ids);
    if (ids === null) this.#batched.add(null);
    else for (const id of ids) this.#batched.add(id);
  }

  /** Draw again after rows came or went, without losing what is being typed; `change` makes them come or go. */
  restructure(change = () => undefined) {
    if (!this.sheet) change();
    else this.sheet.restructure(change, (id) => this.rows.indexOf(id));
  }

  repaintRow(id) {
    const row = this.rows.indexOf(id);
    if (row >= 0) this.sheet?.updateRow(row);
  }

  /** What a person may come back to: no row, only how it is looked at. */
  get view() {
    return {
      filters: this.filters.list.map((filter) => ({ ...filter })),
      sort: this.sort.map((entry) => ({ ...entry })),
      search: this.search,
    };
  }
}
