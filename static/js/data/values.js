// What a value looks like, what a typed text means, and whether two values are the same. No value passes through a Date
// or a float: dates are texts, and a number keeps its digits.

import { LosslessNumber, isNumber, numberOf, own } from "./json.js";
import { dateReadings, isAmbiguousNumber, isDay, readNumber, readTime, splitMoment } from "./reading.js";

/** Thrown by parseValue; `reason` is a key of the texts, `values` fill its places. */
export class ValueError extends Error {
  constructor(reason, values = {}) {
    super(reason);
    this.reason = reason;
    this.values = values;
  }
}

/**
 * A text that was put into a cell and that its column refuses: it stays there, and its row is not saved, until it is
 * corrected.
 */
export class Invalid {
  // Given to the constructor.
  text;
  reason;
  values;

  /** @param {string} text @param {{reason: string, values?: object}} error why it is refused */
  constructor(text, { reason, values = {} }) {
    Object.assign(this, { text, reason, values });
    Object.freeze(this);
  }

  toString() {
    return this.text;
  }

  toJSON() {
    return { invalid: this.text, reason: this.reason, values: this.values };
  }

  /** The value that a parsed JSON text stands for. */
  static revive(value) {
    return typeof value?.invalid === "string" ? new Invalid(value.invalid, value) : value;
  }
}

const INTEGER_RANGES = {
  tinyint: [-128n, 127n],
  smallint: [-32768n, 32767n],
  integer: [-2147483648n, 2147483647n],
  bigint: [-9223372036854775808n, 9223372036854775807n],
};

// The categories of tableSchema that are edited like another one; unknown ones are text.
const KINDS = { boolean: "bit", posixtime: "timestamp", longBinary: "binary", guid: "text" };
const KNOWN = new Set([
  "text",
  "integer",
  "numeric",
  "double",
  "bit",
  "date",
  "time",
  "timestamp",
  "binary",
  "list",
  "longText",
]);

/** The kind of a column: text, longText, integer, numeric, double, bit, date, time, timestamp, binary or list. */
export function kindOf(column) {
  const { category = "text" } = column;
  return KNOWN.has(category) ? category : (KINDS[category] ?? "text");
}

export const isNumeric = (column) => ["integer", "numeric", "double"].includes(kindOf(column));

/** True where '' is a value that the column can hold. */
export const holdsEmpty = (column) => ["text", "longText"].includes(kindOf(column));

/** The text of a value as the database has it; NULL is "". */
export function textOf(value) {
  return value === null || value === undefined ? "" : String(value);
}

/** The text of a value as a column shows it and takes it back: with the person's decimal sign. */
export function shownText(value, column) {
  const text = textOf(value);
  return column?.manner?.decimal === "," && isNumber(value) ? text.replace(".", ",") : text;
}

/** True when only the start of a value is here; `preview` tells the length of the whole: {length, unit}. */
export function isCut(value, preview) {
  if (!preview) return false;
  return preview.unit !== "characters" || !Number.isInteger(preview.length) || preview.length > textOf(value).length;
}

/** The longest text that is read as a number, a date or a time; the server reads no longer one either. */
const SHORT_MAX = 400;
const NOT_SHORT = {
  integer: "notNumber",
  numeric: "notNumber",
  double: "notNumber",
  date: "notDate",
  time: "notTime",
  timestamp: "notTimestamp",
  bit: "notBit",
};

/** A text without the zeros at its end; a pattern would look for the end from each zero in it. */
function withoutLastZeros(text) {
  let end = text.length;
  while (end && text[end - 1] === "0") end -= 1;
  return text.slice(0, end);
}

// A value that came with an answer or a push, and not with a page of rows, may be cut at this length.
const SENT_WHOLE = 1_000;

/**
 * The mark of a value that came beside the rows, from the server's `marks` or because it is as long as a cut one; null
 * if whole.
 */
export function markOf(value, marks, name) {
  const mark = own(marks, name) ?? null;
  if (mark || typeof value !== "string" || value.length < SENT_WHOLE) return mark;
  return { length: null, unit: "characters" };
}

/** A number's text without sign of plus, leading and trailing zeros: for comparing only. */
export function plainNumber(text) {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match || !(match[2] || match[3])) return text;
  let digits = (match[2] ?? "") + (match[3] ?? "");
  let exponent = Number(match[4] ?? 0) - (match[3] ?? "").length;
  digits = digits.replace(/^0+/, "");
  const trimmed = withoutLastZeros(digits);
  exponent += digits.length - trimmed.length;
  if (!trimmed) return "0";
  return `${match[1] === "-" ? "-" : ""}${trimmed}e${exponent}`;
}

