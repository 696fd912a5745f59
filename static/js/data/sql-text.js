// Statements with their values in place, to be run elsewhere.

import { isNumber } from "./json.js";

/** A text of single quotes, a quoted name, or one parameter. */
const PART = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\?/g;

/** A value as it is written in SQL. */
function literal(value) {
  if (value === null || value === undefined) return "NULL";
  if (value === true || value === false) return value ? "1" : "0";
  if (isNumber(value)) return String(value);
  return `'${String(value).replaceAll("'", "''")}'`;
}

/**
 * Put values in the place of parameters.
 *
 * @param {string} sql with a "?" for each value; one within quotes is text
 * @param {any[]} values
 */
export function withValues(sql, values) {
  let next = 0;
  return sql.replace(PART, (part) => (part === "?" && next < values.length ? literal(values[next++]) : part));
}
