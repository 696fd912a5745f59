// The keyboard map: one table of keys, shown on F1, on ? and from the button.

import { T } from "../texts.js";
import { openDialog } from "./dialog.js";
import { el } from "./dom.js";

const MAP = [
  ["Move", [
    ["Arrows, Home, End, Page Up, Page Down", "move; with Ctrl to the edge of the table"],
    ["Shift + arrows, Shift + click, drag", "select a range"],
    ["Ctrl+Space, Shift+Space, Ctrl+A", "select columns, rows, everything"],
    ["Ctrl+G", "go to a row, by number or key"],
  ]],
  ["Edit", [
    ["Enter, F2, or just type", "edit the cell"],
    ["Enter, Tab, Shift+Tab", "keep the value and go down, right, left"],
    ["Esc", "give up this edit only"],
    ["Alt+Enter", "line break"],
    ["Shift+Enter", "large editor for the value"],
    ["Ctrl+0 or Ctrl+Alt+N", "set NULL"],
    ["Ctrl+Alt+D", "set the column's default"],
    ["Delete", "clear the selected cells"],
    ["Ctrl+D", "fill down; duplicate when whole rows are selected"],
    ["Alt+Insert", "new row"],
    ["Ctrl+Delete", "mark rows for deletion"],
  ]],
  ["Clipboard and undo", [
    ["Ctrl+C, Ctrl+X, Ctrl+V", "copy, cut, paste with Excel and LibreOffice"],
    ["Ctrl+Shift+V", "paste as new rows"],
    ["Ctrl+Z, Ctrl+Y", "undo, redo"],
    ["Ctrl+Alt+Z", "revert the selection"],
  ]],
  ["Table", [
    ["Ctrl+S", "save what is staged"],
    ["F5", "read the rows again"],
    ["Ctrl+F", "filter row"],
    ["Click, Shift+click on a header", "sort; sort by one more column"],
    ["Ctrl+I", "row detail"],
  ]],
  ["Page", [
    ["Ctrl+K", "go to a table or command"],
    ["Ctrl+B", "fold the sidebar"],
    ["F6, Shift+F6", "next, previous region: tables, tabs, toolbar, rows"],
    ["Delete on a tab", "close it"],
    ["Alt+Left, Alt+Right", "back, forward"],
    ["F1, or ? outside a cell", "this map"],
  ]],
];

export function openHelp() {
  const body = MAP.map(([name, keys]) =>
    el("section", { class: "help-section" }, el("h3", {}, name),
      el("dl", {}, ...keys.map(([key, what]) => el("div", {}, el("dt", {}, ...split(key)), el("dd", {}, what))))));
  return openDialog({ title: T.help, body: [el("div", { class: "help", tabindex: "0", role: "region", aria: { label: T.help } }, ...body)], class: "wide-dialog" });
}

/** "Ctrl+K, F1" as keys: what looks like a key is drawn as one. */
function split(text) {
  return text.split(/(, | or )/).map((piece) => (/^(Ctrl|Shift|Alt|F\d|Esc|Enter|Tab|Delete|Home|End|Page)\S*( (Up|Down))?$/.test(piece) ? el("kbd", {}, piece) : piece));
}