/**
 * True when two values of the wire are the same value: 12.50 is 12.5, but NULL is not '', and the text "1" not the
 * number.
 */
export function sameValue(a, b) {
  if (a === b) return true;
  if (a === null || a === undefined || b === null || b === undefined) return false;
  if (isNumber(a) && isNumber(b)) return plainNumber(String(a)) === plainNumber(String(b));
  return false;
}

const two = (text) => text.padStart(2, "0");

/**
 * A date as YYYY-MM-DD; the day or the month may stand first where only one of them can, or the column's manner says
 * so.
 */
function parseDate(text, column) {
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text);
  if (match) {
    const [year, month, day] = match.slice(1).map(Number);
    if (!isDay(year, month, day)) throw new ValueError("noSuchDate");
    return `${match[1]}-${two(match[2])}-${two(match[3])}`;
  }
  const read = dateReadings(text);
  if (!read) throw new ValueError("notDate");
  if (read.iso) return read.iso;
  if (read.reason) throw new ValueError(read.reason);
  const order = column.manner?.order;
  if (!order) throw new ValueError("twoDates", { choices: [read.dmy, read.mdy] });
  return read[order];
}

function parseTime(text) {
  const match = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/.exec(readTime(text) ?? text);
  if (!match) throw new ValueError("notTime");
  if (Number(match[1]) > 23 || Number(match[2]) > 59 || Number(match[3] ?? 0) > 59) throw new ValueError("noSuchTime");
  return `${two(match[1])}:${match[2]}:${match[3] ?? "00"}${match[4] ? `.${match[4]}` : ""}`;
}

function parseTimestamp(text, column) {
  if (/(?:Z|[+-]\d{2}:?\d{2})$/i.test(text) && /\d:\d/.test(text)) throw new ValueError("noZone");
  const strict = /^(\d{4}-\S+?)[ T]+(\S+)$/.exec(text);
  const [date, time] = strict ? strict.slice(1) : splitMoment(text);
  if (time === null && !dateReadings(date)) throw new ValueError("notTimestamp");
  return `${parseDate(date, column)} ${time === null ? "00:00:00" : parseTime(time)}`;
}

function parseInteger(typed, column) {
  const text = readNumber(typed, column.manner);
  const match = /^([+-]?\d+)(?:\.(\d*))?$/.exec(text);
  if (!match) throw new ValueError("notNumber");
  const [, digits, fraction = ""] = match;
  if (withoutLastZeros(fraction)) throw new ValueError("notWhole");
  if (fraction && !column.manner?.proven && isAmbiguousNumber(typed)) {
    throw new ValueError("twoNumbers", { choices: [digits, `${digits}${fraction}`] });
  }
  const whole = BigInt(digits.replace(/^\+/, ""));
  const [least, most] = INTEGER_RANGES[String(column.dataType ?? "").toLowerCase()] ?? INTEGER_RANGES.bigint;
  if (whole < least || whole > most) throw new ValueError("outOfRange", { least: String(least), most: String(most) });
  return numberOf(String(whole));
}

function parseNumeric(typed, column) {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(readNumber(typed, column.manner));
  if (!match || !(match[2] || match[3])) throw new ValueError("notNumber");
  const whole = match[2].replace(/^0+(?=\d)/, "") || "0";
  const fraction = match[3] ?? "";
  const { precision, scale } = column;
  const used = withoutLastZeros(fraction).length;
  if (Number.isInteger(scale) && used > scale) throw new ValueError("tooManyDecimals", { scale });
  if (Number.isInteger(precision) && Number.isInteger(scale) && whole.replace(/^0$/, "").length > precision - scale) {
    throw new ValueError("tooManyDigits", { digits: precision - scale });
  }
  const kept = Number.isInteger(scale) ? fraction.slice(0, Math.max(scale, used)) : fraction;
  return numberOf(`${match[1] === "-" ? "-" : ""}${whole}${kept ? `.${kept}` : ""}`);
}

