// A menu at a button: arrows move, Enter runs, Esc closes and gives the focus back.

import { el, icon } from "./dom.js";

let open = null;

/** Close the open menu, if there is one. */
export function closeMenu({ refocus = false } = {}) {
  if (!open) return;
  const { menu, anchor, back } = open;
  open = null;
  menu.remove();
  anchor.setAttribute?.("aria-expanded", "false");
  if (!refocus) return;
  anchor.focus?.();
  if (document.activeElement !== anchor) back?.focus?.(); // a header takes no focus: the grid around it does
}

/**
 * Open a menu below `anchor`, or at a point.
 *
 * @param {HTMLElement} anchor
 * @param {(null | {label: string, icon?: string, hint?: string, checked?: boolean, disabled?: boolean, note?:
 *   boolean, run?: () => void})[]} items
 *   null draws a rule; `note` an unselectable line
 * @param {{label: string, at?: {x: number, y: number}, end?: boolean}} options
 */
export function openMenu(anchor, items, { label, at = null, end = false }) {
  if (open?.anchor === anchor && !at) return closeMenu();
  closeMenu();
  const back = document.activeElement;
  const menu = el("div", { class: "float menu", role: "menu", "aria-label": label });
  for (const item of items) menu.append(draw(item));
  (anchor.closest("dialog, header, nav, main") ?? document.body).append(menu);
  place(menu, anchor, at, end);
  anchor.setAttribute("aria-expanded", "true");
  open = { menu, anchor, back };
  menu.addEventListener("keydown", move);
  menu.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !menu.contains(relatedTarget)) closeMenu();
  });
  (menu.querySelector("[aria-checked=true]") ?? menu.querySelector("[role^=menuitem]"))?.focus();
  return menu;
}

function draw(item) {
  if (item === null) return el("div", { class: "menu-rule", role: "separator" });
  if (item.note) return el("div", { class: "menu-note", role: "presentation" }, item.label);
  const radio = item.checked !== undefined;
  return el(
    "button",
    {
      type: "button",
      class: "menu-item",
      role: radio ? "menuitemradio" : "menuitem",
      tabindex: "-1",
      aria: { checked: radio ? String(item.checked) : null, disabled: item.disabled ? "true" : null },
      on: {
        click: () => {
          if (item.disabled) return;
          closeMenu({ refocus: true });
          item.run();
        },
      },
    },
    item.checked ? icon("check") : item.icon ? icon(item.icon) : el("span", { class: "icon" }),
    el("span", { class: "label" }, item.label),
    item.hint && el("span", { class: "menu-hint" }, item.hint),
  );
}

function place(menu, anchor, at, end) {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = at ? at.x : end ? box.right - width : box.left;
  const top = at ? at.y : box.bottom + 4;
  menu.style.left = `${Math.max(4, Math.min(left, innerWidth - width - 4))}px`;
  menu.style.top = `${Math.max(4, Math.min(top, innerHeight - height - 4))}px`;
}

function move(event) {
  const items = [...event.currentTarget.querySelectorAll("[role^=menuitem]")];
  const at = items.indexOf(document.activeElement);
  const go = (index) => items.at(index % items.length)?.focus();
  switch (event.key) {
    case "ArrowDown":
      go(at + 1);
      break;
    case "ArrowUp":
      go(at - 1);
      break;
    case "Home":
      go(0);
      break;
    case "End":
      go(-1);
      break;
    case "Escape":
      closeMenu({ refocus: true });
      break;
    case "Tab":
      closeMenu({ refocus: true });
      break;
    default: {
      if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey || event.key === " ") return;
      const start = (item) =>
        item.querySelector(".label").textContent.toLowerCase().startsWith(event.key.toLowerCase());
      [...items.slice(at + 1), ...items.slice(0, at + 1)].find(start)?.focus();
    }
  }
  event.preventDefault();
  event.stopPropagation();
}

addEventListener(
  "pointerdown",
  (event) => {
    if (open && !open.menu.contains(event.target) && !open.anchor.contains(event.target)) closeMenu();
  },
  true,
);
addEventListener("resize", () => closeMenu());
