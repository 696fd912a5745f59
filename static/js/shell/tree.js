// The sidebar's tree of schemas and tables: arrows walk, letters jump, Enter opens.

import { T } from "../texts.js";
import { el, icon } from "../ui/dom.js";
import { watchLongPress } from "../ui/long-press.js";
import { entries, group } from "./tree-model.js";

const ICON = { view: "eye", table: "table-2", system: "table-2" };
/** More lines than this in one go are not read by anyone, and cost time on every key. */
const SHOWN_MAX = 1000;
/** Letters within this many milliseconds belong together. */
const TYPING = 800;

/** Emits "open" ({table, background}), "menu" ({entry, anchor, x, y}) and "namespace" ({namespace}). */
export class Tree extends EventTarget {
  #root;
  #count;
  #list = [];
  #unfolded = new Set();
  #others = []; // the other namespaces
  #selected = null;
  #staged = new Set();
  #text = "";
  #system = false;
  #start = "";
  #typedAt = 0;

  /** @param {{root: HTMLElement, count: HTMLElement}} parts */
  constructor({ root, count }) {
    super();
    this.#root = root;
    this.#count = count;
    root.addEventListener("click", (event) => this.#clicked(event));
    root.addEventListener("auxclick", (event) => event.button === 1 && this.#clicked(event, true));
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("contextmenu", (event) => this.#menu(event));
    watchLongPress(root);
  }

  /** Everything of the namespace, for the palette. */
  get entries() {
    return this.#list;
  }

  /** Show a `tableList` event. */
  show(tableList) {
    this.#list = entries(tableList);
    this.#root.setAttribute("aria-label", T.tablesOf(tableList.namespace));
    this.#root.removeAttribute("aria-busy");
    const user = group(this.#list, { system: this.#system }).schemas;
    if (user.length === 1) this.#unfolded.add(user[0].name);
    const selected = this.#list.find(({ full }) => full === this.#selected);
    if (selected) this.#unfolded.add(selected.schema);
    this.#draw();
  }

  /** Show that the list is on its way. */
  wait() {
    this.#list = [];
    this.#root.setAttribute("aria-busy", "true");
    this.#root.replaceChildren(
      ...Array.from({ length: 7 }, (_, n) =>
        el("li", { class: "tree-row", role: "none" }, el("span", { class: `bone bone-${(n % 4) + 1}` })),
      ),
    );
    this.#count.textContent = "";
  }

  /** Say in the tree's place why there is nothing. */
  fail(text, retry) {
    this.#root.removeAttribute("aria-busy");
    this.#root.replaceChildren(
      el(
        "li",
        { class: "tree-note", role: "none" },
        text,
        " ",
        el("button", { class: "link", type: "button", on: { click: retry } }, T.retryNow),
      ),
    );
  }

  filter(text) {
    this.#text = text;
    this.#draw();
  }

  set system(shown) {
    this.#system = shown;
    this.#draw();
  }

  /** The other namespaces that the person has, below the tables of this one. */
  set others(namespaces) {
    this.#others = namespaces;
    if (!this.#root.hasAttribute("aria-busy")) this.#draw();
  }

  /** Mark the table on screen, and unfold its schema. */
  select(table) {
    this.#selected = table;
    const entry = this.#list.find(({ full }) => full === table);
    if (entry && !this.#unfolded.has(entry.schema) && !this.#text) {
      this.#unfolded.add(entry.schema);
      this.#draw();
      return;
    }
    for (const item of this.#root.querySelectorAll("[data-table]"))
      item.setAttribute("aria-selected", String(item.dataset.table === table));
    this.#tabStop();
  }

  /** Mark the tables that have staged edits. */
  set staged(tables) {
    const next = new Set(tables);
    if (next.size === this.#staged.size && [...next].every((table) => this.#staged.has(table))) return;
    this.#staged = next;
    for (const item of this.#root.querySelectorAll("[data-table]")) {
      const mark = item.querySelector(".staged");
      if (this.#staged.has(item.dataset.table)) mark ?? item.firstChild.append(stagedMark());
      else mark?.remove();
    }
  }

  focus() {
    this.#root.querySelector("[tabindex='0']")?.focus();
  }

  /** Open the first table shown: Enter in the filter. */
  openFirst() {
    const first = this.#root.querySelector("[data-table]");
    if (first) this.#open(first, false);
  }

  #draw() {
    const { schemas, shown } = group(this.#list, { text: this.#text, system: this.#system });
    const focused = this.#root.contains(document.activeElement) ? document.activeElement : null;
    const kept = nameOf(focused);
    let room = SHOWN_MAX;
    const lines = schemas.map((schema) => {
      const unfolded = schema.matched || this.#unfolded.has(schema.name);
      const tables = unfolded ? schema.tables.slice(0, Math.max(0, room)) : [];
      room -= tables.length;
      return this.#schema(schema, unfolded, tables);
    });
    const text = this.#text.toLowerCase();
    const others = this.#others.filter((name) => name.toLowerCase().includes(text));
    this.#root.replaceChildren(...lines);
    if (!lines.length && !(text && others.length))
      this.#root.append(
        el("li", { class: "tree-note", role: "none" }, this.#text ? T.noMatch(this.#text) : T.noTables),
      );
    this.#root.append(...others.map((name) => this.#namespace(name)));
    this.#count.textContent = T.tableCount(shown);
    this.#tabStop(kept);
    if (focused && !focused.isConnected) this.focus();
  }

  #schema({ name, tables: all }, unfolded, tables) {
    const left = all.length - tables.length;
    return el(
      "li",
      { role: "treeitem", tabindex: "-1", data: { schema: name }, aria: { level: "1", expanded: String(unfolded) } },
      el(
        "div",
        { class: "tree-row" },
        icon("chevron-right", { small: true }),
        el("span", { class: "label" }, name),
        el("span", { class: "count", title: T.inSchema(all.length) }, String(all.length)),
      ),
      unfolded &&
        el(
          "ul",
          { role: "group" },
          ...tables.map((table) => this.#table(table)),
          left > 0 && el("li", { class: "tree-note", role: "none" }, T.moreTables(left)),
        ),
    );
  }

  #namespace(name) {
    return el(
      "li",
      {
        role: "treeitem",
        tabindex: "-1",
        title: T.switchTo(name),
        data: { namespace: name },
        aria: { level: "1", expanded: "false" },
      },
      el("div", { class: "tree-row" }, icon("database"), el("span", { class: "label" }, name)),
    );
  }

  #table({ name, full, kind, description }) {
    return el(
      "li",
      {
        role: "treeitem",
        tabindex: "-1",
        data: { table: full },
        title: description ? `${full}\n${description}` : full,
        aria: { level: "2", selected: String(full === this.#selected) },
      },
      el(
        "div",
        { class: "tree-row" },
        icon(ICON[kind] ?? "table-2", { label: kind === "view" ? T.view : null }),
        el("span", { class: "label" }, name),
        this.#staged.has(full) && stagedMark(),
      ),
    );
  }

  #tabStop(wanted = null) {
    const items = [...this.#root.querySelectorAll("[role=treeitem]")];
    for (const item of items) item.tabIndex = -1;
    const stop =
      items.find((item) => wanted && nameOf(item) === wanted) ??
      items.find((item) => item.getAttribute("aria-selected") === "true") ??
      items[0];
    if (stop) stop.tabIndex = 0;
  }

  #clicked(event, background = false) {
    const item = event.target.closest("[role=treeitem]");
    if (!item) return;
    this.#focusOn(item);
    if (item.dataset.table) this.#open(item, background || event.ctrlKey || event.metaKey);
    else this.#fold(item);
  }

  #open(item, background) {
    this.dispatchEvent(new CustomEvent("open", { detail: { table: item.dataset.table, background } }));
  }

  #menu(event) {
    const item = event.target.closest("[data-table]");
    if (!item) return;
    event.preventDefault();
    this.#focusOn(item);
    const box = item.getBoundingClientRect();
    const [x, y] = event.clientX ? [event.clientX, event.clientY] : [box.left + 24, box.bottom];
    this.dispatchEvent(new CustomEvent("menu", { detail: { table: item.dataset.table, anchor: item, x, y } }));
  }

  /** Unfold or fold a schema; a namespace unfolds to its tables in place of these. */
  #fold(item, unfold = item.getAttribute("aria-expanded") !== "true") {
    if (item.dataset.namespace)
      return this.dispatchEvent(new CustomEvent("namespace", { detail: { namespace: item.dataset.namespace } }));
    if (unfold) this.#unfolded.add(item.dataset.schema);
    else this.#unfolded.delete(item.dataset.schema);
    this.#draw();
  }

  #focusOn(item) {
    for (const other of this.#root.querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
    item.tabIndex = 0;
    item.focus();
  }

  #key(event) {
    if (event.altKey || event.metaKey || (event.ctrlKey && event.key !== "Enter")) return;
    const items = [...this.#root.querySelectorAll("[role=treeitem]")];
    const item = event.target.closest("[role=treeitem]");
    const at = items.indexOf(item);
    if (at < 0) return;
    const go = (to) => to && this.#focusOn(to);
    const expanded = item.getAttribute("aria-expanded");
    if (event.key.length > 1) this.#start = "";
    switch (event.key) {
      case "ArrowDown":
        go(items[at + 1]);
        break;
      case "ArrowUp":
        go(items[at - 1]);
        break;
      case "Home":
        go(items[0]);
        break;
      case "End":
        go(items.at(-1));
        break;
      case "ArrowRight":
        if (expanded === "false") this.#fold(item, true);
        else if (expanded === "true") go(items[at + 1]);
        break;
      case "ArrowLeft":
        if (expanded === "true" && !this.#text) this.#fold(item, false);
        else if (item.dataset.table) go(item.parentElement.closest("[role=treeitem]"));
        break;
      case "Enter":
      case " ":
        if (item.dataset.table) this.#open(item, event.ctrlKey);
        else this.#fold(item);
        break;
      default: {
        if (event.key.length !== 1) return;
        go(this.#typed(event.key.toLowerCase(), items, at));
      }
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Letters typed quickly are the start of a name; one letter again and again walks through the names with it. */
  #typed(letter, items, at) {
    const now = performance.now();
    this.#start = now - this.#typedAt < TYPING ? this.#start + letter : letter;
    this.#typedAt = now;
    const same = [...this.#start].every((each) => each === letter);
    const start = same ? letter : this.#start;
    const from = same ? at + 1 : at;
    return [...items.slice(from), ...items.slice(0, from)].find((item) =>
      item.querySelector(".label").textContent.toLowerCase().startsWith(start),
    );
  }
}

const nameOf = (item) => item && (item.dataset.table ?? item.dataset.schema ?? item.dataset.namespace);

function stagedMark() {
  return el("span", { class: "staged", role: "img", aria: { label: T.staged } });
}
