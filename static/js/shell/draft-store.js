// Where staged edits are kept, after the server's setting: this tab, this browser, or nowhere. They may be patients'
// data.

import { Staged } from "../data/staged.js";
import { storedKey } from "../data/memory.js";

/**
 * A Storage of its own keys: "NAMESPACE/TABLE", each part encoded; a tab beside the first one adds ":" and a number.
 */
export class DraftStore {
  #storage;
  #prefix;
  #sealed = false;

  /**
   * @param {Storage | null} storage null keeps nothing
   * @param {string[]} scope server and user: drafts of one are never shown to another
   */
  constructor(storage, ...scope) {
    this.#storage = storage;
    this.#prefix = ["iris-quart", "draft", ...scope, ""].join(":");
  }

  /** Whose drafts these are, as a part of names. */
  get scope() {
    return this.#prefix;
  }

  /** Whether other tabs see the same drafts. */
  get shared() {
    try {
      return this.#storage === globalThis.localStorage;
    } catch {
      return false;
    }
  }

  getItem(key) {
    return this.#storage?.getItem(this.#stored(key)) ?? null;
  }

  setItem(key, text) {
    if (!this.#sealed) this.#storage?.setItem(this.#stored(key), text);
  }

  removeItem(key) {
    this.#storage?.removeItem(this.#stored(key));
  }

  /** One draft a table, however an address writes the table's name. */
  #stored(key) {
    return storedKey(this.#storage, this.#prefix + key);
  }

  /** Every draft: {namespace, table, pending: {changed, inserted, deleted}}. */
  get all() {
    const tables = new Map(); // name -> keys of its drafts
    for (const key of this.#keys()) {
      const [name] = key.split(":");
      tables.set(name, [...(tables.get(name) ?? []), key]);
    }
    return Array.from(tables, ([name, keys]) => {
      const [namespace, table] = name.split("/").map(decodeURIComponent);
      const pending = { changed: 0, inserted: 0, deleted: 0 };
      for (const key of keys) {
        const staged = new Staged();
        staged.load(this.getItem(key));
        for (const kind of Object.keys(pending)) pending[kind] += staged.counts[kind];
      }
      return { namespace, table, pending };
    });
  }

  /** Remove every draft, and take no more: at sign-out. */
  end() {
    this.#sealed = true;
    for (const key of this.#keys()) this.removeItem(key);
  }

  #keys() {
    try {
      return Object.keys(this.#storage ?? {})
        .filter((key) => key.startsWith(this.#prefix))
        .map((key) => key.slice(this.#prefix.length));
    } catch {
      return [];
    }
  }
}
