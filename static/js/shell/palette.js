// Ctrl+K: any table, open tab, namespace or command by a part of its name.

import { T } from "../texts.js";
import { el, icon } from "../ui/dom.js";
import { openDialog } from "../ui/dialog.js";
import { find } from "./palette-model.js";

const SHOWN = 60;

/**
 * Ask where to go. `more(draw)` starts reading what may be found besides, and calls `draw` when something came.
 *
 * @param {() => {label: string, icon: string, hint?: string, group: string, boost?: number, run: (background:
 *   boolean) => void}[]} items
 *   read on every key, since the table list may still be arriving
 * @param {string} none what is said where nothing matches
 * @param {(draw: () => void) => void} [more]
 */
export function openPalette(items, none, more = undefined) {
  let shown = [];
  let at = 0;
  const list = el("div", { class: "palette-list", role: "listbox", id: "palette-list", aria: { label: T.goTo } });
  const input = el("input", {
    class: "palette-input",
    type: "text",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    autofocus: true,
    placeholder: T.goToHint,
    aria: { label: T.goTo, expanded: "true", controls: "palette-list", autocomplete: "list" },
  });
  let dialog = null;

  const choose = (item, background) => {
    dialog.close("");
    // After the dialog has given the focus back, so that what runs may move it.
    queueMicrotask(() => setTimeout(() => item.run(background)));
  };
  const mark = (to) => {
    if (!shown.length) return;
    at = (to + shown.length) % shown.length;
    for (const [index, option] of [...list.querySelectorAll("[role=option]")].entries()) {
      option.setAttribute("aria-selected", String(index === at));
      if (index === at) option.scrollIntoView({ block: "nearest" });
    }
    input.setAttribute("aria-activedescendant", `palette-${at}`);
  };
  const draw = () => {
    const text = input.value.trim();
    const commands = text.startsWith(">");
    const pool = items().filter(({ group }) => (commands ? group === T.commands : text || group !== T.commands));
    shown = find(pool, commands ? text.slice(1) : text, SHOWN);
    list.replaceChildren(
      ...shown.map((item, index) =>
        el(
          "div",
          {
            id: `palette-${index}`,
            class: "palette-item",
            role: "option",
            aria: { selected: "false" },
            on: { click: (event) => choose(item, event.ctrlKey || event.metaKey) },
          },
          icon(item.icon),
          el("span", { class: "label" }, item.label),
          el("span", { class: "menu-hint" }, item.hint ?? item.group),
        ),
      ),
    );
    if (!shown.length) list.append(el("p", { class: "palette-none" }, none));
    input.removeAttribute("aria-activedescendant");
    mark(0);
  };
  /** What is marked stays marked when more comes in. */
  const redraw = () => {
    const marked = shown[at];
    draw();
    const again = shown.findIndex((item) => item.label === marked?.label && item.hint === marked?.hint);
    if (again > 0) mark(again);
  };
  input.addEventListener("input", draw);
  input.addEventListener("keydown", (event) => {
    const page = 10;
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: Math.min(at + page, shown.length - 1),
      PageUp: Math.max(at - page, 0),
    }[event.key];
    if (to !== undefined) mark(to);
    else if (event.key === "Enter" && shown[at]) choose(shown[at], event.ctrlKey || event.metaKey);
    else return;
    event.preventDefault();
  });
  return openDialog({
    title: T.goTo,
    class: "palette",
    body: [el("div", { class: "palette-field" }, icon("search"), input), list],
    ready: (opened) => {
      dialog = opened;
      draw();
      more?.(() => opened.open && redraw());
    },
  });
}
