// What is kept between visits: staged edits where the frame's store says, the layout in the browser.

import { Layout } from "../data/layout.js";
import { storedKey } from "../shell/memory.js";
import { T } from "./texts.js";

const SOON = 150;
const PER_ROW = 0.5; // many edits are written less often

/** Drafts of one table; `store` is a Storage or null when edits may not be kept. */
export class Drafts {
  #timer = null;
  #loaded = false;

  constructor(table, store) {
    this.table = table;
    this.store = store;
    this.key = `${encodeURIComponent(table.namespace)}/${encodeURIComponent(table.tableName)}`;
    this.full = false; // the last edits did not fit into the storage
    this.failed = null; // what to tell when the browser's storage is full
    globalThis.addEventListener?.("pagehide", this.#leave);
  }

  /** The page goes: what is being typed is an edit, too. */
  #leave = () => {
    this.table.sheet?.commit();
    this.saveNow();
  };

  load() {
    this.#loaded = true;
    const text = this.#try(() => this.store?.getItem(this.key));
    if (text) this.table.staged.load(text);
  }

  saveSoon() {
    if (this.#loaded) this.#timer ??= setTimeout(() => this.saveNow(), Math.min(5_000, SOON + this.table.staged.entries.size * PER_ROW));
  }

  saveNow() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#loaded || !this.store) return;
    const text = this.table.staged.snapshot();
    const kept = this.#try(() => {
      if (text === null) this.store.removeItem(this.key);
      else this.store.setItem(this.key, text);
      return true;
    });
    // An older draft would bring back what has been saved or dropped since.
    if (!kept) this.#try(() => this.store.removeItem(this.key));
    if (!kept && !this.full) this.failed?.(T.draftsFull);
    this.full = !kept;
  }

  close() {
    this.saveNow();
    globalThis.removeEventListener?.("pagehide", this.#leave);
  }

  loadLayout() {
    const text = this.#try(() => globalThis.localStorage?.getItem(this.#layoutKey));
    return new Layout(this.#try(() => JSON.parse(text ?? "null")) ?? null);
  }

  saveLayout() {
    this.#try(() => globalThis.localStorage?.setItem(this.#layoutKey, JSON.stringify(this.table.layout.data)));
  }

  get #layoutKey() {
    return storedKey(globalThis.localStorage, `iris-quart:layout:${this.key}`);
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
