// The values of a column with their numbers of rows, to filter by those that are ticked.

import { openDialog } from "../ui/dialog.js";
import { el } from "../ui/dom.js";
import { isNumber } from "../data/json.js";
import { shownText } from "../data/values.js";
import { number } from "../texts.js";
import { T } from "../grid/texts.js";

const FIND_FROM = 10; // values from which on a field to find one helps

const keyOf = (value) => (value === null ? "null" : `${isNumber(value) ? "n" : "t"}${value}`);

/** Let the person tick values of a column, and filter by them. */
export async function chooseValues(view, name) {
  const { table, client } = view;
  const column = table.columnOf(name);
  const old = table.filters.of(name);
  const ticked = new Set((!old || old.off ? [] : valuesOf(old)).map(keyOf));
  const note = el("p", { class: "field-note", role: "status" }, T.valuesReading);
  const list = el("ul", { class: "value-list", "aria-label": T.valuesTitle(name) });
  const find = el("input", {
    class: "input",
    type: "search",
    hidden: true,
    "aria-label": T.valuesFind,
    placeholder: T.valuesFind,
    on: { input: () => draw() },
  });
  const tools = el(
    "div",
    { class: "value-list-tools", hidden: true },
    find,
    all(T.valuesAll, true),
    all(T.valuesNone, false),
  );
  const abort = new AbortController();
  let values = [];
  let more = false;
  let go = null;

  function all(label, on) {
    return el(
      "button",
      { class: "button", type: "button", on: { click: () => shown().forEach((item) => tick(item, on)) } },
      label,
    );
  }

  function shown() {
    const wanted = find.value.trim().toLowerCase();
    return values.filter(({ value }) => labelOf(value, column).toLowerCase().includes(wanted));
  }

  function tick({ value }, on) {
    if (on) ticked.add(keyOf(value));
    else ticked.delete(keyOf(value));
    draw();
  }

  function draw() {
    const focused = document.activeElement?.dataset.key;
    list.replaceChildren(...shown().map((item) => valueItem(item, column, ticked.has(keyOf(item.value)), tick)));
    if (focused) list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    if (go) go.disabled = !values.some(({ value }) => ticked.has(keyOf(value)));
  }

  async function read(dialog) {
    go = dialog.querySelector(".button-primary");
    go.disabled = true;
    try {
      const { payload } = await client.send(
        "getColumnValues",
        {
          namespace: table.namespace,
          tableName: table.tableName,
          column: name,
          filters: table.filters.without(name).toWire(),
          ...(table.search ? { search: table.search } : {}),
        },
        { signal: abort.signal },
      );
      ({ values, more } = payload);
      if (!ticked.size) for (const { value } of values) ticked.add(keyOf(value));
      note.textContent = more ? T.valuesMore(values.length) : "";
      tools.hidden = false;
      find.hidden = values.length < FIND_FROM;
      draw();
      list.querySelector("input")?.focus();
    } catch (error) {
      note.textContent = error.message;
    }
  }

  const answer = await openDialog({
    title: T.valuesTitle(name),
    text: T.valuesText,
    class: "small-dialog",
    body: [tools, list, note],
    actions: [
      { label: T.cancel, value: "" },
      { label: T.valuesGo, value: "go", primary: true },
    ],
    ready: read,
  });
  abort.abort();
  if (answer !== "go") return view.focus();
  const chosen = values.map(({ value }) => value).filter((value) => ticked.has(keyOf(value)));
  const isText = chosen.some((value) => typeof value === "string");
  const isAll = chosen.length === values.length && !more;
  table.filters.put(name, isAll ? null : { operator: "in", value: chosen, ...(isText ? { matchCase: true } : {}) });
  view.filtersChanged();
  return view.focus();
}

/** The values that a filter leaves, where it is one by values. */
function valuesOf({ operator, value }) {
  if (operator === "in") return value;
  if (operator === "equals") return [value];
  return operator === "isNull" ? [null] : operator === "isEmpty" ? [""] : [];
}

const labelOf = (value, column) => (value === null ? "NULL" : value === "" ? "''" : shownText(value, column.schema));

function valueItem(item, column, on, tick) {
  const { value, rows } = item;
  const box = el("input", {
    type: "checkbox",
    checked: on,
    data: { key: keyOf(value) },
    on: { change: () => tick(item, box.checked) },
  });
  const special = value === null ? "v-null" : value === "" ? "v-empty" : "";
  return el(
    "li",
    {},
    el(
      "label",
      { class: "check" },
      box,
      el("span", { class: `clip ${special}`.trim(), dir: "auto" }, labelOf(value, column)),
      el("span", { class: "dim num push" }, number(rows)),
    ),
  );
}
