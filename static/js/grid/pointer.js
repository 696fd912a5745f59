// The mouse in the grid: whole rows by their numbers, check boxes, foreign keys, the menu of a cell.

import { watchLongPress } from "../ui/long-press.js";
import { cellMenu } from "./menus.js";

/** Listens on the sheet of a view. */
export class Pointer {
  #from = null;
  #byTouch = false;

  constructor(view) {
    this.view = view;
    this.container = view.table.sheet.getContainerNode();
    this.container.addEventListener("pointerdown", this.#down, true);
    this.container.addEventListener("contextmenu", this.#menu);
    watchLongPress(this.container);
    this.container.addEventListener("pointerover", this.#over);
    view.table.sheet.onClick.subscribe((event, { row, cell }) => this.#click(event, row, cell));
  }

  close() {
    document.removeEventListener("pointermove", this.#move);
    document.removeEventListener("pointerup", this.#up);
  }

  #place(event) {
    const { sheet } = this.view.table;
    const cell = sheet.getCellFromEvent(event);
    return cell && cell.row >= 0 && cell.row < sheet.getDataLength() ? cell : null;
  }

  #down = (event) => {
    this.#byTouch = event.pointerType === "touch";
    if (event.button !== 0 || this.#byTouch) return undefined; // a finger pans; it selects by its click
    const gutter = event.target.closest(".slick-cell.gutter");
    const place = this.#place(event);
    const { sheet, selection } = this.view.table;
    if (gutter && place) {
      event.preventDefault();
      event.stopPropagation();
      if (!sheet.commit()) return undefined;
      if (event.ctrlKey || event.metaKey) {
        selection.pick(place.row);
        return sheet.setFocus();
      }
      this.#from = event.shiftKey && sheet.getActiveCell() ? sheet.getActiveCell().row : place.row;
      selection.rows(this.#from, place.row);
      sheet.setFocus();
      document.addEventListener("pointermove", this.#move);
      document.addEventListener("pointerup", this.#up, { once: true });
    } else if (
      (event.ctrlKey || event.metaKey) &&
      place &&
      sheet.getActiveCell() &&
      !event.target.closest(".cell-editor")
    ) {
      event.preventDefault();
      event.stopPropagation();
      if (!sheet.commit()) return undefined;
      if (!selection.isRows) selection.rows(sheet.getActiveCell().row);
      selection.pick(place.row);
      sheet.setFocus();
      this.#swallowClick();
    } else if (event.shiftKey && place && sheet.getActiveCell() && !event.target.closest(".cell-editor")) {
      event.preventDefault();
      event.stopPropagation();
      if (sheet.commit()) {
        selection.extendTo(place.row, place.cell);
        sheet.setFocus();
        this.#swallowClick();
      }
    }
    return undefined;
  };

  /** What the pointer pressed has done its work: the click would make its cell the active one. */
  #swallowClick() {
    this.container.addEventListener("click", (click) => click.stopPropagation(), { capture: true, once: true });
  }

  #move = (event) => {
    const node = document.elementFromPoint(event.clientX, event.clientY)?.closest(".slick-row");
    if (node && this.container.contains(node)) this.view.table.selection.rows(this.#from, Number(node.dataset.row));
  };

  /** What does not fit into its cell is told in full. */
  #over = ({ target }) => {
    const node = target.closest?.(".slick-cell");
    if (!node || node.querySelector(".v-long, .cell-editor") || node.scrollWidth <= node.clientWidth) return;
    const text = node.textContent;
    if (!node.title.startsWith(text)) node.title = [text, node.title].filter(Boolean).join("\n");
  };

  #up = () => document.removeEventListener("pointermove", this.#move);

  #click(event, row, cell) {
    const target = event.getNativeEvent?.().target ?? event.target;
    if (target.closest(".slick-cell.gutter")) {
      if (this.#byTouch && this.view.table.sheet.commit()) this.view.table.selection.rows(row);
    } else if (target.closest("[data-follow]")) {
      if (this.view.places.follow(row, cell)) event.stopImmediatePropagation();
    } else if (target.closest(".box")) {
      queueMicrotask(() => this.view.edits.toggle(row, cell));
    }
  }

  #menu = (event) => {
    if (event.target.closest(".cell-editor, .slick-header, .slick-headerrow")) return;
    const place = this.#place(event);
    if (!place) return;
    event.preventDefault();
    const { sheet, selection } = this.view.table;
    if (!sheet.commit()) return;
    const { range } = selection;
    const column = this.view.table.columns[place.cell];
    const inside =
      range &&
      place.row >= range.fromRow &&
      place.row <= range.toRow &&
      (column.gutter || (place.cell >= range.fromCell && place.cell <= range.toCell));
    if (!inside) {
      if (column.gutter) selection.rows(place.row);
      else sheet.setActiveCell(place.row, place.cell, false, false, false);
    }
    cellMenu(this.view, { x: event.clientX, y: event.clientY });
  };
}
