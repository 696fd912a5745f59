// What is kept between visits: staged edits where the frame's store says, the layout in the browser.

import { Layout } from "../data/layout.js";
import { storedKey } from "../data/memory.js";
import { Ownership } from "../net/ownership.js";
import { T } from "../grid/texts.js";

const SOON = 150;
const PER_ROW = 0.5; // many edits are written less often
const SLOTS = 16; // tabs that may edit one table at the same time
const PATIENCE = 2_000; // ms in which a page that is being left gives its drafts up

/**
 * Drafts of one table; `store` is a Storage or null when edits may not be kept.
 *
 * A draft has one owner: a tab that opens a table whose draft another tab has open keeps its own edits in a draft
 * beside it, in another slot. Drafts that nobody owns any more are taken over by the next tab that opens the table.
 */
export class Drafts {
  #timer = null;
  #loaded = false;
  #left = false;

  constructor(table, store, owners = store ? new Ownership() : null) {
    this.table = table;
    this.store = store;
    this.owners = owners;
    this.name = `${encodeURIComponent(table.namespace)}/${encodeURIComponent(table.tableName)}`;
    this.key = this.name; // the slot of this tab
    this.full = false; // the last edits did not fit into the storage
    this.failed = null; // what to tell when the browser's storage is full, or another tab has edits
    globalThis.addEventListener?.("pagehide", this.#leave);
    globalThis.addEventListener?.("pageshow", this.#back);
  }

  /** The page goes: what is being typed is an edit, too. */
  #leave = () => {
    this.table.sheet?.commit();
    this.saveNow();
    this.#left = this.#loaded;
    this.#loaded = false;
    this.owners?.close();
  };

  /** A page that the browser had only put aside comes back: another tab may have taken its drafts over. */
  #back = ({ persisted }) => {
    if (persisted && this.#left && this.store) location.reload();
  };

  /** Take in the drafts of the table that no other tab has open. */
  async load() {
    if (!this.store) {
      this.#loaded = true;
      return;
    }
    const contested = [];
    let own = null;
    for (let slot = 0; slot < SLOTS; slot++) {
      const key = slot ? `${this.name}:${slot}` : this.name;
      const text = this.#read(key);
      if (own !== null && !text) continue;
      if (!(await this.owners.own(this.#lockOf(key)))) {
        if (text) contested.push(key);
      } else if (own === null) {
        own = this.key = key;
        if (text) this.table.staged.load(text);
      } else this.#takeOver(key);
    }
    this.#loaded = !this.#left && own !== null;
    if (contested.length) this.#contest(contested);
  }

  /** The rest of a draft that another tab left: what this tab has no edits of its own for. */
  #takeOver(key) {
    const { left } = this.table.staged.merge(this.#read(key));
    this.#loaded = true;
    this.saveNow();
    this.#try(() => (left ? this.store.setItem(key, left) : this.full || this.store.removeItem(key)));
    this.owners.release(this.#lockOf(key));
  }

  /** Drafts that another tab seems to own: a page that is just being left gives them up, a living one does not. */
  async #contest(keys) {
    let elsewhere = false;
    for (const key of keys) {
      if (await this.owners.own(this.#lockOf(key), PATIENCE)) {
        if (!this.#left) this.#takeOver(key);
        continue;
      }
      elsewhere = true;
      // A duplicated tab brings copies of drafts that go on living in the other one.
      if (!this.store.shared && !this.#left) this.#try(() => this.store.removeItem(key));
    }
    if (elsewhere && !this.#left) this.failed?.(T.draftsElsewhere);
  }

  #lockOf(key) {
    return `iris-quart:draft:${this.store.scope ?? ""}${key.toLowerCase()}`;
  }

  #read(key) {
    return this.#try(() => this.store.getItem(key)) ?? null;
  }

  saveSoon() {
    if (this.#loaded)
      this.#timer ??= setTimeout(
        () => this.saveNow(),
        Math.min(5_000, SOON + this.table.staged.entries.size * PER_ROW),
      );
  }

  saveNow() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#loaded || !this.store) return;
    const { staged } = this.table;
    const text = staged.snapshot();
    const kept = this.#write(text);
    if (!kept) this.#keepOlder();
    if (!kept && !this.full) this.failed?.(T.draftsFull);
    this.full = !kept;
  }

  #write(text) {
    return this.#try(() => {
      if (text === null) this.store.removeItem(this.key);
      else this.store.setItem(this.key, text);
      return true;
    });
  }

  /** The older draft stays where the newer one does not fit, but for rows that were saved or dropped since. */
  #keepOlder() {
    const older = this.#read(this.key);
    if (!older) return;
    const { texts, isWhole } = this.table.staged.older(older);
    if (!texts.some((text) => this.#write(text)) && !isWhole) this.#write(null);
  }

  close() {
    this.saveNow();
    this.#left = true;
    this.#loaded = false;
    this.owners?.close();
    globalThis.removeEventListener?.("pagehide", this.#leave);
    globalThis.removeEventListener?.("pageshow", this.#back);
  }

  loadLayout() {
    const text = this.#try(() => globalThis.localStorage?.getItem(this.#layoutKey));
    return new Layout(this.#try(() => JSON.parse(text ?? "null")) ?? null);
  }

  saveLayout() {
    this.#try(() => globalThis.localStorage?.setItem(this.#layoutKey, JSON.stringify(this.table.layout.data)));
  }

  get #layoutKey() {
    return storedKey(globalThis.localStorage, `iris-quart:layout:${this.name}`);
  }

  /** A browser may forbid its storage, or it may be full. */
  #try(use) {
    try {
      return use();
    } catch {
      return undefined;
    }
  }
}
