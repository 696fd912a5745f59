// Staged edits of one table, by row ID: what the person changed, what they had seen, and what became of it.

import { own, parse, record, recordOf, stringify } from "./json.js";
import { ServerTimes } from "./times.js";
import { Invalid, markOf, sameValue } from "./values.js";

const VERSION = 1;

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
  #hasRefused = false; // some entry may hold a text that its column refuses

  /** @param {{onChange?: (ids: string[] | null) => void, now?: () => number, times?: ServerTimes}} [options] */
  constructor({ onChange = () => {}, now = Date.now, times = new ServerTimes(now) } = {}) {
    this.onChange = onChange;
    this.now = now;
    this.times = times;
  }

  get(id) {
    return this.entries.get(id);
  }

  /** True when the column of the row has a staged value. */
  has(id, column) {
    const entry = this.entries.get(id);
    return entry !== undefined && column in entry.values;
  }

  /**
   * The value to show: the staged one, else the given one; a new row's column without a value is undefined (its
   * default).
   */
  value(id, column, original) {
    const entry = this.entries.get(id);
    return entry && column in entry.values ? entry.values[column] : original;
  }

  /** Stage a value. `original` is what the database is known to hold, `row` the whole row as seen. */
  set(id, column, value, original, row) {
    let entry = this.entries.get(id);
    if (!entry) {
      entry = { id, kind: "update", values: record(), base: record(), row: record(row), state: "staged" };
      this.entries.set(id, entry);
    }
    if (entry.kind === "insert") {
      if (value === undefined) delete entry.values[column];
      else entry.values[column] = value;
      if (value instanceof Invalid) this.#hasRefused = true;
    } else {
      if (!(column in entry.base)) entry.base[column] = original;
      entry.values[column] = value;
      if (value instanceof Invalid) this.#hasRefused = true;
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
    this.#hasRefused ||= Object.values(values).some((value) => value instanceof Invalid);
    this.entries.set(id, {
      id,
      kind: "insert",
      values: record(values),
      base: record(),
      row: record(),
      at,
      state: "staged",
    });
    this.onChange([id]);
    return id;
  }

  /**
   * Stage the deletion of a row; a new row just goes. False while the row is being saved: its answer must find it.
   * `cut` names columns of which only the start is known, `previews` marks them with their lengths, null when not
   * known.
   */
  remove(id, row, cut = [], previews = null) {
    const entry = this.entries.get(id);
    if (entry?.state === "saving") return false;
    if (entry?.kind === "insert") this.entries.delete(id);
    else if (entry)
      Object.assign(entry, {
        kind: "delete",
        row: record(row, entry.row),
        cut,
        previews,
        state: "staged",
        error: null,
      });
    else
      this.entries.set(id, {
        id,
        kind: "delete",
        values: record(),
        base: record(),
        row: record(row),
        cut,
        previews,
        state: "staged",
      });
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

  /** The rows with texts that their columns refuse. */
  get invalid() {
    return [...this.entries.values()].filter((entry) => this.#isInvalid(entry));
  }

  /** What waits for the person. */
  get undecided() {
    return [...this.entries.values()].filter((entry) => this.#waits(entry));
  }

  /**
   * A new row of unknown outcome has no guard: once the server has forgotten its id, sending it might make it twice.
   */
  #waits(entry) {
    return (
      this.#isInvalid(entry) ||
      entry.state === "conflict" ||
      entry.state === "gone" ||
      (entry.state === "unknown" && entry.kind === "insert" && !this.#isRemembered(entry))
    );
  }

  #isInvalid(entry) {
    return this.#hasRefused && invalidIn(entry).length > 0;
  }

  #isRemembered(entry) {
    return Boolean(entry.sent?.at) && this.times.remembers(entry.sent);
  }

  /** How long a new row of unknown outcome may still come to be in the table, in ms. */
  doubtLeft(entry) {
    return entry.sent?.at ? this.times.doubtLeft(entry.sent) : 0;
  }

  /** The person says that a new row of unknown outcome is not in the table: it is sent like one never sent. */
  sendAnew(id) {
    if (this.doubtLeft(this.entries.get(id))) return;
    Object.assign(this.entries.get(id), { state: "staged", error: null, sent: null });
    this.onChange([id]);
  }

  /**
   * The change of the wire for an entry that is about to be sent. The same content keeps its id, so that sending it
   * again is harmless; another content gets another one.
   */
  change(entry, writable = () => true) {
    const change = this.#wire(entry, writable);
    const content = stringify(change);
    // The server itself may not know: asked once more under a new id, the guard finds out and nothing happens twice.
    // A new row has no guard, so it keeps its id.
    // So is one whose result may be forgotten.
    const again = entry.kind !== "insert" && (entry.sent?.unknown || (entry.sent?.at && !this.#isRemembered(entry)));
    if (entry.sent?.content !== content || again) entry.sent = { changeId: this.times.newId(), content, at: null };
    entry.sent.values = record(change.values);
    return { changeId: entry.sent.changeId, ...change };
  }

  /**
   * The changes that would be sent, to be looked at: the id under which an entry was sent stays, for its outcome is
   * asked by it.
   */
  preview(entries, writable) {
    return entries.map((entry, index) => ({ changeId: `preview-${index}`, ...this.#wire(entry, writable) }));
  }

  #wire(entry, writable) {
    // A new row that may be in the table is asked for as it was sent, else it might be there twice. What was typed
    // since is an edit of it.
    if (entry.kind === "insert" && entry.state === "unknown" && entry.sent) return parse(entry.sent.content);
    const change = { kind: entry.kind };
    if (entry.kind !== "insert") change.rowId = entry.id;
    if (entry.kind !== "delete") change.values = record(entry.values);
    if (entry.kind === "update") change.base = record(entry.base);
    if (entry.kind === "delete") change.base = recordOf(Object.entries(entry.row).filter(([name]) => writable(name)));
    if (entry.kind === "delete" && entry.previews) change.previews = record(entry.previews);
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

  /** An entry cannot be saved as it is; it was not sent. */
  refuse(id, error) {
    const entry = this.entries.get(id);
    if (!entry || entry.state === "saving" || entry.state === "unknown") return;
    Object.assign(entry, { state: "error", error });
    this.onChange([id]);
  }

  /**
   * Nothing is known of the entries; or, with `never`, they were surely not sent, so that another try is another write.
   */
  unsent(entries, state = "staged", error = null, { never = false } = {}) {
    for (const entry of entries) {
      if (entry.state !== "saving") continue;
      Object.assign(entry, { state, error });
      if (never) entry.sent = null;
    }
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
      saved = record(entry.sent.values, result.values);
      this.#saved(entry, result, saved);
    } else if (outcome === "conflict") {
      entry.state = "conflict";
      entry.conflict = record(result.conflict);
      for (const [name, sides] of Object.entries(entry.conflict)) {
        const preview = markOf(sides.theirs, result.previews, name);
        if (preview) entry.conflict[name] = { ...sides, preview };
      }
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
        const values = recordOf(later.map((name) => [name, entry.values[name]]));
        const base = recordOf(later.map((name) => [name, saved[name] ?? null]));
        this.entries.set(result.rowId, { id: result.rowId, kind: "update", values, base, row: saved, state: "staged" });
      }
    } else {
      Object.assign(entry.row, saved);
      for (const name of Object.keys(sent.values)) {
        if (!(name in entry.values)) continue;
        entry.base[name] = saved[name];
        if (sameValue(entry.values[name], sent.values[name]) || sameValue(entry.values[name], saved[name]))
          this.#unset(entry, name);
      }
      this.#tidy(entry);
    }
  }

  /**
   * Someone else changed a row. Returns the columns that are now in conflict.
   * What is staged stays; the same value from both sides is no edit any more. `marks` tells which values are only
   * the start; false: all are whole.
   */
  rebase(id, theirs, by = null, marks = null) {
    const entry = this.entries.get(id);
    if (!entry || entry.kind === "insert" || entry.state === "saving") return [];
    const columns = [];
    for (const [name, value] of Object.entries(theirs)) {
      const preview = marks === false ? null : markOf(value, marks, name);
      const mark = preview ? { preview } : {};
      if (preview && !entry.cut?.includes(name)) entry.cut = [...(entry.cut ?? []), name];
      if (entry.kind === "delete") {
        if (!(name in entry.row) || sameValue(entry.row[name], value)) continue;
        entry.conflict = record(entry.conflict, {
          [name]: { base: entry.row[name], mine: entry.row[name], theirs: value, ...mark },
        });
        columns.push(name);
        continue;
      }
      entry.row[name] = value;
      if (!(name in entry.values) || sameValue(entry.base[name], value)) continue;
      if (!preview && sameValue(entry.values[name], value)) {
        entry.base[name] = value;
        this.#unset(entry, name);
        continue;
      }
      entry.conflict = record(entry.conflict, {
        [name]: { base: entry.base[name], mine: entry.values[name], theirs: value, ...mark },
      });
      columns.push(name);
    }
    if (columns.length) Object.assign(entry, { state: "conflict", by });
    this.#tidy(entry);
    this.onChange([id]);
    return columns;
  }

  /**
   * A value was typed over one that someone changed while it was typed: what was seen is the base. True when it is a
   * conflict.
   */
  contest(id, column, seen, theirs, by = null, marks = null) {
    const entry = this.entries.get(id);
    if (!entry || entry.kind !== "update" || !(column in entry.values)) return false;
    entry.base[column] = seen;
    return this.rebase(id, { [column]: theirs }, by, marks).length > 0;
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
    const taken = record();
    for (const [name, choice] of Object.entries(choices)) {
      const conflict = own(entry?.conflict, name);
      if (!conflict) continue;
      entry.row[name] = conflict.theirs;
      taken[name] = conflict.theirs;
      if (entry.kind === "update") {
        entry.base[name] = conflict.theirs;
        if (choice === "theirs" || (!conflict.preview && sameValue(entry.values[name], conflict.theirs)))
          this.#unset(entry, name);
      }
      delete entry.conflict[name];
    }
    if (entry && !Object.keys(entry.conflict ?? {}).length)
      Object.assign(entry, { conflict: null, state: "staged", error: null, sent: null });
    if (entry) this.#tidy(entry);
    this.onChange([id]);
    return taken;
  }

  /** Stage a row that is gone as a new one with the edited values; returns its provisional ID. */
  insertAgain(id, writable, at) {
    const entry = this.entries.get(id);
    const known = Object.entries(entry.row).filter(([name]) => !entry.cut?.includes(name));
    const values = recordOf(Object.entries(record(recordOf(known), entry.values)).filter(([name]) => writable(name)));
    this.entries.delete(id);
    this.onChange([id]);
    return this.insert(values, at);
  }

  /** A text that restores everything; null when nothing is staged. */
  snapshot() {
    if (!this.entries.size) return null;
    const entries = [...this.entries.values()].map((entry) => ({
      ...entry,
      at: entry.at === Infinity ? "end" : entry.at,
    }));
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
      for (const part of ["values", "base", "row"]) entry[part] = record(entry[part]);
      for (const name of Object.keys(entry.values)) entry.values[name] = Invalid.revive(entry.values[name]);
      if (entry.conflict) entry.conflict = record(entry.conflict);
      if (entry.sent) entry.sent.values = record(entry.sent.values);
      this.entries.set(entry.id, entry);
    }
    this.#hasRefused = true; // perhaps
    this.onChange(null);
    return true;
  }

  /**
   * Take in what a snapshot holds of rows without edits here; `left` is a snapshot of the rest, null where nothing is
   * left.
   */
  merge(text) {
    const other = new Staged({ now: this.now });
    other.load(text);
    const left = new Staged({ now: this.now });
    this.#hasRefused = true; // perhaps
    for (const [id, entry] of other.entries) {
      if (!this.entries.has(id)) this.entries.set(id, entry);
      else if (entry.kind !== "insert") left.entries.set(id, entry); // the same new row is a copy of the one here
    }
    this.onChange(null);
    return { left: left.snapshot() };
  }

  /**
   * What an older snapshot holds of rows that still have edits: texts to be tried one after another, each shorter than
   * the one before. `isWhole`: all of its rows still have edits.
   */
  older(text) {
    const old = new Staged({ now: this.now });
    old.load(text);
    const total = old.entries.size;
    for (const id of [...old.entries.keys()]) if (!this.entries.has(id)) old.entries.delete(id);
    const isWhole = old.entries.size === total;
    for (const [id, entry] of old.entries) {
      const { state, sent } = this.entries.get(id);
      if (sent) Object.assign(entry, { state, sent });
    }
    const texts = [old.snapshot()];
    // A row that is being saved must not come back as one that was never sent.
    for (const id of [...old.entries.keys()]) if (this.entries.get(id).sent) old.entries.delete(id);
    texts.push(old.snapshot());
    return { texts, isWhole: isWhole && texts[0] === texts[1] };
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
    if (
      entry.state === "error" ||
      (entry.state === "unknown" && !open) ||
      (entry.state === "conflict" && !entry.conflict)
    ) {
      entry.state = "staged";
      entry.error = null;
    }
  }

  #tidy(entry) {
    if (entry.conflict && !Object.keys(entry.conflict).length) entry.conflict = null;
    if (entry.state === "conflict" && !entry.conflict) entry.state = "staged";
    if (entry.kind === "update" && isEmpty(entry.values) && entry.state !== "saving") this.entries.delete(entry.id);
  }
}

function isEmpty(record) {
  for (const _name in record) return false;
  return true;
}

/** The columns in which a row has a text that they refuse; a row that is deleted needs none corrected. */
export function invalidIn(entry) {
  return entry.kind === "delete"
    ? []
    : Object.keys(entry.values).filter((name) => entry.values[name] instanceof Invalid);
}

/** The columns that a new row must have a value for and has none. */
export function missingIn(entry, table) {
  const given = (column) =>
    column.nullable !== false ||
    column.hasDefault ||
    column.readOnly ||
    column.editable === false ||
    (entry.values[column.name] ?? null) !== null;
  return table.schema.columns.filter((column) => !given(column)).map(({ name }) => name);
}
