// The head of the grid: names with their marks, sorting, the column menu, dragging columns about, and the filter row.

import { el, icon, iconButton } from "../ui/dom.js";
import { openMenu } from "../ui/menu.js";
import { defaultOperator, filterText, parseFilter } from "../data/filters.js";
import { ValueError, kindOf } from "../data/values.js";
import { T, reasonText } from "./texts.js";

const FILTER_DELAY = 400;
const DRAG_SLACK = 6;
const HINTS = { contains: () => T.contains, equals: () => "=" };

/**
 * Draws headers and filters. `act` has: sort(list), filter(column, filter), clearFilters(), hide(name), move(name, by,
 * before), freeze(name | null), fit(name), focusGrid(), wrongFilter(name, why), chooseValues(name).
 */
export class Header {
  #typed = new Map(); // column name -> text in the filter row that is not applied, being wrong or still typed
  #timers = new Map();

  constructor(table, act) {
    this.table = table;
    this.act = act;
  }

  /** Called for each header cell that SlickGrid made. */
  header(node, column) {
    const name = node.querySelector(".slick-column-name");
    if (column.gutter) {
      name.replaceChildren(el("span", { class: "sr" }, T.row));
      return;
    }
    const { schema } = column;
    const marks = [];
    if (schema.isPrimaryKey) marks.push(icon("key-round", { small: true, label: T.key }));
    else if (!column.editable) marks.push(icon("lock", { small: true, label: T.readOnly }));
    const required = schema.nullable === false && !schema.hasDefault && column.editable;
    name.replaceChildren(
      ...marks,
      el("span", { class: "label" }, column.name),
      required ? el("span", { class: "required", title: T.requires, "aria-label": T.requires, role: "img" }, "*") : "",
    );
    node.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      this.menu(column, { x: event.clientX, y: event.clientY });
    });
    node.append(this.#handle(column));
    node.addEventListener("pointerdown", (event) => this.#drag(event, node, column));
  }

  /** The button that opens a column's menu, for the mouse: by keyboard it is Alt+Down on a cell. */
  #handle(column) {
    const stop = (event) => event.stopPropagation();
    return el(
      "button",
      {
        class: "head-menu",
        type: "button",
        tabindex: "-1",
        title: `${T.columnMenu(column.name)} (Alt+Down)`,
        "aria-hidden": "true",
        on: {
          pointerdown: stop, // it begins no drag
          click: (event) => {
            stop(event);
            this.menu(column);
          },
        },
      },
      icon("chevron-down", { small: true }),
    );
  }

  /** Called for each cell of the filter row. */
  filter(node, column) {
    if (node.childElementCount) return;
    if (column.gutter) {
      node.append(
        iconButton("x", {
          label: T.clearAllFilters,
          title: `${T.clearAllFilters} (Ctrl+Shift+F)`,
          click: () => this.act.clearFilters(),
          small: true,
          tabindex: "-1",
        }),
      );
      return;
    }
    const operator = defaultOperator(column.schema);
    const input = el("input", {
      class: "filter",
      dir: "auto",
      type: "text",
      autocomplete: "off",
      spellcheck: "false",
      "aria-label": T.filterOf(column.name),
      placeholder: HINTS[operator]?.() ?? "",
      data: { column: column.field },
      on: {
        input: () => this.#later(input, column),
        change: () => this.#apply(input, column, true),
        keydown: (event) => this.#key(event, input, column),
      },
    });
    const name = T.howCompared(column.name);
    const open = el(
      "button",
      {
        class: "filter-menu",
        type: "button",
        tabindex: "-1",
        title: `${name} (Alt+Down)`,
        "aria-label": name,
        "aria-haspopup": "menu",
        "aria-expanded": "false",
        on: { click: () => this.#choose(open, input, column) },
      },
      icon("chevron-down", { small: true }),
    );
    node.append(input, open);
    this.#show(input, column);
  }

  /** Open the menu of operators and values of a filter cell. */
  async #choose(button, input, column) {
    const { openFilterMenu } = await import("./filter-menu.js");
    openFilterMenu(button, {
      column,
      text: input.value,
      put: (text, { apply }) => {
        input.value = text;
        input.focus();
        if (apply) this.#apply(input, column, true);
      },
      chooseValues: () => this.act.chooseValues(column.field),
    });
  }

  /** Bring the filter row in step with the filters. */
  refresh() {
    for (const input of this.table.sheet.getContainerNode().querySelectorAll("input.filter")) {
      const column = this.table.columnOf(input.dataset.column);
      if (!column) continue;
      // What is being typed stays as it is written; a filter that was set elsewhere takes its place, Back for one.
      if (document.activeElement !== input || this.#isOld(input, column)) this.#show(input, column);
      else this.#mark(input, column);
    }
  }

  /** What is being typed into the fields counts no more. */
  forget() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#typed.clear();
  }

  focusFilter(name) {
    const inputs = [...this.table.sheet.getContainerNode().querySelectorAll("input.filter")];
    const input = inputs.find((other) => other.dataset.column === name) ?? inputs[0];
    input?.focus();
    input?.select();
    return Boolean(input);
  }

  #show(input, column) {
    input.value = this.#typed.get(column.field) ?? this.#textOf(column);
    this.#mark(input, column);
  }

  /** True when a field says another filter than the one that counts, and is not being typed in. */
  #isOld(input, column) {
    if (this.#typed.has(column.field)) return false;
    try {
      const written = parseFilter(input.value, column.schema);
      return (written ? filterText(written, column.schema) : "") !== this.#textOf(column);
    } catch {
      return true;
    }
  }

  /** The filter of a column as text; "" for none, or for one that is switched off. */
  #textOf(column) {
    const filter = this.table.filters.of(column.field);
    return filter && !filter.off ? filterText(filter, column.schema) : "";
  }

  #mark(input, column) {
    const filter = this.table.filters.of(column.field);
    input.parentNode.classList.toggle("is-on", Boolean(filter && !filter.off));
    input.title = [input.value, ...T.filterExamples(kindOf(column.schema))].filter(Boolean).join("\n");
  }

  #later(input, column) {
    clearTimeout(this.#timers.get(column.field));
    this.#typed.set(column.field, input.value);
    this.#timers.set(
      column.field,
      setTimeout(() => this.#apply(input, column), FILTER_DELAY),
    );
  }

  /** Filter by what stands in a field; `loudly` says what is wrong with it, which may still be typed. */
  #apply(input, column, loudly = false) {
    clearTimeout(this.#timers.get(column.field));
    let filter;
    try {
      filter = parseFilter(input.value, column.schema);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      input.setAttribute("aria-invalid", "true");
      input.title = reasonText(error);
      if (loudly) this.act.wrongFilter(column.field, input.title);
      return false;
    }
    input.removeAttribute("aria-invalid");
    this.#typed.delete(column.field);
    this.act.filter(column.field, filter);
    this.#mark(input, column);
    return true;
  }

  #key(event, input, column) {
    if (event.key === "Enter") {
      if (this.#apply(input, column, true)) input.select(); // in the rows the next word would overwrite a cell
    } else if (event.key === "ArrowDown" && event.altKey) {
      this.#choose(input.nextElementSibling, input, column);
    } else if (event.key === "ArrowDown") {
      if (this.#apply(input, column, true)) this.act.focusGrid();
    } else if (event.key === "Escape") {
      if (input.value) {
        input.value = "";
        this.#apply(input, column);
      } else this.act.focusGrid();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Sorting is ours: SlickGrid's own is stopped, and told what we sorted. */
  clicked(event) {
    const native = event.getNativeEvent?.() ?? event;
    const node = native.target?.closest?.(".slick-header-column");
    const column = node && this.table.columnById(node.dataset.id);
    if (column) this.click(column, native.shiftKey || native.ctrlKey || native.metaKey);
    queueMicrotask(() => this.showSort());
    return false;
  }

  /** Mark the headers of the columns that are sorted by. */
  showSort() {
    const { sheet, sort } = this.table;
    const known = sort.map(({ column, direction }) => ({
      columnId: this.table.columnOf(column)?.id,
      sortAsc: direction === "asc",
    }));
    sheet.setSortColumns(known.filter(({ columnId }) => columnId !== undefined));
  }

  /** A click on a header: ascending, descending, not at all; with Shift beside the other columns. */
  click(column, beside) {
    const sort = this.table.sort;
    const old = sort.find((entry) => entry.column === column.field);
    const direction = !old ? "asc" : old.direction === "asc" ? "desc" : null;
    this.sortBy(column, direction, beside);
  }

  sortBy(column, direction, beside) {
    const rest = beside ? this.table.sort.filter((entry) => entry.column !== column.field) : [];
    const at = beside ? this.table.sort.findIndex((entry) => entry.column === column.field) : -1;
    const list = direction ? [...rest] : rest;
    if (direction) list.splice(at < 0 ? list.length : at, 0, { column: column.field, direction });
    this.act.sort(list);
  }

  /** What can be done with a column, also by keyboard (Alt+Down on a cell). */
  menu(column, at = null) {
    const { table } = this;
    const node = table.sheet.getHeaderColumn(column.id);
    const sorted = table.sort.find((entry) => entry.column === column.field);
    const others = table.sort.some((entry) => entry.column !== column.field);
    const items = [
      { label: column.toolTip.split("\n")[0], note: true },
      ...(column.sortable
        ? [
            // A column of the order keeps its place in it: by keyboard there is no other way to turn it round.
            {
              label: T.sortUp,
              checked: sorted?.direction === "asc",
              run: () => this.sortBy(column, "asc", Boolean(sorted)),
            },
            {
              label: T.sortDown,
              checked: sorted?.direction === "desc",
              run: () => this.sortBy(column, "desc", Boolean(sorted)),
            },
            others && !sorted
              ? { label: T.addSort, hint: "Shift+click", run: () => this.sortBy(column, "asc", true) }
              : undefined,
            sorted ? { label: T.noSort, run: () => this.sortBy(column, null, true) } : undefined,
            null,
          ]
        : []),
      { label: T.filterOf(column.name), icon: "list-filter", run: () => this.act.showFilter(column.field) },
      { label: T.fitWidth, run: () => this.act.fit(column.field) },
      { label: T.fitAll, run: () => this.act.fit() },
      { label: T.hide, run: () => this.act.hide(column.field) },
      null,
      { label: T.freezeTo, run: () => this.act.freeze(column.field) },
      { label: T.unfreeze, run: () => this.act.freeze(null) },
      { label: T.moveLeft, run: () => this.act.move(column.field, -1) },
      { label: T.moveRight, run: () => this.act.move(column.field, 1) },
    ].filter((item) => item !== undefined);
    openMenu(node, items, { label: T.columnMenu(column.name), at });
  }

  /** Drag a header to another place; a short move is a click, and sorts. */
  #drag(start, node, column) {
    if (
      start.button !== 0 ||
      start.pointerType === "touch" ||
      start.target.closest(".slick-resizable-handle, .head-menu")
    )
      return;
    const { table } = this;
    let marker = null;
    let target = null;
    const nodes = () =>
      [...table.sheet.getContainerNode().querySelectorAll(".slick-header-column")].filter(
        (other) => !other.classList.contains("gutter"),
      );
    const move = (event) => {
      if (!marker) {
        if (Math.abs(event.clientX - start.clientX) < DRAG_SLACK) return;
        marker = el("div", { class: "drop-mark", "aria-hidden": "true" });
        table.box.append(marker);
        node.classList.add("is-dragged");
      }
      const over = nodes().find((other) => {
        const box = other.getBoundingClientRect();
        return event.clientX >= box.left && event.clientX < box.right;
      });
      if (!over) return;
      const box = over.getBoundingClientRect();
      const behind = event.clientX > box.left + box.width / 2;
      target = { name: table.columnById(over.dataset.id)?.field, behind };
      marker.style.left = `${(behind ? box.right : box.left) - table.box.getBoundingClientRect().left - 1}px`;
    };
    const end = () => {
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", end);
      document.removeEventListener("pointercancel", cancel);
      node.classList.remove("is-dragged");
      marker?.remove();
      if (!marker) return;
      const swallow = (event) => event.stopPropagation(); // no sort after a drag
      document.addEventListener("click", swallow, { capture: true, once: true });
      setTimeout(() => document.removeEventListener("click", swallow, true));
      if (target?.name && target.name !== column.field) this.act.place(column.field, target.name, target.behind);
    };
    const cancel = () => {
      target = null;
      end();
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", end);
    document.addEventListener("pointercancel", cancel);
  }
}
