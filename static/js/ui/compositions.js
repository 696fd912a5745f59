// Keys of an input method stay with it: in no field of the page do they open, clear, send or move anything.

import { isTyping } from "./dom.js";
import { isComposing } from "./keyboard.js";

/** Keep the keys of compositions in fields from every listener of the page. */
export function guardCompositions() {
  addEventListener(
    "keydown",
    (event) => {
      if (isComposing(event) && isTyping(event.target)) event.stopPropagation();
    },
    true,
  );
}
