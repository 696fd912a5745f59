// Staged edits of one table, by row ID: what the person changed, what they had seen, and what became of it.

import { parse, stringify } from "./json.js";
import { sameValue } from "./values.js";

const VERSION = 1;
// The server keeps the result of a write for 15 minutes; within that the same id may be sent again without harm.
const ASK_AGAIN_MS = 10 * 60_000;

const randomId = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

/**
 * The edits of a table.
 *
 * An entry: {id, kind: "update" | "insert" | "delete", values, base, row, at, state, error, conflict, by, sent}.
 * `row` holds the row as it was seen, `base` the seen value of each changed column; `state` is one of
 * staged, saving, error, conflict, gone, unknown. `onChange` gets the IDs that changed, or null for all.
 */
export class Staged {
  entries = new Map();

  constructor({ onChange = () => {}, now = Date.now } = {}) {
    this.onChange = onChange;
    this.now = now;
  }

  get(id) {
    return this.entries.get(id);
  }

  /** True when the column of the row has a staged value. */
  has(id, column) {
    const entry = this.entries.get(id);
    return entry !== undefined && column in entry.values;
  }

  /** The value to show: the staged one, else the given one; a new row's column without a value is undefined (its default). */
  value(id, column, original) {
    const entry = this.entries.get(id);
    return entry && column in entry.values ? entry.values[column] : original;
  }

  /** Stage a value. `original` is what the database is known to hold, `row` the whole row as seen. */
  set(id, column, value, original, row) {
    let entry = this.entries.get(id);
    if (!entry) {
      entry = { id, kind: "update", values: {}, base: {}, row: { ...row }, state: "staged" };
      this.entries.set(id, entry);
    }
    if (entry.kind === "insert") {
      if (value === undefined) delete entry.values[column];
      else entry.values[column] = value;
    } else {
      if (!(column in entry.base)) entry.base[column] = original;
      entry.values[column] = value;
      // While the row is being saved the database may take either value: the answer decides what is left.
      if (value === undefined || (sameValue(value, entry.base[column]) && entry.state !== "saving")) {
        this.#unset(entry, column);
      }
    }
    this.#touched(entry, column);
    this.#tidy(entry);
    this.onChange([id]);
  }

  /** Stage a new row at a place; returns its provisional ID. */
  insert(values = {}, at = Infinity, id = `new:${randomId()}`) {
    this.entries.set(id, { id, kind: "insert", values: { ...values }, base: {}, row: {}, at, state: "staged" });
    this.onChange([id]);
    return id;
  }

  /**
   * Stage the deletion of a row; a new row just goes. False while the row is being saved: its answer must find it.
   * `cut` names columns of which only the start is known; `previews` marks them with their lengths, and is null when
   * those are not known.
   */
  remove(id, row, cut = [], previews = null) {
    const entry = this.entries.get(id);
    if (entry?.state === "saving") return false;
    if (entry?.kind === "insert") this.entries.delete(id);
    else if (entry) {
      Object.assign(entry, { kind: "delete", row: { ...row, ...entry.row }, cut, previews, state: "staged", error: null });
    } else {
      const seen = { row: { ...row }, cut, previews };
      this.entries.set(id, { id, kind: "delete", values: {}, base: {}, ...seen, state: "staged" });
    }
    this.onChange([id]);
    return true;
  }

  /** Take a staged deletion back, unless it is being saved; edits made before it are there again. */
  restore(id) {
    const entry = this.entries.get(id);
    if (entry?.kind !== "delete" || entry.state === "saving") return;
    Object.assign(entry, { kind: "update", state: entry.conflict ? "conflict" : "staged", error: null });
    this.#tidy(entry);
    this.onChange([id]);
  }

  /** Drop every edit of a row, or of one column of it, unless it is being saved. */
  revert(id, column = null) {
    const entry = this.entries.get(id);
    if (!entry || entry.state === "saving") return;
    if (column !== null && entry.kind === "update") {
      this.#unset(entry, column);
      this.#touched(entry, column);
      this.#tidy(entry);
    } else this.entries.delete(id);
    this.onChange([id]);
  }

