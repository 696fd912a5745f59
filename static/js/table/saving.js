// Saving staged edits: in batches, each row proved by the server, each outcome taken in as it comes.

import { stringify } from "../data/json.js";
import { saveOrder } from "../data/save-order.js";
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
/** States of rows that a save left for the person. */
const TROUBLED = new Set(["error", "conflict", "gone", "unknown"]);
const isTroubled = ({ state }) => TROUBLED.has(state);
const noCounts = () => ({ saved: 0, conflicts: 0, failed: 0, unknown: 0, skipped: 0 });
const ASK_AFTER = [1_000, 5_000, 15_000, 60_000]; // ms after an outcome was left unknown

/**
 * Saves what is staged. `hooks`: announce(text, kind), progress({done, all} | null), settled(entry, values, result,
 * sent) for each answered change gives what is to be told of it, confirmSave(entries) asks before rows are deleted and
 * the like, attend({id, name, conflict}) goes to what needs the person, goTo(id, name), decide(id) and review() do so
 * when asked.
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
   * nothing; `quietly` leaves the person where they are.
   */
  async save(ids = null, { again = false, quietly = again } = {}) {
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
      const trouble = this.#trouble(invalid, staged.undecided.filter(wanted));
      if (!waited && invalid.length)
        this.#refused(sentences([invalidRows(invalid), T.stillStaged(staged.counts.rows)]));
      else if (!waited && staged.undecided.length) this.#refused(T.decideFirst(staged.undecided.length));
      else if (!waited) this.hooks.announce(T.nothingToSave);
      if (trouble && !quietly) this.hooks.attend(trouble);
      return null;
    }
    this.#running = this.#confirmed(entries, again, invalid);
    try {
      const counts = await this.#running;
      const trouble = counts && this.#trouble(invalid, entries);
      if (trouble && !quietly) this.hooks.attend(trouble);
      return counts;
    } finally {
      this.#running = null;
      this.hooks.progress(null);
      this.#askLater();
    }
  }

  /** The first row that needs the person: what cannot be sent, what was refused, what is in conflict. */
  #trouble(invalid, entries) {
    const left = (entry) => this.table.staged.get(entry.id) === entry;
    const [wrong] = invalid.filter(left);
    if (wrong) return { id: wrong.id, name: invalidIn(wrong)[0] ?? null };
    const refused = entries.find((entry) => left(entry) && entry.state === "error");
    if (refused) return { id: refused.id, name: refused.error?.field ?? Object.keys(refused.values)[0] ?? null };
    const contested = entries.find((entry) => left(entry) && entry.state === "conflict");
    return contested ? { id: contested.id, conflict: true } : null;
  }

  /** Say what was not saved, as long as a row needs the person, with the way to the first one. */
  #refused(text) {
    const { staged } = this.table;
    const first = () => this.#trouble(staged.invalid, [...staged.entries.values()]);
    const holds = () => staged.undecided.length > 0 || [...staged.entries.values()].some(isTroubled);
    const go = () => {
      const trouble = first();
      if (!trouble) this.hooks.review();
      else if (trouble.conflict) this.hooks.decide(trouble.id);
      else this.hooks.goTo(trouble.id, trouble.name);
    };
    const trouble = first();
    const label = !trouble ? T.review : trouble.conflict ? T.compare : T.goToFirst;
    this.hooks.announce(text, "error", holds() ? { holds, actions: [{ label, run: go }] } : {});
  }

  async #confirmed(entries, again, invalid) {
    const { order, stuck } = again ? { order: entries, stuck: [] } : saveOrder(entries, this.table.schema);
    if (stuck.length) this.#refuse(stuck);
    if (!order.length) {
      this.#refused(sentences([sentence(stuckText(stuck)), T.stillStaged(this.table.staged.counts.rows)]));
      return noCounts();
    }
    if (!again && !(await this.hooks.confirmSave(order))) return null;
    if (!again) this.#asked = 0;
    return this.#send(
      order.filter((entry) => this.table.staged.get(entry.id) === entry),
      { invalid, stuck },
    );
  }

  /** Mark rows that no order can save. */
  #refuse(stuck) {
    const { staged } = this.table;
    this.table.batch(() => {
      for (const each of stuck)
        staged.refuse(each.entry.id, { message: sentence(stuckText([each])), field: each.columns[0] ?? null });
    });
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
          { quietly: true },
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

  async #send(entries, { invalid, stuck }) {
    const counts = noCounts();
    const told = { first: null, notes: new Set(), invalid, stuck };
    const { staged, namespace, tableName } = this.table;
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
          { namespace, tableName, changes, order: "given" },
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
        this.#refused(sentences([error.message, T.stillStaged(staged.counts.rows)]));
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
  #tell({ saved, conflicts, failed, unknown }, { first, notes, invalid, stuck }, stopped) {
    const { rows } = this.table.staged.counts;
    const why = failed
      ? T.failed(failed, first?.entry.kind === "insert" ? null : first?.entry.id, first?.error?.message ?? "")
      : "";
    const bad = [
      why,
      conflicts && T.inConflict(conflicts),
      unknown && T.outcomeUnknown(unknown),
      invalid.length && invalidRows(invalid),
      stuck.length && stuckText(stuck),
    ].filter(Boolean);
    const sum = [saved && T.saved(saved), ...bad].filter(Boolean);
    const said = sum.join("; ");
    const texts = stopped
      ? [T.saveStopped(saved, rows)]
      : said
        ? [sentence(said), bad.length && T.stillStaged(rows)]
        : [];
    const more = [...notes].slice(0, NOTES_TOLD);
    if (notes.size > more.length) more.push(T.moreNotes(notes.size - more.length));
    const all = sentences([...texts, ...more].filter(Boolean));
    if (bad.length) this.#refused(all);
    else this.hooks.announce(all, notes.size ? "warning" : undefined);
  }
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

/** What is told of rows that cannot be sent as they are. */
function invalidRows(entries) {
  const [entry] = entries;
  const [name] = invalidIn(entry);
  return T.invalidRows(entries.length, entry.kind === "insert" ? null : entry.id, name, reasonText(entry.values[name]));
}

/** What is told of rows that take each other's unique values. */
function stuckText(stuck) {
  const idOf = ({ id, kind }) => (kind === "insert" ? null : id);
  const [{ entry, columns, rows }] = stuck;
  return T.stuck(stuck.length, idOf(entry), rows.map(idOf), columns);
}

/** A new row is saved by itself only when every required column has a value. */
const complete = (entry, table) => entry.kind !== "insert" || !missingIn(entry, table).length;
