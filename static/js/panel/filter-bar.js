// The bar above the rows: quick search, and every filter that counts, to be switched off, changed or dropped.

import { el, icon, iconButton } from "../ui/dom.js";
import { openMenu } from "../ui/menu.js";
import { filterText, operatorsOf, parseFilter, takesValue } from "../data/filters.js";
import { ValueError } from "../data/values.js";
import { T, reasonText } from "../grid/texts.js";

const SEARCH_DELAY = 400;

/** The filter bar of a view. */
export class FilterBar {
  #timer = null;
  #shown = false;

  constructor(view, root) {
    this.view = view;
    this.root = root;
    this.search = el("input", {
      class: "input bar-search",
      dir: "auto",
      type: "search",
      "aria-label": T.search,
      placeholder: T.searchPlaceholder,
      on: {
        input: () => {
          clearTimeout(this.#timer);
          this.#timer = setTimeout(() => this.#searched(), SEARCH_DELAY);
        },
        keydown: (event) => this.#key(event),
      },
    });
    this.chips = el("ul", { class: "bar-filters", "aria-label": T.filters });
    this.root.append(this.search, this.chips);
  }

  get shown() {
    return this.#shown;
  }

  set shown(on) {
    this.#shown = on;
    this.draw();
  }

  #searched() {
    clearTimeout(this.#timer);
    if (this.search.value.trim() === this.view.table.search) return;
    this.view.table.search = this.search.value.trim();
    this.view.filtersChanged();
  }

  #key(event) {
    if (event.key === "Enter") {
      this.#searched();
      this.search.select();
    } else if (event.key === "ArrowDown") this.view.focus();
    else if (event.key === "Escape" && !this.search.value) this.view.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Draw it as the filters are. A bar with active filters stays in sight. */
  draw() {
    const { filters, search } = this.view.table;
    this.root.hidden = !this.#shown && !filters.list.length && !search;
    if (document.activeElement !== this.search) this.search.value = search;
    const focused = this.chips.contains(document.activeElement)
      ? [...this.chips.querySelectorAll("button,input,select")].indexOf(document.activeElement)
      : -1;
    this.chips.replaceChildren(
      ...filters.list.flatMap((filter, index) => this.#chip(filter, index)),
      el("li", {}, this.#adder()),
      filters.list.length ? el("li", {}, this.#clearer()) : "",
    );
    if (focused < 0) return;
    this.chips.querySelectorAll("button,input,select")[focused]?.focus();
    if (document.activeElement === document.body) this.view.focus(); // the chip is gone, or the bar
  }

  #chip(filter, index) {
    const column = this.view.table.columnOf(filter.column);
    const on = el("input", {
      type: "checkbox",
      checked: !filter.off,
      "aria-label": `${T.filterOn}: ${filter.column}`,
      on: {
        change: () =>
          this.#change(() => {
            filter.off = !on.checked;
          }),
      },
    });
    const operator = el(
      "select",
      { "aria-label": `${filter.column}: operator`, on: { change: () => this.#operate(filter, operator.value) } },
      ...(column ? operatorsOf(column.schema) : [filter.operator]).map((name) =>
        el("option", { value: name, selected: name === filter.operator }, T.operator[name]),
      ),
    );
    const parts = [on, el("span", { class: "chip-name" }, filter.column), operator];
    if (takesValue(filter.operator)) parts.push(this.#value(filter, column));
    if (
      column &&
      ["contains", "startsWith", "endsWith", "equals", "notEquals", "in"].includes(filter.operator) &&
      typeof (Array.isArray(filter.value) ? filter.value[0] : filter.value) === "string"
    ) {
      parts.push(
        el(
          "button",
          {
            class: "button button-icon chip-case",
            type: "button",
            "aria-pressed": String(Boolean(filter.matchCase)),
            title: T.matchCase,
            "aria-label": T.matchCase,
            on: {
              click: () =>
                this.#change(() => {
                  filter.matchCase = !filter.matchCase;
                }),
            },
          },
          "Aa",
        ),
      );
    }
    parts.push(
      iconButton("x", {
        label: `${T.removeFilter}: ${filter.column}`,
        title: T.removeFilter,
        click: () => this.#change(() => this.view.table.filters.removeAt(index)),
        small: true,
      }),
    );
    const chip = el("li", { class: `filter-chip${filter.off ? " is-off" : ""}` }, ...parts);
    return index ? [this.#joint(filter), chip] : [chip];
  }

  /** The word between two filters: whether both must hold, or one of them. */
  #joint(filter) {
    const words = T.joint[filter.or ? "or" : "and"];
    const button = el(
      "button",
      {
        class: "chip-joint",
        type: "button",
        title: words.title,
        "aria-label": words.title,
        on: {
          click: () =>
            this.#change(() => {
              filter.or = !filter.or;
            }),
        },
      },
      words.text,
    );
    return el("li", {}, button);
  }

