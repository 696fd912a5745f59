// The texts of one pasted column, read together: what some of them prove counts for all, and what none proves is asked.

import { dateReadings, numberReadings, splitMoment } from "./reading.js";
import { ValueError, isNumeric, kindOf, parseValue } from "./values.js";

/**
 * What the texts of a column say about the manner of all of them: {order, decimal}, each null where nothing proves it;
 * `dates` and `numbers` hold a text that has two meanings without it.
 */
export function mannerOf(texts, column) {
  const kind = kindOf(column);
  if (kind === "date" || kind === "timestamp") return orderOf(texts, kind);
  return isNumeric(column) ? decimalOf(texts) : { order: null, decimal: null };
}

function orderOf(texts, kind) {
  const proven = new Set();
  let dates = null;
  for (const text of texts) {
    const readings = dateReadings(kind === "date" ? text : splitMoment(text)[0]);
    if (readings?.order) proven.add(readings.order);
    if (readings?.dmy) dates ??= { text, ...readings };
  }
  return { order: proven.size === 1 ? [...proven][0] : null, decimal: null, dates };
}

function decimalOf(texts) {
  const proven = new Set();
  let numbers = null;
  for (const text of texts) {
    const { point, comma } = numberReadings(text);
    if ((point === null) !== (comma === null)) proven.add(point === null ? "," : ".");
    else if (point !== comma) numbers ??= { text, point, comma };
  }
  return { order: null, decimal: proven.size === 1 ? [...proven][0] : null, numbers };
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
  let order = found.order ?? habit.order;
  let { decimal } = found;
  if (found.dates && !order) {
    const { text, dmy, mdy } = found.dates;
    order = await ask({ kind: "dates", name: column.name, text, choices: [dmy, mdy] });
    if (!order) return null;
    if (column.manner) column.manner.order = order;
  }
  if (found.numbers && !decimal && isOpen(column, found.numbers, habit.decimal)) {
    const { text, point, comma } = found.numbers;
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
  const hasHabit = text.includes(decimal) !== (kindOf(column) === "integer");
  return !hasHabit && fits(".") && fits(",");
}
