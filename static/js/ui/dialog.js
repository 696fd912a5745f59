// Dialogs on the browser's own <dialog>: it keeps the focus inside, closes on Esc and makes the rest inert.

import { T } from "../texts.js";
import { el, iconButton } from "./dom.js";

const FIELD = "button, a, input, select, textarea, [tabindex]";

let home = () => undefined; // where the focus goes when what had it is gone
let away = null; // how to open those that wait until somebody is signed in again

/** Say where the focus goes when a dialog closes and what had it before is gone, or nothing had it. */
export function setHome(focus) {
  home = focus;
}

function giveBack(back) {
  if (back?.isConnected && back !== document.body && back.checkVisibility?.() !== false) back.focus();
  const lost = !document.activeElement || document.activeElement === document.body;
  if (lost && !document.querySelector("dialog[open]")) home();
}

/**
 * Show a dialog and wait for how it is closed.
 *
 * @param {object} options
 * @param {string} options.title
 * @param {string} [options.text] a sentence below the title
 * @param {Node[]} [options.body]
 * @param {{label: string, value: string, primary?: boolean, autofocus?: boolean}[]} [options.actions] buttons of
 *   the foot
 * @param {boolean} [options.alert] a question that must be answered (role alertdialog)
 * @param {string} [options.class]
 * @param {(dialog: HTMLDialogElement) => void} [options.ready] called when it is open
 * @returns {Promise<string>} the value of the button, "" when it was dismissed
 */
export function openDialog({
  title,
  text = null,
  body = [],
  actions = [],
  alert = false,
  class: more = "",
  ready = null,
}) {
  const id = `dialog-${Math.random().toString(36).slice(2)}`;
  const back = document.activeElement;
  const dialog = el(
    "dialog",
    {
      class: `float dialog ${more}`.trim(),
      role: alert ? "alertdialog" : null,
      aria: { labelledby: id, describedby: text ? `${id}-text` : null },
    },
    el(
      "div",
      { class: "dialog-head" },
      el("div", {}, el("h2", { id }, title), text && el("p", { id: `${id}-text` }, text)),
      !alert && iconButton("x", { label: T.close, title: `${T.close} (Esc)`, click: () => dialog.close("") }),
    ),
    body.length ? el("div", { class: "dialog-body" }, ...body) : null,
    actions.length
      ? el(
          "div",
          { class: "dialog-foot" },
          el("span", { class: "push" }),
          ...actions.map((action) =>
            el(
              "button",
              {
                class: `button ${action.primary ? "button-primary" : "button-outline"}`,
                type: "button",
                autofocus: action.autofocus,
                on: { click: () => dialog.close(action.value) },
              },
              action.label,
            ),
          ),
        )
      : null,
  );
  show(() => {
    document.body.append(dialog);
    dialog.showModal();
    const content = dialog.querySelector(".dialog-body");
    // What scrolls must be within reach of the keyboard.
    if (content && content.scrollHeight > content.clientHeight && !content.querySelector(FIELD)) content.tabIndex = 0;
    // Not on the cross: who opened it wants something of it.
    (
      dialog.querySelector("[autofocus]") ??
      content?.querySelector(FIELD) ??
      dialog.querySelector(".dialog-foot button")
    )?.focus();
    ready?.(dialog);
  });
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      giveBack(back);
      resolve(dialog.returnValue);
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog && !alert) dialog.close("");
    });
  });
}

/** Ask before something that cannot be undone; true if the person goes on. */
export async function confirm({ title, text, go, cancel = T.cancel }) {
  const actions = [
    { label: cancel, value: "", autofocus: true },
    { label: go, value: "go", primary: true },
  ];
  return (await openDialog({ title, text, actions, alert: true })) === "go";
}

/** Take every open dialog out of the document, as it is; one that is opened meanwhile waits as well. */
export function putAwayDialogs() {
  away ??= [];
  for (const dialog of document.querySelectorAll("dialog[open]")) {
    const focused = dialog.contains(document.activeElement) ? document.activeElement : null;
    dialog.removeAttribute("open"); // closing it would answer its question
    dialog.remove();
    away.push(() => {
      document.body.append(dialog);
      dialog.showModal();
      focused?.focus();
    });
  }
}

/** Bring them back. */
export function bringBackDialogs() {
  const waiting = away ?? [];
  away = null;
  for (const open of waiting) open();
}

function show(open) {
  if (away) away.push(open);
  else open();
}
