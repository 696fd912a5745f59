// The grid's columns, made from the table's schema and the person's layout.

import { naturalWidth } from "../data/layout.js";
import { isNumeric, kindOf } from "../data/values.js";
import { CellEditor } from "./editors.js";
import { T } from "./texts.js";

export const GUTTER = "gutter";

/** The kind of editing that a column of the schema allows: by typing, by the large editor, or not at all. */
export function editableColumn(column, tableReadOnly) {
  if (tableReadOnly || column.readOnly || column.editable === false) return false;
  return !["binary", "list"].includes(kindOf(column));
}

/** What the tooltip of a header says. */
export function headerTitle(column) {
  const size = column.maxLength
    ? `(${column.maxLength})`
    : column.precision
      ? `(${column.precision}${column.scale ? `,${column.scale}` : ""})`
      : "";
  const facts = [
    `${column.dataType ?? column.category ?? ""}${size}`,
    column.isPrimaryKey && T.key,
    column.nullable === false && T.requires,
    column.hasDefault && T.hasDefault,
    column.unique && T.unique,
    column.references && T.refersTo(column.references.table),
  ].filter(Boolean);
  const lines = [`${column.name} · ${facts.join(", ")}`];
  const reason = column.readOnlyReason ?? (column.readOnly ? T.readOnly : null);
  if (reason) lines.push(reason);
  if (column.description) lines.push(column.description);
  return lines.join("\n");
}

/**
 * The gutter and the columns in the order of the layout; `schema` is the tableSchema of the server, `measured` the
 * widths that fit the content, by name.
 */
export function buildColumns(schema, layout, measured = new Map()) {
  const columns = layout.arrange(schema.columns).map((column) => {
    const kind = kindOf(column);
    const editable = editableColumn(column, schema.readOnly);
    return {
      id: `c${schema.columns.indexOf(column)}`,
      field: column.name,
      name: column.name,
      width: layout.widths.get(column.name) ?? measured.get(column.name) ?? Math.round(naturalWidth(column, kind)),
      minWidth: 48,
      sortable: !["binary", "longText", "list"].includes(kind),
      hidden: layout.hidden.has(column.name),
      cssClass: isNumeric(column) ? "right" : kind === "longText" ? "" : undefined,
      headerCssClass: isNumeric(column) ? "right" : "",
      toolTip: headerTitle(column),
      schema: column,
      editable,
      editor: editable ? CellEditor : null,
      formatter: () => "",
    };
  });
  return [gutterColumn(), ...columns];
}

function gutterColumn() {
  return {
    id: GUTTER,
    field: GUTTER,
    name: "",
    width: 64,
    minWidth: 40,
    focusable: false,
    selectable: false,
    resizable: false,
    sortable: false,
    cssClass: "gutter",
    headerCssClass: "gutter",
    formatter: () => "",
    gutter: true,
    schema: null,
    editable: false,
    editor: null,
  };
}

/** The index of the last frozen column: the gutter, and the keys that stand first or what the person chose. */
export function frozenColumn(columns, schema, layout) {
  const data = columns.slice(1).filter((column) => !column.hidden);
  if (layout.frozen !== null) {
    const last = data[Math.min(layout.frozen, data.length) - 1];
    return last ? columns.indexOf(last) : 0;
  }
  const keys = new Set(schema.identity?.columns ?? []);
  const first = data[0];
  return first && (first.schema.isPrimaryKey || keys.has(first.field)) ? columns.indexOf(first) : 0;
}