function parseDouble(typed, column) {
  const text = readNumber(typed, column.manner);
  if (/^nan$/i.test(text)) return "NAN";
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith("-") ? "-INF" : "INF";
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+)?$/.exec(text);
  if (!match || !(match[2] || match[3])) throw new ValueError("notNumber");
  const whole = match[2].replace(/^0+(?=\d)/, "") || "0";
  const literal = `${match[1] === "-" ? "-" : ""}${whole}${match[3] ? `.${match[3]}` : ""}${match[4] ?? ""}`;
  if (!Number.isFinite(Number(literal))) throw new ValueError("outOfRange", { least: "-1.79e308", most: "1.79e308" });
  return numberOf(literal);
}

const BITS = new Map([
  ["1", 1],
  ["true", 1],
  ["yes", 1],
  ["0", 0],
  ["false", 0],
  ["no", 0],
]);

/**
 * What a typed or pasted text means in a column. An empty text is '' in a text column, NULL elsewhere.
 * Throws ValueError where it means nothing there.
 */
export function parseValue(text, column) {
  const kind = kindOf(column);
  if (kind === "text" || kind === "longText") {
    const most = column.maxLength;
    if (kind === "text" && Number.isInteger(most) && most > 0 && text.length > most) {
      throw new ValueError("tooLong", { length: text.length, most });
    }
    return text;
  }
  const trimmed = text.trim();
  if (trimmed === "" || trimmed === "NULL") {
    if (column.nullable === false && !column.hasDefault) throw new ValueError("required");
    return null;
  }
  if (trimmed.length > SHORT_MAX && NOT_SHORT[kind]) throw new ValueError(NOT_SHORT[kind]);
  if (kind === "integer") return parseInteger(trimmed, column);
  if (kind === "numeric") return parseNumeric(trimmed, column);
  if (kind === "double") return parseDouble(trimmed, column);
  if (kind === "date") return parseDate(trimmed, column);
  if (kind === "time") return parseTime(trimmed);
  if (kind === "timestamp") return parseTimestamp(trimmed, column);
  if (kind === "bit") {
    const bit = BITS.get(trimmed.toLowerCase());
    if (bit === undefined) throw new ValueError("notBit");
    return bit;
  }
  throw new ValueError("notEditable");
}

/** A column as its values are written in the database and by this page: no habit of a person counts. */
export const exactly = (column) => (column.manner ? { ...column, manner: undefined } : column);

/** Why a value of the wire may not stand in a column, or null: for NULL and '' set by key. */
export function refusal(value, column) {
  if (value === null && column.nullable === false) return new ValueError("required");
  if (value === "" && !holdsEmpty(column)) return new ValueError("noEmptyText");
  return null;
}

/** True when a text is a JSON object or array, so that an editor for JSON helps. */
export function looksLikeJson(text) {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A size as people read it: 312, 2.1 KB, 12 KB, 3.4 MB. */
export function sizeText(length, unit) {
  if (unit && unit !== "bytes" && unit !== "characters") return `${length} ${unit}`;
  if (length < 1000) return `${length} ${unit === "bytes" ? "B" : "chars"}`;
  const [amount, name] = length < 1_000_000 ? [length / 1000, "K"] : [length / 1_000_000, "M"];
  return `${amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${name}${unit === "bytes" ? "B" : " chars"}`;
}

/** Sum and average of numbers exactly, as texts; null when there is none. Doubles that are not finite are left out. */
export function sumOf(values) {
  let sum = 0n;
  let scale = 0;
  let count = 0;
  for (const value of values) {
    if (!isNumber(value)) continue;
    const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(value));
    if (!match) return floatSum(values);
    const fraction = match[3] ?? "";
    if (fraction.length > scale) {
      sum *= 10n ** BigInt(fraction.length - scale);
      scale = fraction.length;
    }
    const units = BigInt(match[2] + fraction.padEnd(scale, "0"));
    sum += match[1] ? -units : units;
    count++;
  }
  if (!count) return null;
  const average = (sum * 10_000n) / BigInt(count);
  return {
    count,
    sum: unitsText(sum, scale),
    average: withoutLastZeros(unitsText(average, scale + 4)).replace(/\.$/, "") || "0",
  };
}

function unitsText(units, scale) {
  if (!scale) return String(units);
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, "0");
  return `${units < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function floatSum(values) {
  const numbers = values.filter(isNumber).map((value) => Number(value instanceof LosslessNumber ? value.text : value));
  const sum = numbers.reduce((a, b) => a + b, 0);
  return { count: numbers.length, sum: String(sum), average: String(sum / numbers.length) };
}
