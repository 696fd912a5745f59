// Saving staged edits: in batches, each row proved by the server, each outcome taken in as it comes.

import { stringify } from "../data/json.js";
import { invalidIn, missingIn } from "../data/staged.js";
import { T, reasonText, sentences } from "../grid/texts.js";

const BATCH = { rows: 100, characters: 250_000 }; // well below what the server usually takes in one message
const BYTES_PER_CHARACTER = 4; // at most
const AUTOSAVE_DELAY = 250;
const NOTES_TOLD = 3;
/** Errors of a whole command that say that nothing of it was run, if it was sent only once. */
const NOT_RUN = new Set([
  "INVALID_JSON",
  "INVALID_MESSAGE",
  "UNKNOWN_COMMAND",
  "INVALID_INPUT",
  "RATE_LIMITED",
  "READ_ONLY",
  "STORE_UNAVAILABLE",
  "CANCELLED",
]);
const ASK_AFTER = [1_000, 5_000, 15_000, 60_000]; // ms after an outcome was left unknown

/**
 * Saves what is staged. `hooks`: announce(text, kind), progress({done, all} | null), settled(entry, values, result,
 * sent) for each answered change gives what is to be told of it, confirmSave(entries) asks before rows are deleted and
 * the like.
 */
export class Saving {
  // Given to the constructor.
  table;
  hooks;
  client;

  #running = null;
  #timer = null;
  #askTimer = null;
  #asked = 0;
  #stop = null; // ends the save under way
  #stops = 0; // how often the person said stop: saves that waited then are not begun

  /**
   * @param {object} table
   * @param {object} client
   * @param {object} hooks what the view does about a save
   * @param {{changesMax?: number, bytesMax?: number}} [limits] what the server takes in one message
   */
  constructor(table, client, hooks, { changesMax = Infinity, bytesMax = Infinity } = {}) {
    Object.assign(this, { table, client, hooks });
    this.batch = {
      rows: Math.min(BATCH.rows, changesMax),
      characters: Math.min(BATCH.characters, bytesMax / BYTES_PER_CHARACTER),
    };
  }

  get busy() {
    return this.#running !== null;
  }

