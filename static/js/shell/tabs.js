// The strip of open tables. Knows names and order; what stands in a tab is the editor's.

import { T, edits } from "../texts.js";
import { el, icon } from "../ui/dom.js";
import { sameTable } from "./location.js";
import { watchLongPress } from "../ui/long-press.js";
import { dragTabs } from "./tab-drag.js";
import { wheelPixels } from "../ui/wheel.js";

/**
 * Emits "select", "close", "menu" and "moved" with {tab}; a tab is {namespace, table, button, ...what the editor adds}.
 */
export class Tabs extends EventTarget {
  #root;
  #tabs = [];
  #current = null;

  constructor(root) {
    super();
    this.#root = root;
    root.addEventListener("keydown", (event) => this.#key(event));
    dragTabs(root, {
      all: () => this.#tabs,
      move: (tab, to) => this.#place(tab, to),
      dropped: (tab) => this.#emit("moved", tab),
    });
    watchLongPress(root);
    // Sideways the browser scrolls the strip itself.
    root.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.shiftKey) root.scrollLeft += wheelPixels(event, root.clientWidth).y;
      },
      { passive: true },
    );
  }

  get all() {
    return [...this.#tabs];
  }

  get current() {
    return this.#current;
  }

  find(namespace, table) {
    return this.#tabs.find((tab) => sameTable(tab, { namespace, table })) ?? null;
  }

  /** Add a tab at the end; does not select it. */
  add(tab) {
    const id = `tab-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
    tab.panel.id = `${id}-panel`;
    tab.panel.setAttribute("role", "tabpanel");
    tab.panel.setAttribute("aria-labelledby", id);
    tab.button = el(
      "button",
      {
        id,
        type: "button",
        class: "tab",
        role: "tab",
        tabindex: "-1",
        aria: { selected: "false", controls: tab.panel.id, keyshortcuts: "Delete Shift+ArrowLeft Shift+ArrowRight" },
        on: {
          click: (event) => this.#emit(event.target.closest(".tab-x") ? "close" : "select", tab),
          auxclick: (event) => event.button === 1 && this.#emit("close", tab),
          contextmenu: (event) => {
            event.preventDefault();
            this.#emit("menu", tab, { x: event.clientX, y: event.clientY });
          },
        },
      },
      el("span", { class: "label" }),
      el("span", { class: "tab-x", title: `${T.closeTab} (Delete)` }, icon("x", { small: true })),
    );
    this.#tabs.push(tab);
    this.#root.append(tab.button);
    this.mark(tab);
    this.label();
    return tab;
  }

  /** Make a tab the current one; null for none. */
  select(tab) {
    this.#current = tab;
    for (const { button } of this.#tabs) {
      const on = button === tab?.button;
      button.setAttribute("aria-selected", String(on));
      button.tabIndex = on ? 0 : -1;
    }
    tab?.button.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Take a tab out; gives its neighbour. */
  remove(tab) {
    const at = this.#tabs.indexOf(tab);
    this.#tabs.splice(at, 1);
    tab.button.remove();
    this.label();
    return this.#tabs[at] ?? this.#tabs[at - 1] ?? null;
  }

  /** Put a tab so many places further: back for a negative number. It stops at the ends. */
  move(tab, by) {
    if (this.#place(tab, this.#tabs.indexOf(tab) + by)) this.#emit("moved", tab);
  }

  /** Write the tables on their tabs; the namespace beside it where tables of one name are open. */
  label() {
    for (const tab of this.#tabs) {
      const twin = this.#tabs.some((other) => other !== tab && other.table.toLowerCase() === tab.table.toLowerCase());
      const label = tab.button.querySelector(".label");
      label.textContent = tab.table;
      tab.button.querySelector(".tab-namespace")?.remove();
      if (twin) label.after(el("span", { class: "tab-namespace" }, tab.namespace));
    }
  }

  /** Show whether a tab has staged edits. */
  mark(tab) {
    const text = edits(tab.pending ?? {});
    tab.button.title = [`${tab.namespace}.${tab.table}`, text].filter(Boolean).join(": ");
    const dot = tab.button.querySelector(".staged");
    if (text && !dot)
      tab.button
        .querySelector(".tab-x")
        .before(el("span", { class: "staged", role: "img", aria: { label: T.staged } }));
    if (!text) dot?.remove();
  }

  focus() {
    this.#current?.button.focus();
  }

  #place(tab, wanted) {
    const from = this.#tabs.indexOf(tab);
    const to = Math.max(0, Math.min(wanted, this.#tabs.length - 1));
    if (to === from) return false;
    const passed = (to > from ? this.#tabs.slice(from + 1, to + 1) : this.#tabs.slice(to, from)).map(
      ({ button }) => button,
    );
    // The others go round it: taken out itself, it would lose the focus and the pointer.
    if (to > from) tab.button.before(...passed);
    else tab.button.after(...passed);
    this.#tabs.splice(to, 0, ...this.#tabs.splice(from, 1));
    return true;
  }

  #emit(type, tab, more = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail: { tab, ...more } }));
  }

  #key(event) {
    const at = this.#tabs.findIndex(({ button }) => button === document.activeElement);
    if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Delete") {
      this.#emit("close", this.#tabs[at]);
      if (this.#current) this.focus();
    } else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      const box = this.#tabs[at].button.getBoundingClientRect();
      this.#emit("menu", this.#tabs[at], { x: box.left, y: box.bottom });
    } else if (event.shiftKey && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
      this.move(this.#tabs[at], event.key === "ArrowRight" ? 1 : -1);
    } else {
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: this.#tabs.length - 1 }[event.key];
      if (to === undefined) return;
      const tab = this.#tabs.at(to % this.#tabs.length);
      this.#emit("select", tab, { keep: true });
      tab.button.focus();
    }
    event.preventDefault();
  }
}
