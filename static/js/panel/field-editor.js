// The editor of one field in the row detail: as in a cell, a value is checked while it is typed and staged when it
// is left.

import { nowText } from "../data/days.js";
import { Invalid, ValueError, holdsEmpty, kindOf, parseValue, sameValue, shownText } from "../data/values.js";
import { openCalendar } from "../grid/calendar.js";
import { T, reasonText } from "../grid/texts.js";
import { isComposing, isControl, letterOf } from "../ui/keyboard.js";
import { el } from "../ui/dom.js";

/**
 * Edits a field in place of its value. `done(step)` is called at the end: 1 for the next field, -1 for the one
 * before, 0.
 */
export class FieldEditor {
  #finished = false;

  constructor(view, item, column, { done }) {
    this.view = view;
    this.column = column;
    this.done = done;
    this.id = item.id;
    this.original = view.table.rows.valueOf(item, column.field);
    this.seen = view.edits.seen(item, column);
    this.text = shownText(this.original, column.schema);
    this.kind = kindOf(column.schema);
    const lines = ["text", "longText"].includes(this.kind);
    this.input = el(lines ? "textarea" : "input", {
      class: "input field-editor",
      dir: "auto",
      rows: lines ? String(Math.min(8, this.text.split("\n").length)) : null,
      type: lines ? null : "text",
      autocomplete: "off",
      spellcheck: "false",
      "aria-label": T.editLabel(column.field),
      on: {
        input: () => this.#check(),
        keydown: (event) => this.#key(event),
        blur: ({ relatedTarget }) => {
          if (!relatedTarget?.closest?.(".calendar")) this.finish();
        },
      },
    });
    this.input.value = this.text;
    this.note = el("span", { class: "field-problem", role: "alert" });
    this.element = el("span", { class: "field-value" }, this.input, this.note);
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  get #changed() {
    return this.input.value.replace(/\r?\n/g, "\n") !== this.text.replace(/\r\n/g, "\n");
  }

  /** The value that is written, Invalid where the column refuses it. */
  get #value() {
    const text = /\r\n/.test(this.text) ? this.input.value.replace(/\r?\n/g, "\r\n") : this.input.value;
    try {
      return parseValue(text, this.column.schema);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      return new Invalid(text, error);
    }
  }

  #check() {
    const value = this.#changed ? this.#value : null;
    const problem = value instanceof Invalid ? reasonText(value) : "";
    this.note.textContent = problem;
    if (problem) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
    return problem === "";
  }

  /**
   * Stage what is written. What the column refuses stays in its cell, and its row is not saved until it is
   * corrected.
   */
  finish(step = 0) {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#changed) this.#stage(this.#value);
    this.done(step);
  }

  #give(value) {
    this.#finished = true;
    this.#stage(value);
    this.done(0);
  }

  #stage(value) {
    const item =
      this.view.table.rows.find(this.id) ?? this.view.table.rows.getItem(this.view.table.rows.indexOf(this.id));
    if (!item || sameValue(value, this.original)) return;
    this.view.edits.setCell(item, this.column, value, this.seen);
  }

  #put(text) {
    this.input.value = text;
    this.#check();
    this.input.focus();
  }

  #key(event) {
    if (isComposing(event)) return;
    const { key, shiftKey: shift, altKey: alt } = event;
    const control = isControl(event);
    const letter = control ? letterOf(event) : "";
    if (letter === "s" && !alt) return this.finish(); // and the page saves
    if (key === "Escape") {
      this.#finished = true;
      this.done(0);
    } else if (key === "Enter" && (control || alt) && this.input.tagName === "TEXTAREA") {
      this.input.setRangeText("\n", this.input.selectionStart, this.input.selectionEnd, "end");
      this.#check();
    } else if (key === "Enter") {
      if (this.#check()) this.finish();
    } else if (key === "Tab") {
      if (this.#check()) this.finish(shift ? -1 : 1);
    } else if (alt && letter === "n" && this.column.schema.nullable !== false) this.#give(null);
    else if (alt && letter === "e" && holdsEmpty(this.column.schema)) this.#give("");
    else if (control && key === ";" && nowText(this.kind)) this.#put(nowText(this.kind));
    else if (alt && key === "ArrowDown" && ["date", "timestamp"].includes(this.kind)) this.#pick();
    else return undefined;
    event.preventDefault();
    event.stopPropagation();
    return undefined;
  }

  #pick() {
    openCalendar(this.input, {
      text: this.input.value,
      choose: (date) => this.#put(date),
      back: () => this.input.focus(),
    });
  }
}
