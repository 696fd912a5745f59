// What stands in which row of the grid: the rows of the query, and between them the new ones of the person.

import { own, record } from "./json.js";

/**
 * Rows for the grid, over a RowCache and Staged edits.
 *
 * An item is {id, values, previews}; a new row's item has `isNew`. A new row that was saved stays where it stands until
 * the rows are read again.
 */
export class Rows {
  #extras = []; // {at, item}, by place; `at` is a position of the query
  #places = []; // the grid row of each extra

  constructor(cache, staged) {
    this.cache = cache;
    this.staged = staged;
  }

  getLength() {
    return this.cache.length + this.#extras.length;
  }

  getItem(row) {
    const extra = this.#extraAt(row);
    if (extra >= 0) return this.#extras[extra].item;
    return this.cache.at(row - this.#before(row));
  }

  getItemMetadata() {
    return null;
  }

  /** The number of a row in the query, counted from one; null for a new row. */
  numberOf(row) {
    return this.#extraAt(row) >= 0 ? null : row - this.#before(row) + 1;
  }

  /** The grid row for a position of the query. */
  rowOf(position) {
    let row = position;
    for (const { at } of this.#extras) {
      if (at > position) break;
      row++;
    }
    return row;
  }

  /** The positions of the query that lie in a range of the grid. */
  span(from, to) {
    return { from: Math.max(0, from - this.#before(from)), to: to - this.#before(to) };
  }

  idAt(row) {
    return this.getItem(row)?.id ?? null;
  }

  indexOf(id) {
    const extra = this.#extras.findIndex(({ item }) => item.id === id);
    if (extra >= 0) return this.#places[extra];
    const position = this.cache.indexOf(id);
    return position < 0 ? -1 : this.rowOf(position);
  }

  find(id) {
    return this.#extras.find(({ item }) => item.id === id)?.item ?? this.cache.find(id);
  }

  /** Bring the new rows in step with the staged ones; true when rows came or went. */
  sync() {
    const inserts = this.staged.inserts;
    const known = new Set(this.#extras.map(({ item }) => item.id));
    const wanted = new Set(inserts.map(({ id }) => id));
    const kept = this.#extras.filter(({ item }) => !item.isNew || wanted.has(item.id));
    const added = inserts.filter(({ id }) => !known.has(id));
    if (kept.length === this.#extras.length && !added.length) return false;
    this.#extras = [
      ...kept,
      ...added.map(({ id, at }) => ({ at: at ?? 0, item: { id, values: record(), previews: record(), isNew: true } })),
    ];
    this.#sort();
    return true;
  }

  /** A new row was saved: it has its row ID and values now, and stays where it is. */
  settle(id, rowId, values) {
    const extra = this.#extras.find(({ item }) => item.id === id);
    if (extra) extra.item = { id: rowId, values: record(values), previews: record(), isNew: false };
  }

  /** Forget saved new rows that came with the rows of the query; true when some did. */
  dropSettled(ids = null) {
    const kept = this.#extras.filter(({ item }) => item.isNew || (ids ? !ids.has(item.id) : false));
    if (kept.length === this.#extras.length) return false;
    this.#extras = kept;
    this.#sort();
    return true;
  }

  /** New rows that were saved and are not yet part of the query. */
  get settled() {
    return this.#extras.filter(({ item }) => !item.isNew).length;
  }

  /** Take a row out that is no more. */
  remove(id) {
    const before = this.#extras.length;
    this.#extras = this.#extras.filter(({ item }) => item.id !== id);
    const gone = this.#extras.length < before;
    const position = gone ? -1 : this.cache.indexOf(id);
    if (!gone && !this.cache.remove(id)) return false;
    if (position >= 0) for (const extra of this.#extras) if (extra.at > position) this.#place(extra, extra.at - 1);
    this.#sort();
    return true;
  }

  /** The length of the query changed: new rows keep their places or stand at the end. */
  resized() {
    this.#sort();
  }

  /** Another query: new rows stand on top, those meant for the end stay there. */
  moveToTop() {
    for (const extra of this.#extras) if (extra.at !== Infinity) this.#place(extra, 0);
    this.#sort();
  }

  #place(extra, at) {
    extra.at = at;
    const entry = this.staged.get(extra.item.id);
    if (entry?.kind === "insert") entry.at = at;
  }

  /** The value of a column: the staged one, else the row's; undefined where a new row takes its default. */
  valueOf(item, column) {
    if (!item) return undefined;
    return this.staged.value(item.id, column, item.isNew ? undefined : (own(item.values, column) ?? null));
  }

  #sort() {
    this.#extras.sort((a, b) => a.at - b.at);
    const { length } = this.cache;
    this.#places = this.#extras.map(({ at }, index) => Math.min(at, length) + index);
  }

  #before(row) {
    let low = 0;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#places[middle] < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #extraAt(row) {
    const index = this.#before(row);
    return this.#places[index] === row ? index : -1;
  }
}
