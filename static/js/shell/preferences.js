// How this person likes the page: kept by the browser, the same in all its tabs.

const DEFAULTS = Object.freeze({
  density: "normal",
  decimal: "browser",
  saving: "staged",
  sidebar: null,
  sidebarWidth: 208,
  system: false,
});

/** The decimal sign that a choice stands for: "browser" is the way of the browser's language. */
export function decimalSign(choice, language = globalThis.navigator?.language) {
  if (choice !== "browser") return choice === "comma" ? "," : ".";
  let parts;
  try {
    parts = new Intl.NumberFormat(language).formatToParts(1.5);
  } catch {
    return "."; // a browser may name a language that is not one: WebKit says "C" where none is set
  }
  return parts.find(({ type }) => type === "decimal")?.value === "," ? "," : ".";
}

/** Emits "change" ({name, value}). */
export class Preferences extends EventTarget {
  #memory;
  #values;

  /** @param {import("../data/memory.js").Memory} memory */
  constructor(memory) {
    super();
    this.#memory = memory;
    this.#values = { ...DEFAULTS, ...memory.get("preferences", {}) };
  }

  get(name) {
    return this.#values[name];
  }

  set(name, value) {
    if (this.#values[name] === value) return;
    this.#values[name] = value;
    this.#memory.set("preferences", this.#values);
    this.dispatchEvent(new CustomEvent("change", { detail: { name, value } }));
  }
}
