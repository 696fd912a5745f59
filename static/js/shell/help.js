// The keyboard map: one table of keys, shown on F1, on ? and from the button.

import { T } from "../texts.js";
import { openDialog } from "../ui/dialog.js";
import { el } from "../ui/dom.js";

export function openHelp() {
  /** @type {any[]} */
  const groups = T.keys;
  const body = groups.map(([name, keys]) =>
    el(
      "section",
      { class: "help-section" },
      el("h3", {}, name),
      el("dl", {}, ...keys.map(([key, what]) => el("div", {}, el("dt", {}, ...split(key)), el("dd", {}, what)))),
    ),
  );
  return openDialog({
    title: T.help,
    body: [el("div", { class: "help", tabindex: "0", role: "region", aria: { label: T.help } }, ...body)],
    class: "wide-dialog",
  });
}

const KEY =
  /((?:Ctrl|Shift|Alt)\+[^\s,]+|\b(?:F\d+|Arrows|Esc|Enter|Tab|Space|Backspace|Delete|Home|End|Page Up|Page Down)\b|\?)/;

/** "Ctrl+K, or ? outside a cell" as keys and words: split by a group, every second piece is a key. */
function split(text) {
  return text.split(KEY).map((piece, index) => (index % 2 ? el("kbd", {}, piece) : piece));
}
