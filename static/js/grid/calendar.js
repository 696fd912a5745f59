// The calendar of a cell that holds a date: a month of days, walked with the arrow keys.

import { el, iconButton } from "../ui/dom.js";
import { dateReadings, daysIn, splitMoment } from "../data/reading.js";
import { dayText, dayOf, sameDay, shifted, today } from "../data/days.js";
import { T, longDate } from "./texts.js";

const MONTH = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
const DAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };

/**
 * Open a calendar below an element, at the day that a text says, else today.
 *
 * @param {Element} anchor
 * @param {{text: string, choose: (date: string) => void, back: () => void}} options `choose` is called with YYYY-MM-DD,
 *   `back` when it was closed without a choice
 */
export function openCalendar(anchor, { text, choose, back }) {
  const said = dateReadings(splitMoment(text)[0])?.iso;
  let day = said ? dayOf(said) : today();
  const title = el("h2", { "aria-live": "polite" });
  const days = el("tbody");
  const step = (months, label, name) =>
    iconButton(name, { label, click: () => go(shifted(day, { months }), false), small: true });
  const calendar = el(
    "div",
    {
      class: "float calendar",
      role: "dialog",
      "aria-label": T.calendar,
      on: { keydown: (event) => key(event), focusout: (event) => left(event) },
    },
    el(
      "div",
      { class: "calendar-head" },
      step(-1, T.monthBefore, "chevron-left"),
      title,
      step(1, T.monthAfter, "chevron-right"),
    ),
    el(
      "table",
      { role: "grid" },
      el("thead", {}, el("tr", {}, ...DAYS.map((name) => el("th", { scope: "col" }, name)))),
      days,
    ),
    el(
      "button",
      { class: "button", type: "button", on: { click: () => finish(dayText(today())) } },
      `${T.today} (Ctrl+;)`,
    ),
  );

  const close = () => calendar.remove();

  function finish(date) {
    close();
    choose(date);
  }

  function left({ relatedTarget }) {
    if (relatedTarget && !calendar.contains(relatedTarget)) close();
  }

  function key(event) {
    event.stopPropagation();
    const { key: name, shiftKey: shift } = event;
    const onDay = document.activeElement.closest("tbody");
    if (name === "Escape") {
      close();
      back();
    } else if (name === "PageUp" || name === "PageDown") {
      const sign = name === "PageUp" ? -1 : 1;
      go(shifted(day, { months: sign * (shift ? 12 : 1) }));
    } else if (onDay && STEPS[name]) go(shifted(day, { days: STEPS[name] }));
    else if (onDay && (name === "Home" || name === "End"))
      go({ ...day, day: name === "Home" ? 1 : daysIn(day.year, day.month) });
    else return;
    event.preventDefault();
  }

  function go(next, focus = true) {
    if (next.year < 1 || next.year > 9999) return;
    day = next;
    draw();
    if (focus) days.querySelector("[tabindex='0']").focus();
  }

  function draw() {
    const first = new Date(0);
    first.setUTCFullYear(day.year, day.month - 1, 1);
    title.textContent = MONTH.format(first);
    const before = (first.getUTCDay() + 6) % 7; // days of the first week that belong to the month before
    const cells = [
      ...Array.from({ length: before }, () => null),
      ...Array.from({ length: daysIn(day.year, day.month) }, (_, index) => index + 1),
    ];
    const weeks = [];
    while (cells.length) weeks.push(cells.splice(0, 7));
    days.replaceChildren(
      ...weeks.map((week) => el("tr", {}, ...week.map((number) => el("td", {}, number && dayButton(number))))),
    );
  }

  function dayButton(number) {
    const date = { ...day, day: number };
    const iso = dayText(date);
    return el(
      "button",
      {
        type: "button",
        class: `calendar-day${sameDay(date, today()) ? " is-today" : ""}`,
        tabindex: number === day.day ? "0" : "-1",
        "aria-label": longDate(iso),
        "aria-current": sameDay(date, today()) ? "date" : null,
        "aria-pressed": String(iso === said),
        on: { click: () => finish(iso) },
      },
      String(number),
    );
  }

  draw();
  (anchor.closest("main") ?? document.body).append(calendar);
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = calendar;
  const below = box.bottom + 4 + height <= innerHeight;
  calendar.style.left = `${Math.max(4, Math.min(box.left, innerWidth - width - 4))}px`;
  calendar.style.top = `${Math.max(4, below ? box.bottom + 4 : box.top - height - 4)}px`;
  days.querySelector("[tabindex='0']").focus();
  return { close };
}
