// Filters as people type them ("≥ 10", "in a, b", "not null") and as the wire has them.

import { isNumber } from "./json.js";
import { ValueError, kindOf, parseValue, shownText, textOf } from "./values.js";

export const OPERATORS = [
  "contains",
  "startsWith",
  "endsWith",
  "equals",
  "notEquals",
  "greater",
  "greaterOrEqual",
  "less",
  "lessOrEqual",
  "between",
  "in",
  "isNull",
  "isNotNull",
  "isEmpty",
  "matches", // a pattern with * and ?, which the wire takes without an operator
];

const WITHOUT_VALUE = new Set(["isNull", "isNotNull", "isEmpty"]);
const TEXT_ONLY = new Set(["contains", "startsWith", "endsWith", "isEmpty", "matches"]);
const PATTERN = /[*?]/;
const SIGNS = [
  ["<>", "notEquals"],
  ["!=", "notEquals"],
  ["≠", "notEquals"],
  [">=", "greaterOrEqual"],
  ["≥", "greaterOrEqual"],
  ["<=", "lessOrEqual"],
  ["≤", "lessOrEqual"],
  [">", "greater"],
  ["<", "less"],
  ["=", "equals"],
  ["^", "startsWith"],
  ["$", "endsWith"],
];
export const SIGN_OF = {
  notEquals: "≠",
  greaterOrEqual: "≥",
  lessOrEqual: "≤",
  greater: ">",
  less: "<",
  equals: "=",
  startsWith: "^",
  endsWith: "$",
};

const isText = (column) => ["text", "longText", "list"].includes(kindOf(column));

/** The operators that make sense for a column. */
export function operatorsOf(column) {
  const kind = kindOf(column);
  if (kind === "binary" || kind === "longText" || kind === "list") {
    return kind === "binary" ? ["isNull", "isNotNull"] : ["contains", "startsWith", "isNull", "isNotNull", "isEmpty"];
  }
  if (kind === "bit") return ["equals", "notEquals", "isNull", "isNotNull"];
  return kind === "text" ? OPERATORS : OPERATORS.filter((operator) => !TEXT_ONLY.has(operator));
}

export const takesValue = (operator) => !WITHOUT_VALUE.has(operator);

/** The operator that a plain text in the filter row means. */
export function defaultOperator(column) {
  return operatorsOf(column).includes("contains") ? "contains" : "equals";
}

function valueOf(text, column) {
  if (isText(column)) return text;
  const value = parseValue(text, { ...column, nullable: true, precision: undefined, scale: undefined });
  if (value === null) throw new ValueError("needsValue");
  return value;
}

/**
 * The items of a list with commas between; one that holds a comma stands in quotes: "Smith,John", Doe. NULL is null.
 */
