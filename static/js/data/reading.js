// Numbers, dates and times as people and spreadsheets write them, as the one text that the strict reader of values
// takes.
// Pure; a text that has two meanings is reported as such and never guessed.

/**
 * @typedef {object} Manner how a column's texts are read and shown
 * @property {"." | ","} [decimal] the sign before the decimals
 * @property {"dmy" | "mdy" | null} [order] what the person said about the column's dates
 * @property {boolean} [proven] true where `decimal` was proven by the texts around, and is no habit
 */

const LONGEST = 400; // characters that are read as a number or a date
const CURRENCY = "\\p{Sc}|EUR|USD|GBP|CHF|JPY|CNY|INR|PLN|CZK|SEK|NOK|DKK|HUF|BRL|AUD|CAD|kr|zł|Fr\\.";
const MONEY_BEFORE = new RegExp(`^([+-]?)\\s*(?:${CURRENCY})\\s*`, "u");
const MONEY_AFTER = new RegExp(`\\s*(?:${CURRENCY})$`, "u");
const POINT =
  /^(?:\d*|[1-9]\d{0,2}(?:([,'’ \u00a0\u2009\u202f])\d{3})(?:\1\d{3})*|[1-9]\d?(?:,\d{2})+,\d{3})(?:\.\d*)?(?:[eE][+-]?\d+)?$/;
const COMMA = /^(?:\d*|[1-9]\d{0,2}(?:([.'’ \u00a0\u2009\u202f])\d{3})(?:\1\d{3})*)(?:,\d*)?(?:[eE][+-]?\d+)?$/;
const THOUSANDS = /['’\s\u00a0\u2009\u202f]/g;

/**
 * What a text says as a number, with a decimal point and with a decimal comma: {point, comma}, each null if it
 * cannot be read so.
 */
export function numberReadings(text) {
  if (text.length > LONGEST) return { point: null, comma: null };
  let rest = text.trim().replace(/^[−–]/, "-");
  const negative = /^\(([^()]+)\)$/.exec(rest); // as accountants write it
  if (negative) rest = negative[1].trim();
  rest = rest.replace(MONEY_BEFORE, "$1").replace(MONEY_AFTER, "").replace(/^[−–]/, "-");
  const [, sign, body] = /^([+-]?)\s*(.*)$/s.exec(rest);
  if (!/^[\d.,]/.test(body) || !/\d/.test(body) || (negative && sign)) return { point: null, comma: null };
  const minus = negative || sign === "-" ? "-" : "";
  const read = (pattern, thousands, decimal) =>
    pattern.test(body) ? minus + body.replace(THOUSANDS, "").replaceAll(thousands, "").replace(decimal, ".") : null;
  return { point: read(POINT, ",", "."), comma: read(COMMA, ".", ",") };
}

/**
 * A number's text with a decimal point, or the text as it is where no number is read. Where the sign may stand before
 * thousands as well as before decimals, the manner decides.
 *
 * @param {string} text
 * @param {Manner} manner
 */
export function readNumber(text, manner = {}) {
  const { point, comma } = numberReadings(text);
  if (point === null || comma === null) return point ?? comma ?? text;
  return manner.decimal === "," ? comma : point;
}

/** True when a text is one number with a decimal point and another one with a decimal comma. */
export function isAmbiguousNumber(text) {
  const { point, comma } = numberReadings(text);
  return point !== null && comma !== null && point !== comma;
}

const two = (text) => String(text).padStart(2, "0");
const leap = (year) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

/** Number of days of a month. */
export const daysIn = (year, month) => [31, leap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];

/** True for a day of the calendar. */
export function isDay(year, month, day) {
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

const dayText = (year, month, day) =>
  isDay(Number(year), Number(month), Number(day)) ? `${year}-${two(month)}-${two(day)}` : null;

const fold = (name) =>
  name
    .normalize("NFKD")
    .replace(/[^\p{L}]/gu, "")
    .toLowerCase();
const monthNames = new Map(); // language -> Map of folded name -> number

/** The names of the months in a language, long and short, folded: name -> number. */
function monthsOf(language) {
  if (monthNames.has(language)) return monthNames.get(language);
  const names = new Map();
  for (const month of /** @type {const} */ (["long", "short"])) {
    const format = new Intl.DateTimeFormat(language, { month, day: "numeric", timeZone: "UTC" });
    for (let index = 0; index < 12; index++) {
      const parts = format.formatToParts(Date.UTC(2024, index, 1));
      const name = fold(parts.find(({ type }) => type === "month").value);
      if (name) names.set(name, index + 1);
    }
  }
  monthNames.set(language, names);
  return names;
}

function monthNumber(name, languages) {
  const folded = fold(name);
  if (folded === "sept") return 9;
  for (const language of ["en", ...languages]) {
    const found = monthsOf(language).get(folded);
    if (found) return found;
  }
  return null;
}

const YEAR_FIRST = /^(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})\.?$/;
const DIGITS = /^(\d{4})(\d{2})(\d{2})$/;
const YEAR_LAST = /^(\d{1,2})([-/. ]) ?(\d{1,2})\2 ?(\d{2}|\d{4})$/;
const DAY_NAMED = /^(\d{1,2})(?:st|nd|rd|th|\.)?[ /-]?(?:de )?(\p{L}[\p{L}\p{M}]*)\.?,?[ /-]?(?:de )?(\d{2}|\d{4})$/u;
const MONTH_NAMED = /^(\p{L}[\p{L}\p{M}]*)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{2}|\d{4})$/u;

const ownLanguages = () => globalThis.navigator?.languages ?? [];

/**
 * What a text says as a date: {iso}, {dmy, mdy} where it is another day with the day first than with the month
 * first, or {reason} ("noSuchDate", "shortYear"); null if the text is not a known form of a date.
 */
export function dateReadings(text, languages = ownLanguages()) {
  if (text.length > LONGEST) return null;
  const said = text.trim().replaceAll(/\s+/g, " ");
  const only = (iso) => (iso ? { iso } : { reason: "noSuchDate" });
  let found = YEAR_FIRST.exec(said);
  if (found) return only(dayText(found[1], found[3], found[4]));
  found = DIGITS.exec(said);
  if (found) return only(dayText(found[1], found[2], found[3]));
  found = YEAR_LAST.exec(said);
  if (found) {
    const [, first, sign, second, year] = found;
    if (year.length === 2) return { reason: "shortYear" };
    const dmy = dayText(year, second, first);
    const mdy = sign === "." ? null : dayText(year, first, second); // nobody writes the month first with full stops
    if (!dmy || !mdy || dmy === mdy) return { ...only(dmy ?? mdy), ...orderOf(dmy, mdy) };
    return { dmy, mdy };
  }
  found = DAY_NAMED.exec(said);
  let [, day, name, year] = found ?? [];
  if (!found) [, name, day, year] = MONTH_NAMED.exec(said) ?? [];
  const month = name && monthNumber(name, languages);
  if (!month) return null;
  return year.length === 2 ? { reason: "shortYear" } : only(dayText(year, month, day));
}

/** The order that a date with only one reading proves. */
function orderOf(dmy, mdy) {
  return !dmy === !mdy ? {} : { order: dmy ? "dmy" : "mdy" };
}

/** A time of day in 24 hours, as strict as "13:45:00"; null if it is none. */
export function readTime(text) {
  const found = /^(\d{1,2})(?:[:.](\d{2})(?:[:.](\d{2})([.,]\d{1,9})?)?)? ?([ap])\.?m\.?$/i.exec(text.trim());
  if (!found) return null;
  const [, hour, minute = "00", second = "00", fraction = "", half] = found;
  if (Number(hour) < 1 || Number(hour) > 12) return null;
  const hours = (Number(hour) % 12) + (half.toLowerCase() === "p" ? 12 : 0);
  return `${two(hours)}:${minute}:${second}${fraction.replace(",", ".")}`;
}

/** A date and, where there is one, a time behind it: [date, time or null]. */
export function splitMoment(text) {
  const found = /^(.*?)(?:,? +| *T(?=\d))(\d{1,2}:\d{2}.*|\d{1,2} ?[ap]\.?m\.?)$/is.exec(text.trim());
  return found ? [found[1], found[2]] : [text.trim(), null];
}
