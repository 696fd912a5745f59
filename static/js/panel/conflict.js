// A conflict in three columns: what you saw, what they saved, what you want. Per cell, or for the whole row.

import { openDialog } from "../ui/dialog.js";
import { el } from "../ui/dom.js";
import { recordOf } from "../data/json.js";
import { T } from "../grid/texts.js";
import { valueNodes } from "../grid/cell-nodes.js";
import { readTheirs } from "./value.js";
import { rowLabel } from "./review.js";

/** Let the person decide the conflict of a row; nothing happens when they put it off. */
export async function decide(view, id) {
  const { staged, schema } = view.table;
  const entry = staged.get(id);
  if (!entry?.conflict || !(await readTheirs(view, entry)) || staged.get(id) !== entry || !entry.conflict) return;
  const names = schema.columns.map(({ name }) => name).filter((name) => name in entry.conflict);
  const choices = recordOf(names.map((name) => [name, "mine"]));
  const deleting = entry.kind === "delete";
  const rows = names.map((name) => {
    const column = schema.columns.find((each) => each.name === name);
    const { base, mine, theirs } = entry.conflict[name];
    const cells = ["theirs", "mine"].map((side) => {
      const input = el("input", {
        type: "radio",
        name: `conflict-${column.name}`,
        checked: side === "mine" && !deleting,
        on: { change: () => choose(name, side) },
      });
      const content =
        side === "mine" && deleting ? [T.yourDelete] : valueNodes(side === "mine" ? mine : theirs, column);
      return el(
        "td",
        { dir: "auto", data: { side } },
        deleting ? el("span", {}, ...content) : el("label", {}, input, ...content),
      );
    });
    return el(
      "tr",
      { data: { column: name } },
      el("th", { scope: "row" }, name),
      el("td", { dir: "auto" }, ...valueNodes(base, column)),
      ...cells,
    );
  });
  const choose = (name, side) => {
    choices[name] = side;
    paint();
  };
  const paint = () => {
    const sides = new Set(Object.values(choices));
    const save = table.closest("dialog")?.querySelector(".button-primary");
    if (save && !deleting)
      save.textContent = sides.size > 1 ? T.asChosen : sides.has("mine") ? T.keepMine : T.takeTheirs(entry.by);
    for (const row of rows)
      for (const cell of row.querySelectorAll("[data-side]"))
        cell.classList.toggle("chosen", choices[row.dataset.column] === cell.dataset.side);
  };
  const head = [T.column, T.youSaw, T.theySaved(entry.by), T.yours].map((text) => el("th", { scope: "col" }, text));
  const table = el("table", { class: "three" }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows));
  paint();
  const answer = await openDialog({
    title: T.conflictTitle(rowLabel(view, entry), entry.by),
    text: T.conflictText(names, staged.counts.rows - 1),
    body: [table],
    ready: () => table.querySelector("input:checked")?.focus(),
    actions: [
      { label: T.skip, value: "" },
      { label: T.takeTheirs(entry.by), value: "theirs" },
      { label: deleting ? T.keepDelete : T.keepMine, value: "mine", primary: true },
    ],
  });
  if (!answer || staged.get(id) !== entry) return;
  if (answer === "theirs") {
    view.rowWork.resolve(id, recordOf(names.map((name) => [name, "theirs"])));
    if (deleting) staged.restore(id);
  } else {
    view.rowWork.resolve(id, choices);
    if (staged.get(id)) await view.saving.save([id]);
  }
}