  #value(filter, column) {
    const plain =
      filter.operator === "in" || filter.operator === "between"
        ? filterText(filter, column?.schema).replace(/^in /, "")
        : String(filter.value ?? "");
    const input = el("input", {
      type: "text",
      class: "chip-value",
      dir: "auto",
      value: plain,
      "aria-label": `${filter.column}: value`,
      spellcheck: "false",
      on: {
        change: () => this.#put(filter, column, input),
        keydown: (event) => event.key === "Enter" && this.#put(filter, column, input),
      },
    });
    input.size = Math.max(4, Math.min(24, plain.length));
    return input;
  }

  #put(filter, column, input) {
    const signs = {
      contains: "",
      startsWith: "^",
      endsWith: "$",
      equals: "=",
      notEquals: "≠",
      greater: ">",
      greaterOrEqual: "≥",
      less: "<",
      lessOrEqual: "≤",
      in: "in ",
      between: "",
    };
    try {
      const parsed = ["contains", "startsWith", "endsWith"].includes(filter.operator)
        ? { operator: filter.operator, value: input.value }
        : parseFilter(`${signs[filter.operator]}${input.value}`, column.schema);
      if (!parsed) return;
      this.#change(() => {
        delete filter.off;
        Object.assign(filter, parsed);
      });
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      input.setAttribute("aria-invalid", "true");
      input.title = reasonText(error);
    }
  }

  #operate(filter, operator) {
    this.#change(() => {
      const first = Array.isArray(filter.value) ? filter.value[0] : filter.value;
      filter.operator = operator;
      if (!takesValue(operator)) delete filter.value;
      else if (operator === "in") filter.value = Array.isArray(filter.value) ? filter.value : [first ?? ""];
      else if (operator === "between")
        filter.value =
          Array.isArray(filter.value) && filter.value.length === 2 ? filter.value : [first ?? "", first ?? ""];
      else filter.value = first ?? "";
      if (filter.value === "" || filter.value?.[0] === "") filter.off = true; // until it has a value
    });
  }

  #change(change) {
    change();
    this.view.filtersChanged();
  }

  #adder() {
    const button = el(
      "button",
      {
        class: "button",
        type: "button",
        "aria-haspopup": "menu",
        "aria-expanded": "false",
        on: { click: () => this.#add(button) },
      },
      icon("plus", { small: true }),
      T.addFilter,
    );
    return button;
  }

  #add(button) {
    const columns = this.view.table.columns.filter((column) => !column.gutter);
    openMenu(
      button,
      columns.map((column) => ({
        label: column.field,
        run: () => {
          const [operator] = operatorsOf(column.schema);
          this.view.table.filters.add({
            column: column.field,
            operator,
            ...(takesValue(operator) ? { value: "", off: true } : {}),
          });
          this.draw();
          [...this.chips.querySelectorAll(".chip-value")].at(-1)?.focus();
        },
      })),
      { label: T.addFilter },
    );
  }

  #clearer() {
    return el(
      "button",
      { class: "button", type: "button", on: { click: () => this.view.clearFilters() } },
      T.clearFilters,
    );
  }
}
