// The keyboard map of the grid. Bare letters start an edit and nothing else; the browser's own keys stay the browser's.

import { isComposing, isControl, letterOf, mayTypeNothing, typesText } from "../ui/keyboard.js";

const FAR = 1e9;
const MODIFIERS = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph"]);

const STEPS = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, -FAR],
  End: [0, FAR],
  PageUp: [-1, 0],
  PageDown: [1, 0],
};
const MOVES = {
  ArrowUp: "navigateUp",
  ArrowDown: "navigateDown",
  ArrowLeft: "navigateLeft",
  ArrowRight: "navigateRight",
  Home: "navigateRowStart",
  End: "navigateRowEnd",
  PageUp: "navigatePageUp",
  PageDown: "navigatePageDown",
};
const TO_START = new Set(["navigateRowStart", "navigateTopStart"]);
const FAR_MOVES = {
  ArrowUp: "navigateTop",
  ArrowDown: "navigateBottom",
  ArrowLeft: "navigateRowStart",
  ArrowRight: "navigateRowEnd",
  Home: "navigateTopStart",
  End: "navigateBottomEnd",
};

/** The key of Ctrl+; for today, by its place where the layout has letters of another script. */
const isSemicolon = ({ key, code }) =>
  key === ";" || (code === "Semicolon" && /[^\x20-\x7e]/.test(key) && !/\p{Script=Latin}/u.test(key));

/**
 * Reads keys for a sheet. `actions` are the things a key can do: save, refresh, undo, redo, setNull, setEmpty,
 * setDefault, clear, fillDown, duplicateRows, insertRow, deleteRows, revert, filters, goto, detail, toggle, openValue,
 * cellMenu, columnMenu, follow, today, fillSelection, copyWithHeaders, clearFilters.
 */
export class Keys {
  constructor(selection, actions) {
    this.selection = selection;
    this.actions = actions;
    this.tabOut = false; // Esc, then Tab leaves the grid
    this.pasteAsRows = false;
  }

  get sheet() {
    return this.selection.sheet;
  }

  handle(event) {
    const editing = Boolean(this.sheet.getCellEditor());
    // Without an editor, the first key of an input method opens one.
    if (event.defaultPrevented || event.isComposing || (editing && isComposing(event))) return;
    const done = editing ? this.#inEditor(event) : this.#inGrid(event);
    if (!done) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #finish(move) {
    if (this.sheet.commit()) {
      this.sheet.setFocus();
      if (move) this.sheet[move]();
    }
    return true;
  }

  /**
   * A command that is one wherever the focus is beside the rows: in a panel, the toolbar, a tab. `typing`: in a
   * field, which has its own undo.
   */
  elsewhere(event, { typing = false } = {}) {
    if (event.defaultPrevented || isComposing(event)) return;
    const control = isControl(event) && !event.altKey;
    const letter = control ? letterOf(event) : "";
    const ofText = letter === "z" || letter === "y";
    const done =
      (control && !(typing && ofText) && this.#controlAnywhere(letter, event.shiftKey)) ||
      (event.key === "Insert" && event.altKey && !isControl(event) && (this.actions.insertRow(), true)) ||
      (event.key === "Escape" && !typing && this.actions.closePanel());
    if (done) event.preventDefault();
  }

  #inEditor(event) {
    const { key } = event;
    const editor = this.sheet.getCellEditor();
    const control = isControl(event);
    if (key === "Enter") {
      if (control && this.selection.isWide) return (this.actions.fillSelection(), true);
      if (control || event.altKey) return (editor.breakLine(), true);
      if (event.shiftKey) return (this.actions.openValue(), true);
      return this.#finish("navigateDown");
    }
    if (key === "Tab") return this.#finish(event.shiftKey ? "navigatePrev" : "navigateNext");
    if (key === "Escape") {
      this.sheet.cancelEditing();
      this.sheet.setFocus();
      return true;
    }
    const letter = control ? letterOf(event) : "";
    if (control && isSemicolon(event)) return (this.actions.today(), true);
    if (event.altKey && key === "ArrowDown" && editor.hasCalendar) return (editor.pick(), true);
    if (event.altKey && letter === "n") return (editor.setNull(), true);
    if (event.altKey && letter === "e") return (editor.setEmpty(), true);
    if (!event.altKey && letter === "s") {
      if (this.sheet.commit()) {
        this.sheet.setFocus();
        this.actions.save();
      }
      return true;
    }
    if (key === "F5") return true; // a reload would lose what is being typed
    if (editor.typing && /^Arrow/.test(key) && !event.shiftKey && !control && !event.altKey)
      return this.#finish(MOVES[key]);
    return false; // everything else, Ctrl+A too, belongs to the field
  }

