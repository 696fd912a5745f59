// The editor in a cell. One input for every type: it knows NULL, checks while typing, and changes nothing by being
// opened.

import { el, icon } from "../ui/dom.js";
import { kindOf, holdsEmpty, parseValue, sameValue, shownText, ValueError } from "../data/values.js";
import { splitMoment } from "../data/reading.js";
import { T, longDate, reasonText } from "./texts.js";

let calendarModule = null;

async function loadCalendar() {
  calendarModule ??= await import("./calendar.js");
  return calendarModule;
}

const DATED = new Set(["date", "timestamp"]);
const NUMERIC = new Set(["integer", "numeric", "double"]);

/** SlickGrid makes one for the cell that is being edited. */
export class CellEditor {
  constructor(args) {
    this.args = args;
    this.column = args.column.schema;
    this.kind = kindOf(this.column);
    const lines = this.kind === "text" || this.kind === "longText";
    this.input = el(lines ? "textarea" : "input", {
      class: "cell-editor",
      dir: "auto",
      type: lines ? null : "text",
      rows: lines ? "1" : null,
      autocomplete: "off",
      spellcheck: "false",
      inputmode: NUMERIC.has(this.kind) ? "decimal" : null,
      "aria-label": T.editLabel(this.column.name),
    });
    this.note = null;
    this.calendar = null;
    this.typing = false; // opened by typing: arrows commit and move
    this.touched = false;
    this.isNull = false;
    this.input.addEventListener("input", () => this.#typed());
    args.container.append(this.input);
    if (this.hasCalendar) {
      args.container.append(this.#picker());
      loadCalendar().catch(() => undefined); // there before it is wanted
    }
    this.focus();
  }

  focus() {
    this.input.focus({ preventScroll: true });
  }

  loadValue(item) {
    this.original = this.args.grid.valueOf(item, this.args.column);
    this.seen = this.args.grid.seen(item, this.args.column);
    this.isNull = this.original === null;
    this.wasDefault = this.original === undefined;
    this.text = shownText(this.original, this.column);
    this.input.value = this.text;
    this.#hint();
    this.#fit();
    this.input.setSelectionRange(this.text.length, this.text.length);
  }

  /**
   * Empty the field: the browser puts in the key that opened the editor. Where it may not, only what it puts in
   * replaces the text.
   */
  startTyping({ certain = true } = {}) {
    if (!certain) return this.input.select();
    this.input.value = "";
    this.isNull = false;
    this.touched = true;
    this.typing = true;
    this.input.placeholder = "";
  }

  setNull() {
    this.input.value = "";
    this.isNull = true;
    this.touched = true;
    this.#hint();
    this.#check();
  }

  setEmpty() {
    this.input.value = "";
    this.isNull = false;
    this.touched = true;
    this.input.placeholder = "''";
    this.#check();
  }

  /** Put a text in place of what stands here, as if it had been typed. */
  put(text) {
    this.input.value = text;
    this.#typed();
    this.focus();
  }

  get hasCalendar() {
    return DATED.has(this.kind);
  }

  /** Show the calendar, to choose a day. */
  async pick() {
    // Without a pause when it is there: the next key is the calendar's.
    const { openCalendar } = calendarModule ?? (await loadCalendar());
    if (!this.input.isConnected) return;
    this.calendar?.close();
    this.calendar = openCalendar(this.args.container, {
      text: this.input.value,
      choose: (date) => this.put(withDate(this.kind, this.input.value, date)),
      back: () => this.focus(),
    });
  }

  #picker() {
    return el(
      "button",
      {
        class: "cell-picker",
        type: "button",
        tabindex: "-1",
        title: `${T.calendar} (Alt+Down)`,
        "aria-label": T.calendar,
        on: { pointerdown: (event) => event.preventDefault(), click: () => this.pick() },
      },
      icon("calendar", { small: true }),
    );
  }

  /** Put a line break where the caret is. */
  breakLine() {
    if (this.input.tagName !== "TEXTAREA") return;
    this.input.setRangeText("\n", this.input.selectionStart, this.input.selectionEnd, "end");
    this.#typed();
  }

  serializeValue() {
    if (!this.isValueChanged()) return this.original;
    if (this.isNull) return null;
    return parseValue(this.newText, this.column);
  }

  /** The text with the line ends that the value had: a field knows only LF. */
  get newText() {
    return /\r\n/.test(this.text) ? this.input.value.replace(/\r?\n/g, "\r\n") : this.input.value;
  }

  isValueChanged() {
    if (!this.touched) return false;
    if (this.isNull) return this.original !== null;
    if (this.newText === this.text && this.original !== null && !this.wasDefault) return false;
    if (this.newText === "" && this.wasDefault && !holdsEmpty(this.column)) return false;
    try {
      return !sameValue(parseValue(this.newText, this.column), this.original);
    } catch {
      return true;
    }
  }

  applyValue() {} // the edit command does it

  validate() {
    const problem = this.#problem();
    if (problem) this.#say(problem);
    return { valid: problem === null, msg: problem && reasonText(problem) };
  }

  /** What must be kept when the grid is rebuilt below the editor. */
  keep() {
    const { value, selectionStart, selectionEnd } = this.input;
    const { seen, original, text, isNull, touched, typing } = this;
    return { value, selectionStart, selectionEnd, isNull, touched, typing, began: { seen, original, text } };
  }

  restore({ value, selectionStart, selectionEnd, isNull, touched, typing, began }) {
    Object.assign(this, { isNull, touched, typing });
    if (began.seen !== undefined) Object.assign(this, began); // who typed has not seen what came since
    this.input.value = value;
    this.input.setSelectionRange(selectionStart, selectionEnd);
    this.#hint();
    this.#fit();
  }

  destroy() {
    this.calendar?.close();
    this.args.container.querySelector(".cell-picker")?.remove();
    this.input.remove();
    this.note?.remove();
  }

  #typed() {
    this.isNull = false;
    this.touched = true;
    this.input.placeholder = "";
    this.#check();
    this.#fit();
  }

