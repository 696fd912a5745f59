// The toolbar of the table on screen. One tab stop; the arrows walk along it.

import { T } from "../texts.js";
import { el, icon } from "../ui/dom.js";

const RULE = "rule";

/**
 * Emits "do" ({action}) for each button, and "lost" when the one with the focus can do nothing any more; shows a
 * table's status.
 */
export class Toolbar extends EventTarget {
  #buttons = new Map();

  constructor(root) {
    super();
    root.append(
      this.#button("refresh", "refresh-cw", T.refresh, "F5"),
      el("span", { class: RULE }),
      this.#button("insertRow", "plus", T.newRow, "Alt+Insert", T.row),
      this.#button("duplicateRows", "copy", T.duplicate, "Ctrl+D", T.duplicateWord, "wordy"),
      el("span", { class: RULE }),
      this.#button("deleteRows", "trash-2", T.remove, "Ctrl+Delete", T.removeWord, "wordy"),
      el("span", { class: RULE }),
      this.#button("showFilters", "list-filter", T.filterRow, "Ctrl+F", T.filters),
      this.#button("showColumns", "columns-3", T.columnsTitle, null, T.columns),
      this.#button("showDetail", "panel-right", T.detail, "Ctrl+I", T.detailWord, "wordy"),
      this.#button("export", "download", T.exportTitle, null, T.exportWord, "wordy"),
      el(
        "div",
        { class: "tools-end" },
        this.#button("discard", "undo-2", T.discardTip, null, T.discard),
        this.#button("showReview", "list-checks", T.reviewTip, null, T.review, "button-outline"),
        this.#button("save", null, T.save, "Ctrl+S", T.save, "button-primary"),
      ),
    );
    // The mouse leaves the focus where it is: in the rows, whose keys go on.
    root.addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault());
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("focusin", (event) => this.#stopAt(event.target.closest("button")));
    this.#stopAt(this.#buttons.get("refresh"));
    this.show(null);
  }

  /**
   * Show what can be done.
   *
   * @param {null | {status: object, can: (action: string) => boolean}} table null when no table is on screen
   */
  show(table) {
    const { status = {}, can = () => false } = table ?? {};
    const { changed = 0, inserted = 0, deleted = 0 } = status.pending ?? {};
    const pending = changed + inserted + deleted;
    const readOnly = Boolean(status.readOnly);
    for (const [action, button] of this.#buttons) {
      let off = !table || !can(action) || !(status.ready || action === "refresh");
      if (["insertRow", "duplicateRows", "deleteRows"].includes(action)) off ||= readOnly;
      if (["discard", "showReview", "save"].includes(action)) off ||= pending === 0;
      const lost = off && button === document.activeElement && button.getAttribute("aria-disabled") === "false";
      button.setAttribute("aria-disabled", String(off));
      if (lost) this.dispatchEvent(new Event("lost"));
      button.hidden = Boolean(table) && !can(action) && action !== "save";
    }
    this.#badge("save", status.unsavedRows ?? 0);
    const label = status.unsavedRows ? T.saveRows(status.unsavedRows) : T.save;
    this.#buttons.get("save").setAttribute("aria-label", label);
    this.#buttons.get("save").title = `${label} (Ctrl+S)`;
    this.#badge("showFilters", status.filters ?? 0);
    this.#buttons
      .get("showFilters")
      .setAttribute("aria-pressed", String((status.filters ?? 0) > 0 || Boolean(status.filterRow)));
    this.#buttons.get("save").setAttribute("aria-busy", String(Boolean(status.saving)));
  }

  /** The button of an action: menus open below it. */
  button(action) {
    return this.#buttons.get(action);
  }

  #button(action, symbol, title, key = null, text = null, more = "") {
    const button = el(
      "button",
      {
        type: "button",
        class: ["button", !text && "button-icon", more].filter(Boolean).join(" "),
        tabindex: "-1",
        title: key ? `${title} (${key})` : title,
        aria: {
          label: !text || title.toLowerCase().includes(text.toLowerCase()) ? title : null,
          keyshortcuts: key?.replace("Ctrl", "Control"),
        },
        data: { action },
        on: {
          click: () =>
            button.getAttribute("aria-disabled") !== "true" &&
            this.dispatchEvent(new CustomEvent("do", { detail: { action } })),
        },
      },
      symbol && icon(symbol),
      more === "wordy" ? el("span", {}, text) : text,
    );
    this.#buttons.set(action, button);
    return button;
  }

  #badge(action, count) {
    const button = this.#buttons.get(action);
    button.querySelector(".badge")?.remove();
    if (count > 0) button.append(el("span", { class: "badge" }, String(count)));
  }

  #stopAt(button) {
    if (!button) return;
    for (const other of this.#buttons.values()) other.tabIndex = other === button ? 0 : -1;
  }

  #key(event) {
    const shown = [...this.#buttons.values()].filter((button) => !button.hidden);
    const at = shown.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    shown.at(to % shown.length)?.focus();
    event.preventDefault();
  }
}
