// The order in which the changes of one table are saved: no unique value is taken before another row has left it.

import { isNumber, own } from "./json.js";
import { plainNumber } from "./values.js";

const RANK = { delete: 0, update: 1, insert: 2 };

/**
 * Order entries for a save: deletions, changes, new rows, each after what it depends on.
 *
 * A row that takes a unique value waits for the row that leaves it; a row that refers to another row of the table is
 * written after that one, and deleted before it. Rows that exchange unique values wait for each other.
 *
 * @param {object[]} entries of Staged
 * @param {object} schema of the table
 * @returns {{order: object[], stuck: {entry: object, columns: string[], rows: object[]}[]}} `stuck` holds what
 * cannot be
 *   saved in any order: the columns whose values would be there twice, and the rows that have those values
 */
export function saveOrder(entries, schema) {
  const graph = new Graph(entries);
  for (const columns of uniqueKeys(schema)) leaveBeforeTake(graph, columns);
  for (const column of schema.columns ?? []) if (refersToItself(column, schema)) parentsFirst(graph, column, schema);
  const { order, left } = graph.sorted();
  return { order, stuck: left.map((entry) => ({ entry, ...graph.blockers(entry, left) })) };
}

/** The sets of columns in which no two rows may have the same values. */
function uniqueKeys({ columns = [], uniqueKeys: keys = [] }) {
  const primary = columns.filter(({ isPrimaryKey }) => isPrimaryKey).map(({ name }) => name);
  const single = columns.filter(({ unique }) => unique).map(({ name }) => [name]);
  const known = new Map([...single, ...keys, primary].map((names) => [JSON.stringify(names), names]));
  return [...known.values()].filter(({ length }) => length > 0);
}

const refersToItself = ({ references }, { tableName }) =>
  Boolean(references) && references.table?.toLowerCase() === tableName?.toLowerCase();

/** The value that a row has in the database, as far as it is known. */
const before = (entry, name) =>
  entry.kind === "insert" ? undefined : name in entry.base ? entry.base[name] : own(entry.row, name);

/** The value that a row has after the save; undefined where the database gives it, or the row is gone. */
const after = (entry, name) =>
  entry.kind === "delete" ? undefined : name in entry.values ? entry.values[name] : before(entry, name);

/** A key's values as one text; null where it is not unique: with a NULL in it, or a value that is not known. */
function keyText(entry, columns, side) {
  const values = columns.map((name) => side(entry, name));
  if (values.some((value) => value === null || value === undefined)) return null;
  return JSON.stringify(values.map((value) => (isNumber(value) ? plainNumber(String(value)) : String(value))));
}

function leaveBeforeTake(graph, columns) {
  const leaving = new Map(); // key -> the entry that has it now
  const leavingFolded = new Map();
  const moves = [];
  for (const entry of graph.entries) {
    if (entry.kind === "update" && !columns.some((name) => name in entry.values)) continue;
    const [from, to] = [keyText(entry, columns, before), keyText(entry, columns, after)];
    if (from === to) continue;
    if (from !== null) {
      leaving.set(from, entry);
      leavingFolded.set(from.toUpperCase(), entry);
    }
    if (to !== null) moves.push([entry, to]);
  }
  for (const [entry, to] of moves) {
    const holder = leaving.get(to);
    if (holder) graph.add(holder, entry, { columns });
    // Most text columns compare without letter case; where this one does not, the edge is no more than a preference.
    const folded = leavingFolded.get(to.toUpperCase());
    if (folded && folded !== holder) graph.add(folded, entry, { soft: true });
  }
}

function parentsFirst(graph, { name, references }, { identity }) {
  const key = (entry, side) =>
    side(entry, references.column) ??
    (identity?.columns?.includes(references.column) && entry.kind !== "insert" ? entry.id : undefined);
  const [has, had] = [new Map(), new Map()];
  for (const entry of graph.entries) {
    const [from, to] = [key(entry, before), key(entry, after)];
    if (entry.kind !== "delete" && to !== undefined && to !== null && to !== from) has.set(String(to), entry);
    if (from !== undefined && from !== null && (entry.kind === "delete" || from !== to)) had.set(String(from), entry);
  }
  for (const entry of graph.entries) {
    const [from, to] = [before(entry, name), after(entry, name)];
    const parent = to === undefined || to === null || to === from ? null : has.get(String(to));
    if (parent) graph.add(parent, entry, { soft: true });
    const old = from === undefined || from === null || from === to ? null : had.get(String(from));
    if (old) graph.add(entry, old, { soft: true });
  }
}

/** Entries and which of them must be saved before which. */
class Graph {
  #edges = new Map(); // entry -> [{to, soft, columns}]

  constructor(entries) {
    this.entries = entries;
  }

  /** `from` is saved before `to`; a soft edge gives way where it would stop the save. */
  add(from, to, { soft = false, columns = [] }) {
    if (from === to) return;
    if (!this.#edges.has(from)) this.#edges.set(from, []);
    this.#edges.get(from).push({ to, soft, columns });
  }

  /** Entries in order; `left` are those that hang on a circle of hard edges. */
  sorted() {
    const order = this.#sort(this.entries, () => true);
    if (order.length === this.entries.length) return { order, left: [] };
    const done = new Set(order);
    const rest = this.entries.filter((entry) => !done.has(entry));
    order.push(...this.#sort(rest, ({ soft }) => !soft));
    const all = new Set(order);
    return { order, left: rest.filter((entry) => !all.has(entry)) };
  }

  /** Kahn's algorithm with one queue for each kind, so that what is free goes in the usual order. */
  #sort(entries, counts) {
    const waits = new Map(entries.map((entry) => [entry, 0]));
    const edgesOf = (entry) => (this.#edges.get(entry) ?? []).filter((edge) => counts(edge) && waits.has(edge.to));
    for (const entry of entries) for (const { to } of edgesOf(entry)) waits.set(to, waits.get(to) + 1);
    const queues = [[], [], []];
    const free = (entry) => queues[RANK[entry.kind]].push(entry);
    for (const entry of entries) if (waits.get(entry) === 0) free(entry);
    const heads = [0, 0, 0];
    const order = [];
    for (;;) {
      const rank = queues.findIndex((queue, index) => heads[index] < queue.length);
      if (rank < 0) return order;
      const entry = queues[rank][heads[rank]++];
      order.push(entry);
      for (const { to } of edgesOf(entry)) {
        waits.set(to, waits.get(to) - 1);
        if (waits.get(to) === 0) free(to);
      }
    }
  }

  /** What an entry of `left` waits for: rows of it that have its value, and in which columns. */
  blockers(entry, left) {
    const into = this.#into(left).get(entry) ?? [];
    return { columns: [...new Set(into.flatMap(({ columns }) => columns))], rows: into.map(({ from }) => from) };
  }

  #intoLeft = null;

  #into(left) {
    if (this.#intoLeft) return this.#intoLeft;
    const into = new Map(left.map((entry) => [entry, []]));
    for (const from of left)
      for (const { to, soft, columns } of this.#edges.get(from) ?? []) if (!soft) into.get(to)?.push({ from, columns });
    this.#intoLeft = into;
    return into;
  }
}
