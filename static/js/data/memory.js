// What the browser remembers between visits: names and choices, never rows. A browser that forbids storage forgets, and
// that is all.

const PREFIX = "iris-quart";

/** A view of one storage under a prefix; values are JSON. */
export class Memory {
  #storage;
  #prefix;

  constructor(storage, ...scope) {
    this.#storage = storage;
    this.#prefix = [PREFIX, ...scope, ""].join(":");
  }

  get(key, otherwise = null) {
    try {
      const text = this.#storage.getItem(this.#prefix + key);
      return text === null ? otherwise : JSON.parse(text);
    } catch {
      return otherwise;
    }
  }

  /** Keep a value; null removes it. False if the browser refused. */
  set(key, value) {
    try {
      if (value === null) this.#storage.removeItem(this.#prefix + key);
      else this.#storage.setItem(this.#prefix + key, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  }
}

/** The key under which a storage keeps something, letter case aside: `key` itself where there is none. */
export function storedKey(storage, key) {
  if (storage.getItem(key) !== null) return key;
  const folded = key.toLowerCase();
  return Object.keys(storage).find((other) => other.toLowerCase() === folded) ?? key;
}

/** The named storage of the window, or one that forgets where the browser forbids it. */
export function storageOf(name) {
  try {
    return globalThis[name];
  } catch {
    return { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
  }
}