  #inGrid(event) {
    const { key, shiftKey: shift } = event;
    const out = this.tabOut;
    if (!MODIFIERS.has(key)) this.tabOut = false;
    if (key === "Tab") {
      if (out) return this.sheet.leave(shift);
      return shift ? this.sheet.navigatePrev() : this.sheet.navigateNext();
    }
    if (key === "Escape") return this.#escape();
    if (STEPS[key] && !event.altKey) return this.#walk(event);
    if (key === "F5") return (this.actions.refresh(), true);
    const control = isControl(event);
    if (control && !event.altKey) {
      const done = this.#controlAnywhere(key === "Enter" ? "enter" : letterOf(event), shift);
      if (done) return true;
    }
    if (key === "Insert" && !control && !shift) return (this.actions.insertRow(), true);
    const active = this.sheet.getActiveCell();
    if (!active) return false;
    if (control) return event.altKey ? this.#controlAlt(event) : this.#control(event);
    if (event.altKey && !typesText(event)) return this.#alt(key);
    if (key === "Delete") return (this.selection.isRows ? this.actions.deleteRows() : this.actions.clear(), true);
    if (key === "Backspace") return (this.actions.setEmpty(true), true);
    if (key === "ContextMenu" || (key === "F10" && shift)) return (this.actions.cellMenu(), true);
    if (key === " ") {
      if (shift) this.selection.widenToRows();
      else if (!this.actions.toggle()) this.actions.detail();
      return true;
    }
    if (key === "Enter" && shift) return (this.actions.openValue(), true);
    if (key === "F2" || key === "Enter") {
      if (this.sheet.getColumns()[active.cell].editor) this.sheet.editActiveCell();
      else this.actions.explain();
      return true;
    }
    return this.#type(event, active);
  }

  #escape() {
    this.tabOut = true;
    if (this.actions.closePanel()) return true;
    const active = this.sheet.getActiveCell();
    if (active) this.selection.range = new this.sheet.Range(active.row, active.cell);
    return false;
  }

  #walk(event) {
    const { key, shiftKey: shift } = event;
    const { sheet, selection } = this;
    const far = isControl(event);
    if (!sheet.getDataLength()) return false;
    if (!sheet.getActiveCell()) {
      sheet.setActiveCell(sheet.getViewport().top, selection.firstCell);
      return true;
    }
    if (shift) {
      const page = key.startsWith("Page") ? sheet.getViewportRowCount() : 1;
      const [rows, cells] = STEPS[key];
      if (far && key === "Home") selection.extend(-FAR, -FAR);
      else if (far && key === "End") selection.extend(FAR, FAR);
      else selection.extend(rows * (far ? FAR : page), cells * (far ? FAR : 1));
      return true;
    }
    const move = far ? FAR_MOVES[key] : MOVES[key];
    if (!move) return false; // Ctrl+PageUp belongs to the tabs
    if (move === "navigateBottom" || move === "navigateBottomEnd") this.actions.toEnd(() => sheet[move]());
    else sheet[move]();
    if (TO_START.has(move)) sheet.scrollToStart();
    return true;
  }

  #controlAnywhere(key, shift) {
    if (key === "s" || key === "enter") return (this.actions.save(), true);
    if (key === "f") return (shift ? this.actions.clearFilters() : this.actions.filters(), true);
    if (key === "g") return (this.actions.goto(), true);
    if (key === "i" && !shift) return (this.actions.detail(), true);
    if (key === "z" || key === "y") return (key === "y" || shift ? this.actions.redo() : this.actions.undo(), true);
    return false;
  }

  #control(event) {
    const { key, shiftKey: shift } = event;
    if (key === " ") return (this.selection.widenToColumns(), true);
    if (isSemicolon(event)) return (this.actions.today(), true);
    const letter = letterOf(event);
    if (letter === "a") return (this.selection.all(), true);
    if (letter === "d") return (this.selection.isRows ? this.actions.duplicateRows() : this.actions.fillDown(), true);
    if (key === "Delete" || key === "Backspace") return (this.actions.deleteRows(), true);
    this.pasteAsRows = letter === "v" && shift;
    return false; // Ctrl+C, X, V go on to the clipboard events
  }

  #controlAlt(event) {
    const act = { n: "setNull", d: "setDefault", e: "setEmpty", z: "revert", c: "copyWithHeaders" }[letterOf(event)];
    if (!act) return false;
    this.actions[act]();
    return true;
  }

  #alt(key) {
    if (key === "Insert") return (this.actions.insertRow(), true);
    if (key === "Enter") return (this.actions.follow(), true);
    if (key === "ArrowDown") return (this.actions.columnMenu(), true);
    return false;
  }

  /** Open the empty editor and leave the key to the browser: it puts in dead keys, AltGr and IME text itself. */
  #type(event, active) {
    if (!typesText(event) && event.key !== "Process" && !isComposing(event)) return false;
    if (!this.sheet.getColumns()[active.cell].editor) {
      this.actions.explain();
      return true;
    }
    this.sheet.scrollCellIntoView(active.row, active.cell);
    this.sheet.editActiveCell();
    this.sheet.getCellEditor()?.startTyping({ certain: !mayTypeNothing(event) });
    return false;
  }
}
