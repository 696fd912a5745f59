// Quiet messages in the corner: they go by themselves, unless there is something to decide.

import { T } from "../texts.js";
import { writeText } from "./clipboard.js";
import { el, icon, iconButton, part } from "./dom.js";

const SHOWN_FOR = 6000;

/**
 * Show a message; gives a function that takes it away.
 *
 * @param {string} text
 * @param {{kind?: "plain" | "error" | "warning", actions?: {label: string, run: () => void}[], lasting?: boolean,
 *   key?: string, changing?: boolean}} options
 *   `key`: a newer message with the same key replaces the older; `changing`: its text goes on
 *  changing, which no reader wants to hear
 */
export function toast(text, { kind = "plain", actions = [], lasting = false, key = null, changing = false } = {}) {
  const host = part("toasts");
  if (key) host.querySelector(`[data-key="${key}"]`)?.remove();
  const remove = () => box.remove();
  const box = el(
    "div",
    { class: `float toast toast-${kind}`, data: key ? { key } : {}, role: kind === "error" ? "alert" : null },
    icon({ plain: "info", warning: "clock", error: "circle-alert" }[kind]),
    el("p", { "aria-live": changing ? "off" : null }, text),
    ...actions.map(({ label, run }) =>
      el(
        "button",
        {
          class: "link",
          type: "button",
          on: {
            click: () => {
              remove();
              run();
            },
          },
        },
        label,
      ),
    ),
    iconButton("x", { label: T.dismiss, click: remove }),
  );
  host.append(box);
  if (!lasting) {
    let timer = setTimeout(remove, SHOWN_FOR);
    // Nothing vanishes under the pointer or while it has the focus.
    const hold = () => clearTimeout(timer);
    const release = () => {
      clearTimeout(timer);
      timer = setTimeout(remove, SHOWN_FOR / 2);
    };
    box.addEventListener("pointerenter", hold);
    box.addEventListener("pointerleave", release);
    box.addEventListener("focusin", hold);
    box.addEventListener("focusout", release);
  }
  return remove;
}

/** Say something to a screen reader only. */
export function announce(text) {
  const host = part("announcer");
  host.textContent = "";
  // A reader tells of a change, so the same sentence twice needs one.
  requestAnimationFrame(() => {
    host.textContent = text;
  });
}

/** Put text on the clipboard and say so, or why not. */
export async function copyText(text, said = T.copied) {
  if (await writeText(text)) toast(said, { key: "copied" });
  else toast(T.copyRefused, { kind: "error", key: "copied" });
}