  /** Drop everything but what is being saved. */
  clear() {
    for (const [id, entry] of this.entries) if (entry.state !== "saving") this.entries.delete(id);
    this.onChange(null);
  }

  /** {changed: cells, inserted: rows, deleted: rows, rows} */
  get counts() {
    const counts = { changed: 0, inserted: 0, deleted: 0, rows: this.entries.size };
    for (const entry of this.entries.values()) {
      if (entry.kind === "insert") counts.inserted++;
      else if (entry.kind === "delete") counts.deleted++;
      else counts.changed += Object.keys(entry.values).length;
    }
    return counts;
  }

  get inserts() {
    return [...this.entries.values()].filter((entry) => entry.kind === "insert");
  }

  /** What may be sent: no row that waits for a decision, and none that is on its way. */
  get savable() {
    return [...this.entries.values()].filter((entry) => entry.state !== "saving" && !this.#waits(entry));
  }

  /** What waits for the person. */
  get undecided() {
    return [...this.entries.values()].filter((entry) => this.#waits(entry));
  }

  /** A new row of unknown outcome has no guard: once the server has forgotten its id, sending it might make it twice. */
  #waits(entry) {
    return entry.state === "conflict" || entry.state === "gone" || (entry.state === "unknown" && entry.kind === "insert" && !this.#isRemembered(entry));
  }

  #isRemembered(entry) {
    return Boolean(entry.sent?.at) && this.now() - entry.sent.at < ASK_AGAIN_MS;
  }

  /** The person says that a new row of unknown outcome is not in the table: it is sent like one never sent. */
  sendAnew(id) {
    Object.assign(this.entries.get(id), { state: "staged", error: null, sent: null });
    this.onChange([id]);
  }

  /**
   * The change of the wire for an entry that is about to be sent. The same content keeps its id, so that sending it again is
   * harmless; another content gets another one.
   */
  change(entry, writable = () => true) {
    const change = this.#wire(entry, writable);
    const content = stringify(change);
    // The server itself may not know: asked once more under a new id, the guard finds out and nothing happens twice.
    // A new row has no guard, so it keeps its id.
    const again = entry.sent?.unknown && entry.kind !== "insert";
    if (entry.sent?.content !== content || again) entry.sent = { changeId: randomId(), content, at: null };
    entry.sent.values = { ...change.values };
    return { changeId: entry.sent.changeId, ...change };
  }

  /** The changes that would be sent, to be looked at: the id under which an entry was sent stays, for its outcome is asked by it. */
  preview(entries, writable) {
    return entries.map((entry, index) => ({ changeId: `preview-${index}`, ...this.#wire(entry, writable) }));
  }

  #wire(entry, writable) {
    // A new row that may be in the table is asked for as it was sent, else it might be there twice. What was typed since is
    // an edit of it.
    if (entry.kind === "insert" && entry.state === "unknown" && entry.sent) return parse(entry.sent.content);
    const change = { kind: entry.kind };
    if (entry.kind !== "insert") change.rowId = entry.id;
    if (entry.kind !== "delete") change.values = { ...entry.values };
    if (entry.kind === "update") change.base = { ...entry.base };
    if (entry.kind === "delete") change.base = Object.fromEntries(Object.entries(entry.row).filter(([name]) => writable(name)));
    if (entry.kind === "delete" && entry.previews) change.previews = { ...entry.previews };
    return change;
  }

  /** The entries are on their way. */
  sending(entries) {
    for (const entry of entries) {
      entry.state = "saving";
      entry.error = null;
      entry.sent.at = this.now();
    }
    this.onChange(entries.map((entry) => entry.id));
  }

  /** The entries did not leave, or nothing is known of them. */
  unsent(entries, state = "staged", error = null) {
    for (const entry of entries) if (entry.state === "saving") Object.assign(entry, { state, error });
    this.onChange(entries.map((entry) => entry.id));
  }

  byChangeId(changeId) {
    for (const entry of this.entries.values()) if (entry.sent?.changeId === changeId) return entry;
    return undefined;
  }

  /**
   * Take the outcome of a change in. Returns {entry, saved}: `saved` holds the values that the database has now,
   * for a new row with its `rowId`.
   */
  settle(result) {
    const entry = this.byChangeId(result.changeId);
    if (!entry) return null;
    const { outcome } = result;
    let saved = null;
    if (outcome === "saved") {
      saved = { ...entry.sent.values, ...result.values };
      this.#saved(entry, result, saved);
    } else if (outcome === "conflict") {
      entry.state = "conflict";
      entry.conflict = result.conflict ?? {};
      entry.error = result.error ?? null;
    } else {
      entry.state = { gone: "gone", unknown: "unknown", skipped: "staged" }[outcome] ?? "error";
      entry.outside = outcome === "gone" && result.proof === "outside"; // not deleted: only the view does not show it
      entry.error = result.error ?? null;
    }
    if (outcome === "unknown") entry.sent.unknown = true;
    else if (outcome !== "saved") entry.sent = null; // another try is another write
    this.onChange([entry.id]);
    return { entry, saved };
  }

  #saved(entry, result, saved) {
    const sent = entry.sent;
    Object.assign(entry, { state: "staged", error: null, conflict: null, sent: null });
    if (entry.kind === "delete") this.entries.delete(entry.id);
    else if (entry.kind === "insert") {
      this.entries.delete(entry.id);
      const later = Object.keys(entry.values).filter((name) => !sameValue(entry.values[name], sent.values[name]));
      if (later.length && result.rowId !== null && result.rowId !== undefined) {
        const values = Object.fromEntries(later.map((name) => [name, entry.values[name]]));
        const base = Object.fromEntries(later.map((name) => [name, saved[name] ?? null]));
        this.entries.set(result.rowId, { id: result.rowId, kind: "update", values, base, row: saved, state: "staged" });
      }
    } else {
      Object.assign(entry.row, saved);
      for (const name of Object.keys(sent.values)) {
        if (!(name in entry.values)) continue;
        entry.base[name] = saved[name];
        if (sameValue(entry.values[name], sent.values[name]) || sameValue(entry.values[name], saved[name])) this.#unset(entry, name);
      }
      this.#tidy(entry);
    }
  }

  /**
   * Someone else changed a row. Returns the columns that are now in conflict.
   * What is staged stays; the same value from both sides is no edit any more.
   */
  rebase(id, theirs, by = null) {
    const entry = this.entries.get(id);
    if (!entry || entry.kind === "insert" || entry.state === "saving") return [];
    const columns = [];
    for (const [name, value] of Object.entries(theirs)) {
      if (entry.kind === "delete") {
        if (!(name in entry.row) || sameValue(entry.row[name], value)) continue;
        entry.conflict = { ...entry.conflict, [name]: { base: entry.row[name], mine: entry.row[name], theirs: value } };
        columns.push(name);
        continue;
      }
      entry.row[name] = value;
      if (!(name in entry.values) || sameValue(entry.base[name], value)) continue;
      if (sameValue(entry.values[name], value)) {
        entry.base[name] = value;
        this.#unset(entry, name);
        continue;
      }
      entry.conflict = { ...entry.conflict, [name]: { base: entry.base[name], mine: entry.values[name], theirs: value } };
      columns.push(name);
    }
    if (columns.length) Object.assign(entry, { state: "conflict", by });
    this.#tidy(entry);
    this.onChange([id]);
    return columns;
  }

  /** A value was typed over one that someone changed while it was typed: what was seen is the base. True when it is a conflict. */
  contest(id, column, seen, theirs, by = null) {
    const entry = this.entries.get(id);
    if (!entry || entry.kind !== "update" || !(column in entry.values)) return false;
    entry.base[column] = seen;
    return this.rebase(id, { [column]: theirs }, by).length > 0;
  }

  /** Someone else deleted a row that has edits. Returns true when a decision is needed. */
  gone(id, by = null) {
    const entry = this.entries.get(id);
    if (!entry || entry.kind === "insert" || entry.state === "saving") return false;
    if (entry.kind === "delete") this.entries.delete(id);
    else Object.assign(entry, { state: "gone", by, sent: null });
    this.onChange([id]);
    return this.entries.has(id);
  }

  /** Decide a conflict: {column: "mine" | "theirs"}; returns the values to take over from the other side. */
  resolve(id, choices) {
    const entry = this.entries.get(id);
    const taken = {};
    for (const [name, choice] of Object.entries(choices)) {
      const conflict = entry?.conflict?.[name];
      if (!conflict) continue;
      entry.row[name] = conflict.theirs;
      taken[name] = conflict.theirs;
      if (entry.kind === "update") {
        entry.base[name] = conflict.theirs;
        if (choice === "theirs" || sameValue(entry.values[name], conflict.theirs)) this.#unset(entry, name);
      }
      delete entry.conflict[name];
    }
    if (entry && !Object.keys(entry.conflict ?? {}).length) Object.assign(entry, { conflict: null, state: "staged", error: null, sent: null });
    if (entry) this.#tidy(entry);
    this.onChange([id]);
    return taken;
  }

  /** Stage a row that is gone as a new one with the edited values; returns its provisional ID. */
  insertAgain(id, writable, at) {
    const entry = this.entries.get(id);
    const known = Object.entries(entry.row).filter(([name]) => !entry.cut?.includes(name));
    const values = Object.fromEntries(Object.entries({ ...Object.fromEntries(known), ...entry.values }).filter(([name]) => writable(name)));
    this.entries.delete(id);
    this.onChange([id]);
    return this.insert(values, at);
  }

  /** A text that restores everything; null when nothing is staged. */
  snapshot() {
    if (!this.entries.size) return null;
    const entries = [...this.entries.values()].map((entry) => ({ ...entry, at: entry.at === Infinity ? "end" : entry.at }));
    return stringify({ version: VERSION, entries });
  }

  /** Take a snapshot back; what cannot be read is refused with false. */
  load(text) {
    let data;
    try {
      data = parse(text);
    } catch {
      return false;
    }
    if (data?.version !== VERSION || !Array.isArray(data.entries)) return false;
    for (const entry of data.entries) {
      if (entry.at === "end") entry.at = Infinity;
      if (entry.state === "saving") entry.state = "unknown";
      this.entries.set(entry.id, entry);
    }
    this.onChange(null);
    return true;
  }

  /** Entries whose outcome the server can still tell when it is asked with the same id. */
  get askable() {
    return [...this.entries.values()].filter((entry) => entry.state === "unknown" && this.#isRemembered(entry));
  }

  #unset(entry, column) {
    delete entry.values[column];
    delete entry.base[column];
    if (entry.conflict) delete entry.conflict[column];
  }

  #touched(entry, column) {
    if (entry.conflict) {
      if (column in entry.conflict && column in entry.values) entry.conflict[column].mine = entry.values[column];
      if (!Object.keys(entry.conflict).length) entry.conflict = null;
    }
    const open = entry.state === "unknown" && entry.kind === "insert"; // typing tells nobody whether the row is there
    if (entry.state === "error" || (entry.state === "unknown" && !open) || (entry.state === "conflict" && !entry.conflict)) {
      entry.state = "staged";
      entry.error = null;
    }
  }

  #tidy(entry) {
    if (entry.conflict && !Object.keys(entry.conflict).length) entry.conflict = null;
    if (entry.state === "conflict" && !entry.conflict) entry.state = "staged";
    if (entry.kind === "update" && !Object.keys(entry.values).length && entry.state !== "saving") this.entries.delete(entry.id);
  }
}