  #hint() {
    this.input.placeholder = this.isNull ? "NULL" : this.wasDefault ? T.default : "";
  }

  /** A text of several lines shows them below the cell. */
  #fit() {
    if (this.input.tagName === "TEXTAREA") this.input.rows = Math.min(8, this.input.value.split("\n").length);
  }

  #problem() {
    if (!this.touched || !this.isValueChanged()) return null;
    if (this.isNull) return this.column.nullable === false ? new ValueError("required") : null;
    try {
      parseValue(this.newText, this.column);
      return null;
    } catch (error) {
      if (error instanceof ValueError) return error;
      throw error;
    }
  }

  #check() {
    const problem = this.#problem();
    if (problem) this.#say(problem);
    else {
      this.note?.remove();
      this.note = null;
      this.input.removeAttribute("aria-invalid");
      this.input.removeAttribute("aria-describedby");
      this.args.container.classList.remove("invalid");
    }
  }

  /** A button that takes one of two meanings. */
  #choice(date) {
    return el(
      "button",
      {
        class: "button button-outline",
        type: "button",
        on: {
          pointerdown: (event) => event.preventDefault(),
          click: () => this.put(withDate(this.kind, this.input.value, date)),
        },
      },
      longDate(date),
    );
  }

  #say(problem) {
    if (!this.note) {
      this.note = el("div", { class: "float cell-note", role: "alert", id: "cell-note" });
      this.args.container.append(this.note);
    }
    this.note.replaceChildren(el("b", {}, reasonText(problem)));
    if (problem.reason === "twoDates") this.note.append(...problem.values.choices.map((date) => this.#choice(date)));
    this.input.setAttribute("aria-invalid", "true");
    this.input.setAttribute("aria-describedby", "cell-note");
    this.args.container.classList.add("invalid");
  }
}

/** A text with another date; a time stays as it was typed. */
function withDate(kind, text, date) {
  const time = kind === "timestamp" ? splitMoment(text)[1] : null;
  return time ? `${date} ${time}` : date;
}
