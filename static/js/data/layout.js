// How a person arranged a table's columns: order, widths, hidden ones, frozen ones. Kept per table in the browser.

const WIDTHS = {
  integer: 90,
  numeric: 104,
  double: 120,
  bit: 80,
  date: 112,
  time: 104,
  timestamp: 168,
  binary: 140,
  longText: 200,
  list: 160,
};

export const MIN_WIDTH = 48;
export const MAX_WIDTH = 1200;

/** The widest that a column is made for what stands in it, and the narrowest. */
export const MAX_FIT = 320;
const MIN_FIT = 60;
const MAX_HEAD = 240; // no name alone makes a column wider

/** The width for a header and a content of so many pixels. */
export function fitted(head, content, frame, most = MAX_FIT) {
  const width = Math.max(Math.min(head, MAX_HEAD), content) + frame;
  return Math.round(Math.max(MIN_FIT, Math.min(most, width)));
}

/** The width of a column nobody has set: by its kind, and wide enough for its name. */
export function naturalWidth(column, kind) {
  let byLength = WIDTHS[kind] ?? 140;
  if (kind === "text") byLength = Math.min(260, Math.max(92, (column.maxLength ?? 30) * 5));
  else if (kind === "integer" || kind === "numeric")
    byLength = Math.max(byLength, Math.min(132, (column.precision ?? 0) * 7.5 + 20));
  if (column.isPrimaryKey && kind === "integer") byLength = 84;
  return Math.max(byLength, Math.min(240, column.name.length * 7.5 + 44));
}

/** {order: names, widths: {name: px}, hidden: names, frozen: number of columns or null} */
export class Layout {
  constructor(saved = null) {
    const data = saved && typeof saved === "object" ? saved : {};
    this.order = Array.isArray(data.order) ? data.order.filter((name) => typeof name === "string") : [];
    this.hidden = new Set(Array.isArray(data.hidden) ? data.hidden : []);
    this.frozen = Number.isInteger(data.frozen) && data.frozen >= 0 ? data.frozen : null;
    this.widths = new Map(
      Object.entries(data.widths ?? {}).filter(
        ([, width]) => Number.isFinite(width) && width >= MIN_WIDTH && width <= MAX_WIDTH,
      ),
    );
  }

  /** The columns in their order: those known first as arranged, new ones where the table has them. */
  arrange(columns) {
    const byName = new Map(columns.map((column) => [column.name, column]));
    const known = this.order.filter((name) => byName.has(name));
    const arranged = known.map((name) => byName.get(name));
    columns.forEach((column, index) => {
      if (known.includes(column.name)) return;
      const previous = index > 0 ? arranged.indexOf(columns[index - 1]) : -1;
      arranged.splice(previous + 1, 0, column);
    });
    return arranged;
  }

  get data() {
    return {
      order: this.order,
      widths: Object.fromEntries(this.widths),
      hidden: [...this.hidden],
      frozen: this.frozen,
    };
  }
}
