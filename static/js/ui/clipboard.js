// Text for the clipboard, also where the page is not secure or the browser says no to the asynchronous way.

import { el } from "./dom.js";

/** Put a text on the clipboard; false where the browser does not allow it. */
export async function writeText(text) {
  try {
    await navigator.clipboard.writeText(text); // there is no such thing on a page without TLS
    return true;
  } catch {
    return copyFromField(text);
  }
}

/** The older way: it works while the browser still thinks of the person's last key or click. */
function copyFromField(text) {
  const before = document.activeElement;
  const area = el("textarea", { class: "sr", "aria-hidden": "true" });
  area.value = text;
  // what is behind a dialog cannot have the focus
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    area.remove();
    before?.focus?.({ preventScroll: true });
  }
}