function splitList(text) {
  const items = [...text.matchAll(/\s*(?:"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))(?:,|$)/g)];
  return items
    .map(([, inQuotes, plain]) => {
      if (inQuotes !== undefined) return inQuotes.replaceAll('""', '"');
      return /^null$/i.test(plain.trim()) ? null : plain.trim() || undefined;
    })
    .filter((item) => item !== undefined);
}

const quoted = (text) => (/[",]|^\s|\s$|^$|^null$/i.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The first and last moment of a year, month or day, for columns of dates; null for other texts. */
function period(text, column) {
  const kind = kindOf(column);
  const match = /^(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?$/.exec(text);
  if (!match || (kind !== "date" && kind !== "timestamp") || (kind === "date" && match[3])) return null;
  const [, year, month, day] = match;
  const m = month?.padStart(2, "0");
  const first = `${year}-${m ?? "01"}-${day?.padStart(2, "0") ?? "01"}`;
  parseValue(first, { category: "date" });
  let last = first;
  if (!month) last = `${year}-12-31`;
  else if (!day)
    last = `${year}-${m}-${new Date(Date.UTC(2000 + (Number(year) % 400), Number(month), 0)).getUTCDate()}`;
  return kind === "date" ? [first, last] : [`${first} 00:00:00`, `${last} 23:59:59.999999999`];
}

/**
 * The filter that a text of the filter row means, without its column: {operator, value?}; null for an empty text.
 * Throws ValueError when the value does not fit the column.
 */
export function parseFilter(text, column) {
  const typed = text.trim();
  if (typed === "") return null;
  if (/^(?:is )?null$/i.test(typed)) return { operator: "isNull" };
  if (/^(?:is )?not null$/i.test(typed)) return { operator: "isNotNull" };
  const allowed = operatorsOf(column);
  if (typed === "''" && allowed.includes("isEmpty")) return { operator: "isEmpty" };
  const list = /^in\s+(.+)$/is.exec(typed);
  if (list && allowed.includes("in")) {
    const items = splitList(list[1]);
    if (!items.length) throw new ValueError("needsValue");
    return { operator: "in", value: items.map((item) => (item === null ? null : valueOf(item, column))) };
  }
  const dots = typed.indexOf("..", 1);
  if (dots > 0 && typed.length > dots + 2 && !isText(column)) {
    const [from, to] = [typed.slice(0, dots).trim(), typed.slice(dots + 2).trim()];
    return {
      operator: "between",
      value: [period(from, column)?.[0] ?? valueOf(from, column), period(to, column)?.[1] ?? valueOf(to, column)],
    };
  }
  for (const [sign, operator] of SIGNS) {
    if (!typed.startsWith(sign) || !allowed.includes(operator)) continue;
    const rest = typed.slice(sign.length).trim();
    if (rest === "" && isText(column) && (sign === "=" || sign === "^" || sign === "$")) break;
    if (rest === "") throw new ValueError("needsValue");
    const span = period(rest, column);
    if (span && operator === "equals") return { operator: "between", value: span };
    if (span && operator !== "notEquals")
      return { operator, value: span[operator === "greater" || operator === "lessOrEqual" ? 1 : 0] };
    return { operator, value: valueOf(rest, column) };
  }
  const span = period(typed, column);
  if (span) return { operator: "between", value: span };
  if (allowed.includes("matches") && PATTERN.test(typed)) {
    const literal = /^"(.+)"$/s.exec(typed); // in quotes, * and ? stand for themselves
    return literal ? { operator: "contains", value: literal[1] } : { operator: "matches", value: typed };
  }
  const operator = defaultOperator(column);
  if (!allowed.includes(operator)) throw new ValueError("needsNullFilter");
  return { operator, value: valueOf(isText(column) ? text : typed, column) };
}

/** Whether a filter that came from elsewhere, an address say, has what its operator needs. */
export function isFilter(filter) {
  if (typeof filter?.column !== "string" || !OPERATORS.includes(filter.operator)) return false;
  const { operator, value } = filter;
  const plain = (one) => typeof one !== "object" || one === null || isNumber(one);
  if (operator === "in") return Array.isArray(value) && value.length > 0 && value.every(plain);
  if (operator === "between") return Array.isArray(value) && value.length === 2 && value.every(plain);
  return plain(value);
}

/**
 * The text of the filter row for a filter; parseFilter gives the same filter back. The column may not be known yet for
 * a list.
 */
export function filterText(filter, column) {
  const { operator, value } = filter;
  if (operator === "isNull") return "NULL";
  if (operator === "isNotNull") return "not NULL";
  if (operator === "isEmpty") return "''";
  if (operator === "matches") return textOf(value);
  if (operator === "contains" && PATTERN.test(textOf(value))) return `"${textOf(value)}"`;
  if (operator === "in")
    return `in ${value.map((item) => (item === null ? "NULL" : quoted(shownText(item, column)))).join(", ")}`;
  if (operator === "between") return `${shownText(value[0], column)} .. ${shownText(value[1], column)}`;
  const text = shownText(value, column);
  return operator === defaultOperator(column) ? text : `${SIGN_OF[operator] ?? operator} ${text}`;
}

/** The filters that count; an alternative to one that is switched off is one to those before that, if there are any. */
export function activeFilters(list) {
  const active = [];
  let isFirst = true; // in its run of alternatives
  for (const filter of list) {
    if (!filter.or) isFirst = true;
    if (filter.off) continue;
    active.push({ ...filter, or: !isFirst && active.length > 0 });
    isFirst = false;
  }
  return active;
}

/**
 * The filters of a table: one per column in the row, more in the panel.
 * A filter: {column, operator, value?, matchCase?, off?, or?}; `or` makes it an alternative to the one before.
 */
export class Filters {
  constructor(list = []) {
    this.list = list.filter(isFilter).map((filter) => ({ ...filter }));
  }

  /** The filter that the filter row shows for a column. */
  of(column) {
    return this.list.find((filter) => filter.column === column);
  }

  /** Put the first filter of a column in place, or take it away with null. Returns true when something changed. */
  put(column, filter) {
    const old = this.of(column);
    if (!filter) {
      if (!old) return false;
      this.removeAt(this.list.indexOf(old));
      return true;
    }
    if (old && !old.off && isSame(old, { matchCase: old.matchCase, ...filter })) return false;
    if (old) {
      if (old.operator === "in") delete old.matchCase; // it came with the choice of values
      delete old.value;
      delete old.off;
      Object.assign(old, filter);
    } else this.list.push({ column, ...filter });
    return true;
  }

  add(filter) {
    this.list.push({ ...filter });
  }

  /** Take a filter away; the one behind it stays an alternative only to what the gone one was an alternative to. */
  removeAt(index) {
    const [gone] = this.list.splice(index, 1);
    if (this.list[index]?.or && !gone.or) delete this.list[index].or;
  }

  clear() {
    this.list = [];
  }

  get active() {
    return activeFilters(this.list);
  }

  /** Drop filters of columns that the table no longer has; returns them. */
  keepOnly(names) {
    const gone = this.list.filter((filter) => !names.has(filter.column));
    for (const filter of gone) this.removeAt(this.list.indexOf(filter));
    return gone;
  }

  /** Those for a look at a column's values: its own do not count. */
  without(column) {
    const others = new Filters(this.list);
    others.keepOnly(new Set(this.list.map((filter) => filter.column).filter((name) => name !== column)));
    return others;
  }

  /** As requestData takes them: alternatives have a number in common. */
  toWire() {
    const { active } = this;
    let group = 0;
    return active.map(({ column, operator, value, matchCase, or }, index) => {
      if (!or) group = index;
      return {
        column,
        ...(operator === "matches" ? {} : { operator }),
        ...(takesValue(operator) ? { value } : {}),
        ...(matchCase ? { matchCase: true } : {}),
        ...(or || active[index + 1]?.or ? { group } : {}),
      };
    });
  }
}

const isSame = (a, b) =>
  a.operator === b.operator && !a.matchCase === !b.matchCase && sameFilterValue(a.value, b.value);

function sameFilterValue(a, b) {
  const plain = (value) =>
    Array.isArray(value) ? value.map(plain).join("\u0000") : isNumber(value) ? `n${value}` : `${typeof value}${value}`;
  return plain(a) === plain(b);
}
