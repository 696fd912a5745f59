// The texts of one pasted column, read together: what some of them prove counts for all, and what none proves is asked.

import { dateReadings, numberReadings, splitMoment } from "./reading.js";
import { ValueError, isNumeric, kindOf, parseValue } from "./values.js";

/**
 * What the texts of a column say about the manner of all of them: {order, decimal}, each null where nothing proves it,
 * or where texts prove both, which is `mixed`: then a habit proves nothing either.
 * `dates` holds a text that has two meanings without it, `numbers` the first of each form of such texts: with a point
 * and with a comma.
 */
export function mannerOf(texts, column) {
  const kind = kindOf(column);
  if (kind === "date" || kind === "timestamp") return orderOf(texts, kind);
  return isNumeric(column) ? decimalOf(texts) : { order: null, decimal: null, mixed: false };
}

function orderOf(texts, kind) {
  const proven = new Set();
  let dates = null;
  for (const text of texts) {
    const readings = dateReadings(kind === "date" ? text : splitMoment(text)[0]);
    if (readings?.order) proven.add(readings.order);
    if (readings?.dmy) dates ??= { text, ...readings };
  }
  return { order: proven.size === 1 ? [...proven][0] : null, decimal: null, mixed: proven.size > 1, dates };
}

function decimalOf(texts) {
  const proven = new Set();
  const forms = new Map(); // sign in the text -> the first text with two meanings that has it
  for (const text of texts) {
    const { point, comma } = numberReadings(text);
    if ((point === null) !== (comma === null)) proven.add(point === null ? "," : ".");
    else if (point !== comma) {
      const sign = text.includes(".") ? "." : ",";
      if (!forms.has(sign)) forms.set(sign, { text, point, comma });
    }
  }
  const decimal = proven.size === 1 ? [...proven][0] : null;
  return { order: null, decimal, mixed: proven.size > 1, numbers: [...forms.values()] };
}

/**
 * The column with the manner that its texts are read in. Where they have two meanings that both fit, `ask` decides:
 * null when it was dismissed.
 *
 * @param {object} column
 * @param {ReturnType<typeof mannerOf>} found
 * @param {(question: {kind: "dates" | "numbers", name: string, text: string, choices: string[]}) => Promise<string |
 * null>} ask
 */
export async function readerOf(column, found, ask) {
  const habit = { decimal: column.manner?.decimal ?? ".", order: column.manner?.order ?? null };
  let order = found.order ?? (found.mixed ? null : habit.order);
  let { decimal } = found;
  if (found.dates && !order) {
    const { text, dmy, mdy } = found.dates;
    order = await ask({ kind: "dates", name: column.name, text, choices: [dmy, mdy] });
    if (!order) return null;
    if (column.manner && !found.mixed) column.manner.order = order;
  }
  const open = decimal
    ? undefined
    : found.numbers?.find((number) => isOpen(column, number, found.mixed ? null : habit.decimal));
  if (open) {
    const { text, point, comma } = open;
    decimal = await ask({ kind: "numbers", name: column.name, text, choices: [point, comma] });
    if (!decimal) return null;
  }
  return { ...column, manner: { order, decimal: decimal ?? habit.decimal, proven: decimal !== null } };
}

/** True where both meanings of a number fit its column, and the habit does not make one of them the usual one. */
function isOpen(column, { text }, decimal) {
  const fits = (sign) => {
    try {
      parseValue(text, { ...column, manner: { decimal: sign, proven: true } });
      return true;
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      return false;
    }
  };
  // 1.234 is no whole number where 1,234 is usual
  const hasHabit = decimal !== null && text.includes(decimal) !== (kindOf(column) === "integer");
  return !hasHabit && fits(".") && fits(",");
}
