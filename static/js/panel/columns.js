// Which columns are shown, in which order.

import { openDialog } from "../ui/dialog.js";
import { el, icon } from "../ui/dom.js";
import { T } from "../grid/texts.js";

/** Let the person show, hide and order columns; every change counts at once. */
export async function openColumns(view) {
  const { layout } = view.table;
  const find = el("input", {
    class: "input",
    type: "search",
    "aria-label": T.findColumn,
    placeholder: T.findColumn,
    on: { input: () => draw() },
  });
  const list = el("ul", { class: "column-list", "aria-label": T.columns });
  const draw = () => {
    const wanted = find.value.trim().toLowerCase();
    const columns = view.table.columns.filter(
      (column) => !column.gutter && column.field.toLowerCase().includes(wanted),
    );
    const focused = document.activeElement?.dataset?.key;
    list.replaceChildren(
      ...columns.map((column) => {
        const { field } = column;
        const show = el("input", {
          type: "checkbox",
          checked: !column.hidden,
          data: { key: `show ${field}` },
          on: { change: () => change(() => view.arranging.hide([field], !show.checked)) },
        });
        const move = (by, name, label) =>
          el(
            "button",
            {
              class: `button button-icon ${name}`,
              type: "button",
              title: label,
              "aria-label": `${label}: ${field}`,
              data: { key: `${name} ${field}` },
              on: { click: () => change(() => view.arranging.move(field, by)) },
            },
            icon("chevron-down", { small: true }),
          );
        return el(
          "li",
          {},
          el("label", { class: "check" }, show, el("span", { class: "clip" }, field)),
          move(-1, "up", T.moveLeft),
          move(1, "down", T.moveRight),
        );
      }),
    );
    if (focused) list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  };
  const change = (run) => {
    run();
    draw();
  };
  draw();
  const answer = await openDialog({
    title: T.columns,
    class: "small-dialog",
    body: [el("div", { class: "fields" }, find, list)],
    ready: () => find.focus(),
    actions: [
      { label: T.resetLayout, value: "reset" },
      { label: T.showAll, value: "all" },
      { label: T.close, value: "", primary: true },
    ],
  });
  if (answer === "reset") view.arranging.reset();
  if (answer === "all") view.arranging.hide([...layout.hidden], false);
  view.focus();
}
