// The menu of a cell: everything that a key can do, with its key.

import { openMenu } from "../ui/menu.js";
import { own } from "../data/json.js";
import { Invalid, holdsEmpty } from "../data/values.js";
import { operatorsOf } from "../data/filters.js";
import { T } from "./texts.js";

/** Open the menu at the active cell, or at a point. */
export function cellMenu(view, at = null) {
  const { table, edits } = view;
  const { sheet, rows, staged, selection, columns } = table;
  const active = sheet.getActiveCell();
  if (!active) return;
  const column = columns[active.cell];
  const item = rows.getItem(active.row);
  const entry = item && staged.get(item.id);
  const locked = Boolean(edits.reason(item, column));
  const value = rows.valueOf(item, column.field);
  const operators = operatorsOf(column.schema);
  const filterBy = (operator) => {
    const isNull = value === null;
    const isEmpty = value === "";
    const filter = isNull
      ? { operator: operator === "equals" ? "isNull" : "isNotNull" }
      : isEmpty && operator === "equals"
        ? { operator: "isEmpty" }
        : { operator, value };
    table.filters.put(column.field, filter);
    view.filtersChanged();
  };
  const comparable =
    item &&
    !item.isNew &&
    !own(item.previews, column.field) &&
    !(value instanceof Invalid) &&
    (value === null || operators.includes("equals"));
  const { references } = column.schema;
  const items = [
    entry?.state === "conflict"
      ? { label: T.compare, icon: "arrow-right-left", run: () => view.panels.decide(entry.id) }
      : undefined,
    entry?.state === "gone" && !entry.outside
      ? { label: T.insertAgain, icon: "plus", run: () => view.rowWork.insertAgain(entry.id) }
      : undefined,
    { label: T.edit, hint: "F2", disabled: locked, run: () => sheet.editActiveCell() },
    { label: T.openValue, hint: "Shift+Enter", disabled: !item, run: () => view.openValue() },
    references && value !== null && value !== "" && value !== undefined
      ? {
          label: T.followMenu(references.table),
          hint: "Alt+Enter",
          run: () => view.places.follow(active.row, active.cell),
        }
      : undefined,
    {
      label: T.setNull,
      hint: "Ctrl+Alt+N",
      disabled: locked || column.schema.nullable === false,
      run: () => edits.setNull(),
    },
    holdsEmpty(column.schema)
      ? { label: T.setEmpty, hint: "Ctrl+Alt+E", disabled: locked, run: () => edits.setEmpty() }
      : undefined,
    item?.isNew
      ? { label: T.setDefault, hint: "Ctrl+Alt+D", disabled: locked, run: () => edits.setDefault() }
      : undefined,
    {
      label: T.fillDown,
      hint: "Ctrl+D",
      disabled: locked || !selection.range || selection.range.toRow === selection.range.fromRow,
      run: () => edits.fillDown(),
    },
    { label: T.revertSelection, hint: "Ctrl+Alt+Z", disabled: !entry, run: () => view.rowWork.revertSelection() },
    null,
    { label: T.copy, icon: "copy", hint: "Ctrl+C", run: () => view.clipboard.copySelection() },
    { label: T.copyWithHeaders, hint: "Ctrl+Alt+C", run: () => view.clipboard.copySelection({ headers: true }) },
    { label: T.filterBy, icon: "list-filter", disabled: !comparable, run: () => filterBy("equals") },
    {
      label: T.exclude,
      disabled: !comparable || (value !== null && !operators.includes("notEquals")),
      run: () => filterBy("notEquals"),
    },
    null,
    { label: T.detail, hint: "Space", run: () => view.showDetail() },
    { label: T.duplicateRow, disabled: table.schema.readOnly, run: () => view.duplicateRows() },
    entry?.kind === "delete"
      ? { label: T.restoreRow, hint: "Ctrl+Alt+Z", run: () => view.rowWork.revertSelection() }
      : {
          label: T.deleteRow,
          icon: "trash-2",
          hint: "Ctrl+Delete",
          disabled: table.schema.readOnly,
          run: () => view.deleteRows(),
        },
  ].filter((entryOf) => entryOf !== undefined);
  const node = sheet.getCellNode(active.row, active.cell) ?? sheet.getContainerNode();
  openMenu(sheet.getContainerNode(), items, { label: T.cellMenu, at: at ?? corner(node) });
}

function corner(node) {
  const box = node.getBoundingClientRect();
  return { x: box.left, y: box.bottom + 2 };
}
