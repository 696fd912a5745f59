// The keyboard map: one table of keys, shown on F1, on ? and from the button.

import { T } from "../texts.js";
import { openDialog } from "./dialog.js";
import { el } from "./dom.js";

export function openHelp() {
  const body = T.keys.map(([name, keys]) =>
    el("section", { class: "help-section" }, el("h3", {}, name),
      el("dl", {}, ...keys.map(([key, what]) => el("div", {}, el("dt", {}, ...split(key)), el("dd", {}, what))))));
  return openDialog({ title: T.help, body: [el("div", { class: "help", tabindex: "0", role: "region", aria: { label: T.help } }, ...body)], class: "wide-dialog" });
}

/** "Ctrl+K, F1" as keys: what looks like a key is drawn as one. */
function split(text) {
  return text.split(/(, | or )/).map((piece) => (/^(Ctrl|Shift|Alt|F\d|Esc|Enter|Tab|Space|Backspace|Delete|Home|End|Page)\S*( (Up|Down))?$/.test(piece) ? el("kbd", {}, piece) : piece));
}
