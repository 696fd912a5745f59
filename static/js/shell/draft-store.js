// Where staged edits are kept, after the server's setting: this tab, this browser, or nowhere. They may be patients' data.

import { Staged } from "../data/staged.js";
import { storedKey } from "./memory.js";

/** A Storage of its own keys, one a table: "NAMESPACE/TABLE", each part encoded. */
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
    return this.#keys().map((key) => {
      const [namespace, table] = key.split("/").map(decodeURIComponent);
      const staged = new Staged();
      staged.load(this.getItem(key));
      const { changed, inserted, deleted } = staged.counts;
      return { namespace, table, pending: { changed, inserted, deleted } };
    });
  }

  /** Remove every draft, and take no more: at sign-out. */
  end() {
    this.#sealed = true;
    for (const key of this.#keys()) this.removeItem(key);
  }

  #keys() {
    try {
      return Object.keys(this.#storage ?? {}).filter((key) => key.startsWith(this.#prefix)).map((key) => key.slice(this.#prefix.length));
    } catch {
      return [];
    }
  }
}
