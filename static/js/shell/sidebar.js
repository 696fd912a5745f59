// The sidebar: which namespace, its tables, finding one among them, folding and width.

import { T } from "../texts.js";
import { part } from "../ui/dom.js";
import { openMenu } from "../ui/menu.js";
import { entries } from "./tree-model.js";
import { Tree } from "./tree.js";

const WIDTH = { least: 160, most: 480, step: 16 };
/** Where the sidebar lies over the rows, after which a table that was opened is to be seen: as in shell.css. */
const NARROW = matchMedia("(max-width: 760px)");

/** Emits "open" ({namespace, table, background}), "tableMenu" and "namespace" ({namespace}). */
export class Sidebar extends EventTarget {
  #client;
  #preferences;
  #memory;
  #app;
  #tree;
  #filter;
  #namespace = null;
  #namespaces = [];
  #elsewhere = new Map(); // namespace -> its tables, for the palette
  #unread = false; // the list of namespaces could not be read
  #failed = false; // nor the tables
  #asked = 0; // number of the latest table list asked for: an older answer is not shown over it

  /** @param {{client: object, preferences: object, memory: object}} needs */
  constructor({ client, preferences, memory }) {
    super();
    this.#client = client;
    this.#preferences = preferences;
    this.#memory = memory;
    this.#app = document.querySelector(".app");
    this.#tree = new Tree({ root: part("tree"), count: part("tree-count") });
    this.#tree.addEventListener("open", ({ detail }) => {
      this.#emit("open", { namespace: this.#namespace, ...detail });
      if (!detail.background) this.#drawer(false);
    });
    this.#tree.addEventListener("menu", ({ detail }) =>
      this.#emit("tableMenu", { namespace: this.#namespace, ...detail }),
    );
    this.#tree.addEventListener("namespace", async ({ detail }) => {
      await this.choose(detail.namespace);
      this.#tree.focus();
    });
    this.#filter = part("tree-filter");
    this.#filter.addEventListener("input", () => this.#tree.filter(this.#filter.value.trim()));
    this.#filter.addEventListener("keydown", (event) => this.#filterKey(event));
    part("tree")
      .closest(".side")
      .addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || event.defaultPrevented || this.#app.dataset.drawer === undefined) return;
        this.#drawer(false);
        document.querySelector("[data-action=sidebar]").focus();
      });
    const system = part("system");
    system.checked = preferences.get("system");
    this.#tree.system = system.checked;
    system.addEventListener("change", () => {
      preferences.set("system", system.checked);
      this.#tree.system = system.checked;
    });
    this.#size();
    this.#fold(preferences.get("sidebar"));
  }

  get namespace() {
    return this.#namespace;
  }

  get namespaces() {
    return this.#namespaces;
  }

  /** Every table and view of the namespace. */
  get tables() {
    return this.#tree.entries;
  }

  /** The tables of the other namespaces, as far as they have been read: {namespace, full, kind, description}. */
  get tablesElsewhere() {
    return [...this.#elsewhere].flatMap(([namespace, tables]) =>
      namespace === this.#namespace ? [] : tables.map((table) => ({ ...table, namespace })),
    );
  }

  /** Read the tables of the other namespaces, one namespace after another; `came` is called after each. */
  async readElsewhere(came) {
    for (const namespace of this.#namespaces) {
      if (namespace === this.#namespace || this.#elsewhere.has(namespace)) continue;
      this.#elsewhere.set(namespace, []); // asked for once
      try {
        const { payload } = await this.#client.send("getTables", { namespace }, { background: true });
        this.#elsewhere.set(namespace, entries(payload));
        came();
      } catch {
        this.#elsewhere.delete(namespace); // the next time, perhaps
      }
    }
  }

  /**
   * Read the namespaces, and choose the wanted one, else the one used last, else a preferred one, else the first that
   * is not the system's.
   */
  async start(wanted, preferred = null) {
    if (wanted) this.choose(wanted);
    try {
      const { payload } = await this.#client.send("getNamespaces");
      this.#namespaces = payload.namespaces;
      this.#unread = false;
      this.#showOthers();
    } catch {
      // Without the list the person still has the tables of the namespace at hand; the menu asks again.
      this.#unread = true;
    }
    if (this.#namespace || !this.#namespaces.length) return;
    const last = this.#memory.get("namespace");
    const known = [last, preferred].find((name) => this.#namespaces.includes(name)) ?? null;
    this.choose(known ?? this.#namespaces.find((name) => !name.startsWith("%")) ?? this.#namespaces[0]);
  }

  /** The connection is live: read what could not be read; after a drop, the tables again. */
  resume(again) {
    if (this.#failed) this.reload();
    else if (again) this.reload({ background: true });
    if (this.#unread) this.start(null);
  }

  /** Make a namespace the one in the tree. */
  choose(namespace) {
    if (namespace === this.#namespace) return;
    this.#namespace = namespace;
    this.#memory.set("namespace", namespace);
    part("namespace").textContent = namespace;
    part("namespace").parentElement.title = T.namespaceIs(namespace);
    this.#filter.value = "";
    this.#tree.filter("");
    this.#showOthers();
    this.#emit("namespace", { namespace });
    return this.reload();
  }

  #showOthers() {
    const isSystem = (name) => name.startsWith("%");
    this.#tree.others = this.#namespaces
      .filter((name) => name !== this.#namespace)
      .sort((a, b) => Number(isSystem(a)) - Number(isSystem(b)) || (a < b ? -1 : 1));
  }

  /** Read the tables again. */
  async reload({ background = false } = {}) {
    if (!this.#namespace) return;
    this.#elsewhere.clear();
    this.#asked += 1;
    const asked = this.#asked;
    if (!background) this.#tree.wait();
    try {
      const { payload } = await this.#client.send("getTables", { namespace: this.#namespace }, { background });
      if (asked !== this.#asked) return;
      this.#failed = false;
      this.#tree.show(payload);
    } catch (error) {
      if (asked !== this.#asked || background) return;
      this.#failed = true;
      this.#tree.fail(error.code === "AWAY" ? T.tablesFailed : `${T.tablesFailed} ${error.message}`, () =>
        this.reload(),
      );
    }
  }

  /** Mark what is on screen and what has staged edits; tables of another namespace are not in this tree. */
  mark({ current, staged }) {
    this.#tree.select(current?.namespace === this.#namespace ? current.table : null);
    this.#tree.staged = staged.filter(({ namespace }) => namespace === this.#namespace).map(({ table }) => table);
  }

  async openNamespaces(anchor) {
    if (!this.#namespaces.length) await this.start(this.#namespace);
    const items = this.#namespaces.map((name) => ({
      label: name,
      checked: name === this.#namespace,
      run: () => this.choose(name),
    }));
    openMenu(anchor, [...items, null, { label: T.reloadTables, icon: "refresh-cw", run: () => this.reload() }], {
      label: T.namespaces,
    });
  }

  get folded() {
    return getComputedStyle(part("tree").closest(".side")).display === "none";
  }

  toggle() {
    if (NARROW.matches) {
      this.#drawer(this.folded);
      if (!this.folded) this.focus();
      return;
    }
    const next = this.folded ? "open" : "folded";
    this.#preferences.set("sidebar", next);
    this.#fold(next);
    if (next === "open") this.focus();
  }

  focus() {
    if (this.folded && NARROW.matches) this.#drawer(true);
    else if (this.folded) this.#fold("open");
    this.#filter.focus();
    this.#filter.select();
  }

  #fold(state) {
    if (state) this.#app.dataset.sidebar = state;
    this.#told();
  }

  /** A table was opened: on a narrow page the sidebar does not stay over its rows. */
  leave() {
    this.#drawer(false);
  }

  /** Lay the sidebar over a narrow page, or take it away. */
  #drawer(open) {
    if (open) this.#app.dataset.drawer = "";
    else delete this.#app.dataset.drawer;
    this.#told();
  }

  #told() {
    const button = document.querySelector("[data-action=sidebar]");
    button.setAttribute("aria-expanded", String(!this.folded));
  }

  #filterKey(event) {
    if (event.key === "ArrowDown") this.#tree.focus();
    else if (event.key === "Enter") this.#tree.openFirst();
    else if (event.key === "Escape" && this.#filter.value) {
      this.#filter.value = "";
      this.#tree.filter("");
    } else return;
    event.preventDefault();
  }

  #size() {
    const handle = part("handle");
    const set = (width, keep) => {
      const next = Math.round(Math.min(WIDTH.most, Math.max(WIDTH.least, width)));
      this.#app.style.setProperty("--side-w", `${next}px`);
      handle.setAttribute("aria-valuenow", String(next));
      if (keep) this.#preferences.set("sidebarWidth", next);
    };
    set(this.#preferences.get("sidebarWidth"), false);
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      const drag = ({ clientX }) => set(clientX, false);
      handle.addEventListener("pointermove", drag);
      handle.addEventListener(
        "pointerup",
        ({ clientX }) => {
          handle.removeEventListener("pointermove", drag);
          set(clientX, true);
        },
        { once: true },
      );
      event.preventDefault();
    });
    handle.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -WIDTH.step, ArrowRight: WIDTH.step }[event.key];
      if (!step) return;
      set(Number(handle.getAttribute("aria-valuenow")) + step, true);
      event.preventDefault();
    });
    handle.addEventListener("dblclick", () => set(208, true));
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