  /**
   * Save everything that needs no decision; resolves with the counts, or null when nothing was sent. `again` asks
   * nothing.
   */
  async save(ids = null, { again = false } = {}) {
    clearTimeout(this.#timer);
    const stops = this.#stops;
    let waited = false;
    // One at a time: two at once would take each other's rows for left over, and send values guarded by what is being
    // replaced.
    while (this.#running) {
      waited = true;
      await this.#running.catch(() => undefined);
    }
    if (stops !== this.#stops) return null;
    const { staged } = this.table;
    const wanted = (entry) => !ids || ids.includes(entry.id);
    const entries = staged.savable.filter(wanted);
    const invalid = staged.invalid.filter(wanted);
    if (!entries.length) {
      if (!waited && invalid.length)
        this.hooks.announce(sentences([invalidRows(invalid), T.stillStaged(staged.counts.rows)]), "error");
      else if (!waited)
        this.hooks.announce(staged.undecided.length ? T.decideFirst(staged.undecided.length) : T.nothingToSave);
      this.#goToInvalid(invalid);
      return null;
    }
    this.#running = this.#confirmed(entries, again, invalid);
    try {
      const counts = await this.#running;
      if (counts) this.#goToInvalid(invalid);
      return counts;
    } finally {
      this.#running = null;
      this.hooks.progress(null);
      this.#askLater();
    }
  }

  #goToInvalid([entry]) {
    if (entry && this.table.staged.get(entry.id) === entry) this.hooks.goTo(entry.id, invalidIn(entry)[0] ?? null);
  }

  async #confirmed(entries, again, invalid) {
    if (!again && !(await this.hooks.confirmSave(entries))) return null;
    if (!again) this.#asked = 0;
    return this.#send(
      entries.filter((entry) => this.table.staged.get(entry.id) === entry),
      invalid,
    );
  }

  /** Save soon, for a person who chose autosave. */
  soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.table.staged.savable.some((entry) => entry.state === "staged"))
        this.save(
          this.table.staged.savable
            .filter((entry) => entry.state === "staged" && complete(entry, this.table))
            .map(({ id }) => id),
        );
    }, AUTOSAVE_DELAY);
  }

  /** Find out about changes whose outcome is not known: nothing is done twice by asking. */
  async askAgain() {
    this.#asked = 0;
    await this.#ask();
  }

  #askLater() {
    clearTimeout(this.#askTimer);
    if (this.#asked >= ASK_AFTER.length || !this.table.staged.askable.length) return;
    const wait = ASK_AFTER[this.#asked] - (ASK_AFTER[this.#asked - 1] ?? 0);
    this.#askTimer = setTimeout(() => this.#ask(), wait);
  }

  /** Send nothing more: what was sent is proved, the rest stays staged. */
  stop() {
    this.#stops++;
    this.#stop?.abort();
  }

  async #ask() {
    clearTimeout(this.#askTimer);
    const entries = this.table.staged.askable;
    if (!entries.length || this.#running || this.client.state !== "live") return;
    this.#asked++;
    await this.save(
      entries.map(({ id }) => id),
      { again: true },
    );
  }

  close() {
    clearTimeout(this.#timer);
    clearTimeout(this.#askTimer);
  }

  async #send(entries, invalid) {
    const counts = { saved: 0, conflicts: 0, failed: 0, unknown: 0, skipped: 0 };
    const told = { first: null, notes: new Set(), invalid };
    const { staged, namespace, tableName } = this.table;
    // New rows, then changes, then deletions, so that a row can be moved to a new parent and the old one deleted.
    const order = { insert: 0, update: 1, delete: 2 };
    entries.sort((a, b) => order[a.kind] - order[b.kind]);
    if (this.client.state !== "live") this.hooks.announce(T.saveWaits);
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    let done = 0;
    const progress = () => {
      if (entries.length > BATCH.rows)
        this.hooks.progress({ done: Object.values(counts).reduce((sum, n) => sum + n), all: entries.length });
    };
    while (done < entries.length && !signal.aborted) {
      progress();
      const begun = done;
      const batch = [];
      const changes = [];
      for (
        let size = 0;
        done < entries.length && batch.length < this.batch.rows && size < this.batch.characters;
        done++
      ) {
        const entry = entries[done];
        if (staged.get(entry.id) !== entry || entry.state === "saving") continue;
        const change = staged.change(entry, this.table.writable);
        const length = stringify(change).length;
        if (batch.length && size + length > this.batch.characters) break; // it opens the next message
        size += length;
        batch.push(entry);
        changes.push(change);
      }
      if (!changes.length) continue;
      staged.sending(batch);
      try {
        await this.client.send(
          "saveChanges",
          { namespace, tableName, changes },
          {
            signal,
            onEvent: (event, payload) => {
              if (event !== "changeResult") return;
              this.#settle(payload, counts, told);
              progress();
            },
          },
        );
        staged.unsent(
          batch.filter((entry) => entry.state === "saving"),
          "unknown",
        );
      } catch (error) {
        const left = batch.filter((entry) => entry.state === "saving");
        if (error.code === "ABORTED" || error.code === "STALE") {
          staged.unsent(left, "staged", null, { never: true }); // it did not leave
          if (error.code === "ABORTED") break;
          done = begun;
          continue;
        }
        const unknown = error.resent || !NOT_RUN.has(error.code);
        staged.unsent(
          left,
          unknown ? "unknown" : "error",
          { message: error.message, code: error.code, sqlcode: error.sqlcode, serverText: error.serverText },
          { never: !unknown },
        );
        if (unknown) counts.unknown += left.length;
        else counts.failed += left.length;
        this.hooks.announce(sentences([error.message, T.stillStaged(staged.counts.rows)]), "error");
        if (error.code !== "INVALID_INPUT") return counts;
        told.first ??= { entry: left[0], error };
      }
    }
    this.#tell(counts, told, signal.aborted);
    return counts;
  }

  #settle(result, counts, told) {
    const outcome =
      {
        saved: "saved",
        conflict: "conflicts",
        gone: "conflicts",
        failed: "failed",
        unknown: "unknown",
        skipped: "skipped",
      }[result.outcome] ?? "failed";
    counts[outcome]++;
    const sent = this.table.staged.byChangeId(result.changeId)?.sent?.values ?? {};
    this.table.batch(() => {
      const settled = this.table.staged.settle(result);
      if (!settled) return;
      if (outcome === "failed") told.first ??= { entry: settled.entry, error: result.error };
      for (const note of this.hooks.settled(settled.entry, settled.saved, result, sent) ?? []) told.notes.add(note);
    });
  }

  /** One message at the end: what was saved, what was not and why, what is kept, what to know besides. */
  #tell({ saved, conflicts, failed, unknown }, { first, notes, invalid }, stopped) {
    const { rows } = this.table.staged.counts;
    const why = failed
      ? T.failed(failed, first?.entry.kind === "insert" ? null : first?.entry.id, first?.error?.message ?? "")
      : "";
    const bad = [
      why,
      conflicts && T.inConflict(conflicts),
      unknown && T.outcomeUnknown(unknown),
      invalid.length && invalidRows(invalid),
    ].filter(Boolean);
    const sum = [saved && T.saved(saved), ...bad].filter(Boolean);
    const said = sum.join("; ");
    const texts = stopped
      ? [T.saveStopped(saved, rows)]
      : said
        ? [said[0].toUpperCase() + said.slice(1), bad.length && T.stillStaged(rows)]
        : [];
    const more = [...notes].slice(0, NOTES_TOLD);
    if (notes.size > more.length) more.push(T.moreNotes(notes.size - more.length));
    this.hooks.announce(
      sentences([...texts, ...more].filter(Boolean)),
      bad.length ? "error" : notes.size ? "warning" : undefined,
    );
  }
}

/** What is told of rows that cannot be sent as they are. */
function invalidRows(entries) {
  const [entry] = entries;
  const [name] = invalidIn(entry);
  return T.invalidRows(entries.length, entry.kind === "insert" ? null : entry.id, name, reasonText(entry.values[name]));
}

/** A new row is saved by itself only when every required column has a value. */
const complete = (entry, table) => entry.kind !== "insert" || !missingIn(entry, table).length;
