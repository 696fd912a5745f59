// Days of the calendar as {year, month, day}, and what the clock of this browser says. No time zone moves a date.

import { daysIn } from "./reading.js";

const two = (number) => String(number).padStart(2, "0");

/** The day of a text YYYY-MM-DD. */
export function dayOf(text) {
  const [year, month, day] = text.split("-").map(Number);
  return { year, month, day };
}

/** A day as YYYY-MM-DD. */
export const dayText = ({ year, month, day }) => `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;

export const sameDay = (a, b) => dayText(a) === dayText(b);

/** Today, where this browser is. */
export function today(now = new Date()) {
  return { year: now.getFullYear(), month: now.getMonth() + 1, day: now.getDate() };
}

/** A day so many days or months away; in a shorter month the last day stands for those it lacks. */
export function shifted({ year, month, day }, { days = 0, months = 0 }) {
  if (days) {
    const date = new Date(0);
    date.setUTCFullYear(year, month - 1, day + days);
    return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
  }
  const count = year * 12 + month - 1 + months;
  const [newYear, newMonth] = [Math.floor(count / 12), (((count % 12) + 12) % 12) + 1];
  return { year: newYear, month: newMonth, day: Math.min(day, daysIn(newYear, newMonth) ?? 1) };
}

/** What the clock says, as a column of a kind holds it; null for kinds that hold no date or time. */
export function nowText(kind, now = new Date()) {
  const time = `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
  const date = dayText(today(now));
  return { date, time, timestamp: `${date} ${time}` }[kind] ?? null;
}
