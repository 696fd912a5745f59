// How wide columns are for what stands in them: measured in the grid's own font.

import { MAX_FIT, fitted } from "../data/layout.js";
import { isCut, kindOf, shownText, sizeText } from "../data/values.js";
import { own } from "../data/json.js";

const ROWS_MEASURED = 200;
const LONGEST_MEASURED = 3; // of a column's texts: the widest is nearly always among the longest
const MARK = 16; // pixels of an icon in a header
const CELL_FRAME = 20; // padding and line of a cell, and a little air
const FOLLOW = 14; // the arrow to the row that a key refers to
const CHARACTERS_MAX = 60; // longer texts are as wide as a column gets

/**
 * Measure columns by some rows: name -> width in pixels.
 *
 * @param {Element} grid whose font counts
 * @param {object[]} columns
 * @param {object[]} items
 * @param {number} [most] pixels of the widest column
 * @returns {Map<string, number>}
 */
export function measuredWidths(grid, columns, items, most = MAX_FIT) {
  const context = document.createElement("canvas").getContext("2d");
  const { fontFamily, fontSize } = getComputedStyle(grid.querySelector(".slick-cell:not(.gutter)") ?? grid);
  const width = (text) => context.measureText(text.replaceAll(/\d/g, "0")).width; // digits are all as wide as 0
  const rows = items.slice(0, ROWS_MEASURED);
  const widths = new Map();
  for (const column of columns) {
    context.font = `500 ${fontSize} ${fontFamily}`;
    const head = width(column.name) + MARK + marksOf(column) * MARK;
    context.font = `${fontSize} ${fontFamily}`;
    const texts = rows
      .map((item) => cellText(item, column))
      .sort((one, other) => other.length - one.length)
      .slice(0, LONGEST_MEASURED);
    const content = Math.max(0, ...texts.map((text) => width(text.slice(0, CHARACTERS_MAX))));
    widths.set(column.field, fitted(head, content + (column.schema.references ? FOLLOW : 0), CELL_FRAME, most));
  }
  return widths;
}

/** What a cell shows, as text. */
function cellText(item, { field, schema }) {
  const value = item.values[field];
  if (value === null) return "NULL";
  if (kindOf(schema) === "bit") return "";
  const text = shownText(value, schema);
  const preview = own(item.previews, field);
  if (!isCut(value, preview)) return text.split(/[\r\n]/, 1)[0];
  return `${text.split(/[\r\n]/, 1)[0]}     … ${sizeText(preview.length ?? 0, preview.unit)}`;
}

/** Number of marks in a header: of a key or a lock, of what is required, of the order. */
function marksOf({ schema, editable, sortable }) {
  const required = schema.nullable === false && !schema.hasDefault && editable;
  return Number(schema.isPrimaryKey || !editable) + Number(required) / 2 + Number(sortable) / 2;
}
