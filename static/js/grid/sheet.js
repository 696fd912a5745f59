// SlickGrid with the manners of a spreadsheet: one place for the focus, ARIA on every row and cell, painting in place,
// and millions of rows. It overrides protected methods of SlickGrid 5.20.2; the browser tests guard an upgrade.

import {
  SelectionUtils,
  SlickCellSelectionModel,
  SlickEditorLock,
  SlickGrid,
  SlickRange,
} from "../../vendor/slickgrid/slickgrid.js";
import { GUTTER } from "./columns.js";
import { Panning } from "./panning.js";

export { SlickRange };

const HEAD_ROWS = 2; // header and filter row, for aria-rowindex

/**
 * The grid. `painter` has cell(node, row, cell, item) and row(nodes, row, item); `data` is what SlickGrid asks:
 * getLength(), getItem(i).
 */
export class Sheet extends SlickGrid {
  static create(element, data, columns, options, { label, painter, keys }) {
    const sheet = new Sheet(element, data, columns, {
      rowHeight: 26,
      headerRowHeight: 28,
      showHeaderRow: true,
      editable: true,
      autoEdit: false,
      autoEditNewRow: false,
      asyncEditorLoading: false,
      enableHtmlRendering: false,
      explicitInitialization: true,
      enableColumnReorder: false,
      emulatePagingWhenScrolling: false, // else one row down at the edge jumps a whole page
      enableMouseWheelScrollHandler: false, // it moves by rows where the browser moves by pixels
      multiColumnSort: true,
      tristateMultiColumnSort: true,
      numberedMultiColumnSort: true,
      sortColNumberInSeparateSpan: true, // else the number would stand in the arrow, and an arrow without one is hidden
      syncColumnCellResize: false,
      editorLock: new SlickEditorLock(),
      dataItemColumnValueExtractor: (item, column) => item?.values?.[column.field],
      ...options,
    });
    Object.assign(sheet, { painter, keys, head: null, leaving: false });
    sheet.#wire(label);
    sheet.init();
    sheet.fixHeader();
    sheet.syncCounts();
    return sheet;
  }

  #wire(label) {
    const container = this._container;
    this._focusSink.remove();
    this._focusSink2.remove();
    // SlickGrid makes 16 tab stops
    for (const node of container.querySelectorAll("[tabindex]")) node.removeAttribute("tabindex");
    container.addEventListener("focusin", (event) => {
      if (!this.leaving && event.target.matches(".slick-cell,.slick-viewport")) this.setFocus();
      this.leaving = false;
    });
    // Finding in the page or a script may scroll the head by itself: the rows go with it.
    container.addEventListener(
      "scroll",
      ({ target }) => {
        // Where the grid put it itself is no news: the rows may be on their way elsewhere already.
        if (target === this._headerScrollContainer && target.scrollLeft !== this.prevScrollLeft)
          this._viewportScrollContainerX.scrollLeft = target.scrollLeft;
        else if (target === this._viewportTopL) this.#followFrozen();
      },
      true,
    );
    this.panning = new Panning(this);
    this.endStop = document.createElement("span");
    this.endStop.tabIndex = -1;
    container.after(this.endStop);
    // typing after scrolling away comes back to the cell
    container.addEventListener("beforeinput", () => this.showEditor(), true);
    container.tabIndex = -1;
    container.setAttribute("aria-label", label);
    container.setAttribute("aria-multiselectable", "true");
    container.addEventListener("keydown", (event) => {
      if (event.target === container) this.handleKeyDown(event);
    });
    const model = new SlickCellSelectionModel();
    this.setSelectionModel(model);
    model.setOptions({ selectionType: "cell" }); // shows the fill handle; the constructor ignores it
    this.onActiveCellChanged.subscribe((_, active) => {
      this.head = null;
      if (active?.row !== undefined && active.row !== null)
        container.setAttribute("aria-activedescendant", this.cellId(active.row, active.cell));
      else container.removeAttribute("aria-activedescendant");
    });
  }

  /*
   * Focus: one place, and it never scrolls. The tab stop is the scroller, which hands the focus on to the grid element.
   */

  setFocus() {
    this._container.focus({ preventScroll: true });
  }

  get hasFocus() {
    return document.activeElement === this._container || this._container.contains(document.activeElement);
  }

  setScroller() {
    super.setScroller();
    for (const viewport of this.getViewports()) {
      viewport.setAttribute("role", "rowgroup"); // else a focusable element may not stand between grid and row
      viewport.tabIndex = viewport === this._viewportScrollContainerX ? 0 : -1;
    }
  }

  /** The element that scrolls the rows and the columns which are not frozen. */
  get scroller() {
    return this._viewportScrollContainerX;
  }

  /**
   * Scroll the other columns to where the frozen ones are: the browser scrolls those by wheel and touch, as any
   * element.
   */
  #followFrozen() {
    const frozen = this._viewportTopL;
    const known = Math.min(this.prevScrollTop, frozen.scrollHeight - frozen.clientHeight);
    if (frozen === this.scroller || !frozen.clientHeight || Math.abs(frozen.scrollTop - known) < 1) return;
    this._viewportScrollContainerY.scrollTop = frozen.scrollTop;
    this._viewportTopL = { scrollTop: 0 }; // a write to the real one would end the movement that is going on in it
    try {
      this.handleScroll();
    } finally {
      this._viewportTopL = frozen;
    }
    // another virtual page
    if (Math.abs(frozen.scrollTop - this.prevScrollTop) >= 1) frozen.scrollTop = this.prevScrollTop;
  }

  /** A finger pans and never selects; SlickGrid would also keep the browser from making a click of a tap. */
  handleDragInit(event, drag) {
    const native = event.getNativeEvent?.() ?? event;
    if (native.type === "touchstart" && !this._container.classList.contains("by-pen")) return false;
    return super.handleDragInit(event, drag);
  }

  /** Let the browser's own Tab go on from the edge of the grid. */
  leave(back) {
    this.leaving = true;
    (back ? this._viewportScrollContainerX : this.endStop).focus({ preventScroll: true });
    if (!back) this.leaving = false;
    return false;
  }

  /**
   * The header of a column. SlickGrid counts its nodes, of which hidden columns have none: it finds another one's,
   * or none.
   */
  getHeaderColumn(columnIdOrIndex) {
    const index = typeof columnIdOrIndex === "number" ? columnIdOrIndex : this.getColumnIndex(columnIdOrIndex);
    return this.getColumnByIndex(index);
  }

  /** The same, for SlickGrid's own marks of the sort order. */
  getColumnByIndex(index) {
    const id = String(this.getColumns()[index]?.id);
    return this.getHeaderChildren().find((node) => node.dataset.id === id);
  }

  handleKeyDown(event) {
    this.keys?.handle(event);
  }

  showEditor() {
    const active = this.getActiveCell();
    if (active && this.getCellEditor()) this.scrollCellIntoView(active.row, active.cell);
  }

  /** True when the editor was closed, or none was open; false when its text is not valid. */
  commit() {
    return !this.getCellEditor() || this.getEditorLock().commitCurrentEdit();
  }

  cancelEditing() {
    if (this.getCellEditor()) this.getEditorLock().cancelCurrentEdit();
  }

  /** A new size redraws the rows; the open editor and the focus stay. */
  resizeCanvas() {
    const editor = this.getCellEditor();
    const kept = editor?.keep?.();
    const focused = document.activeElement;
    super.resizeCanvas();
    // The frozen columns end above the others' scroll bar, else they would scroll less far.
    this._container.style.setProperty("--strip", `${this.scroller.offsetHeight - this.scroller.clientHeight}px`);
    if (!kept || this.getCellEditor() === editor) return;
    this.editActiveCell();
    this.getCellEditor()?.restore?.(kept);
    if (focused !== editor.input) focused?.focus?.({ preventScroll: true });
  }

  /*
   * Virtual pages. SlickGrid keeps the active row's node for ever; on another virtual page its top would stretch the
   * canvas.
   */

  getRowTop(row) {
    const top = super.getRowTop(row);
    return top > this.h ? -10000 : top;
  }

  render() {
    if (this.offset !== this.drawnOffset) {
      this.drawnOffset = this.offset;
      this.updateRowPositions(); // a long jump changes the offset without moving kept rows
    }
    super.render();
  }

  /* ARIA and painting: every row and cell node passes through these. */

  cellId(row, cell) {
    return `${this.uid}-${row}-${cell}`;
  }

  appendRowHtml(left, right, row, ...rest) {
    super.appendRowHtml(left, right, row, ...rest);
    const nodes = [left.at(-1), right.at(-1)].filter(Boolean);
    for (const node of nodes) node.setAttribute("aria-rowindex", row + 1 + HEAD_ROWS);
    this.painter.row(nodes, row, this.getDataItem(row));
  }

  appendCellHtml(rowNode, row, cell, ...rest) {
    super.appendCellHtml(rowNode, row, cell, ...rest);
    const node = rowNode.lastElementChild;
    node.id = this.cellId(row, cell);
    node.dataset.column = this.columns[cell].field;
    node.setAttribute("aria-colindex", cell + 1);
    if (!this.columns[cell].gutter) node.setAttribute("aria-selected", this.isCellSelected(row, cell));
    this.#paint(node, row, cell, rest.at(-1));
  }

  /** Paint a cell again in place; the one that is being edited stays as it is. */
  updateCell(row, cell) {
    const node = this.getCellNode(row, cell);
    if (!node || this.isEditing(row, cell)) return;
    this.#paint(node, row, cell, this.getDataItem(row));
  }

  /** Paint a cell; the handle of the selection, which stands in its last cell, stays. */
  #paint(node, row, cell, item) {
    const handle =
      row === this.selectionBottomRow && cell === this.selectionRightCell
        ? node.querySelector(".slick-drag-replace-handle")
        : null;
    this.painter.cell(node, row, cell, item);
    if (handle) node.append(handle);
  }

  updateRow(row) {
    const cached = this.rowsCache[row];
    if (!cached) return;
    this.ensureCellNodesInRowsCache(row);
    this.painter.row(cached.rowNode, row, this.getDataItem(row));
    for (const cell of Object.keys(cached.cellNodesByColumnIdx)) this.updateCell(row, Number(cell));
  }

  /** Paint rows again that are drawn. */
  repaint(from = 0, to = Infinity) {
    for (const row of Object.keys(this.rowsCache).map(Number)) if (row >= from && row <= to) this.updateRow(row);
  }

  isEditing(row, cell) {
    return Boolean(this.currentEditor) && this.activeRow === row && this.activeCell === cell;
  }

  makeActiveCellNormal(...rest) {
    const was = this.currentEditor;
    super.makeActiveCellNormal(...rest);
    if (was && this.activeCellNode) this.updateCell(this.activeRow, this.activeCell);
  }

  /** The ID of the row that is drawn at a place. */
  drawnId(row) {
    return this.rowsCache[row]?.rowNode?.[0]?.dataset.rowId ?? null;
  }

  /**
   * Draw again after rows came or went, or while `change` makes them: what is being typed, the active row, the
   * selection and the place on screen stay with their rows. `indexOf(id)` gives a row's new place, or -1.
   */
  restructure(change, indexOf) {
    if (this.restructuring) return change();
    const { row: activeRow, cell } = this.getActiveCell() ?? { row: -1, cell: -1 };
    const id = this.drawnId(activeRow);
    const typed = this.getCellEditor()?.keep?.();
    const { top } = this.getViewport();
    const topId = this.drawnId(top);
    const ranges = this.getSelectionModel().getSelectedRanges();
    const focused = this.hasFocus;
    this.restructuring = true;
    try {
      this.cancelEditing();
      change();
      this.invalidateAllRows();
      this.drawnLength = this.getDataLength();
      this.updateRowCount();
      const newTop = topId === null || top === 0 ? -1 : indexOf(topId);
      if (newTop >= 0 && newTop !== top) this.scrollRowToTop(newTop);
      this.render();
      const row = id === null ? -1 : indexOf(id);
      if (activeRow >= this.drawnLength && this.drawnLength)
        this.setActiveCellQuietly(this.drawnLength - 1, cell); // there are fewer rows
      else if (row >= 0 && row !== activeRow) {
        this.setActiveCellQuietly(row, cell);
        const [range] = ranges;
        if (range && (range.isRows || range.toRow > range.fromRow || range.toCell > range.fromCell)) {
          const moved = row - activeRow;
          this.getSelectionModel().setSelectedRanges(
            ranges.map(({ fromRow, fromCell, toRow, toCell, isRows }) =>
              Object.assign(new SlickRange(fromRow + moved, fromCell, toRow + moved, toCell), { isRows }),
            ),
          );
        }
      }
      if (row >= 0 && typed) {
        this.editActiveCell();
        this.getCellEditor()?.restore?.(typed);
      }
    } finally {
      this.restructuring = false;
    }
    if (focused && !this.hasFocus) this.setFocus();
  }

  /** The first and the last row that can be seen, the last perhaps in part: SlickGrid counts one more. */
  get shown() {
    const { top, bottom } = this.getViewport();
    return { top, bottom: bottom - 1 };
  }

  /** Where it is scrolled to: a browser forgets that of what it hides. */
  get scrolled() {
    return { top: this._viewportScrollContainerY.scrollTop, left: this._viewportScrollContainerX.scrollLeft };
  }

  set scrolled({ top, left }) {
    for (const viewport of [this._viewportScrollContainerY, this._viewportTopL]) viewport.scrollTop = top;
    this._viewportScrollContainerX.scrollLeft = left;
  }

  /** Show the first columns; the active cell may be a frozen one, which is in sight wherever the others are. */
  scrollToStart() {
    this._viewportScrollContainerX.scrollLeft = 0;
    this.handleScroll(); // the next key may come before the browser's event, and goes from where the grid thinks it is
    this.render();
  }

  /** Make a cell the active one without scrolling to it. */
  setActiveCellQuietly(row, cell) {
    if (!this.rowsCache[row]) this.scrollRowIntoView(row);
    this.setActiveCell(row, cell, false, false, false);
  }

  setSortColumns(columns) {
    super.setSortColumns(columns);
    for (const header of this._container.querySelectorAll("[role=columnheader]")) {
      const sort = this.sortColumns.find((column) => String(column.columnId) === header.dataset.id);
      if (sort) header.setAttribute("aria-sort", sort.sortAsc ? "ascending" : "descending");
      else header.removeAttribute("aria-sort");
    }
  }

  /** SlickGrid leaves a hidden filter row empty, and shows it so. */
  createColumnHeaders() {
    const { showHeaderRow } = this._options;
    this._options.showHeaderRow = true;
    super.createColumnHeaders();
    this._options.showHeaderRow = showHeaderRow;
    this.fixHeader();
  }

  fixHeader() {
    const container = this._container;
    [".slick-header-columns", ".slick-headerrow-columns"].forEach((selector, index) => {
      for (const node of container.querySelectorAll(selector)) {
        if (node.children.length) node.setAttribute("role", "row");
        else node.removeAttribute("role");
        node.setAttribute("aria-rowindex", index + 1);
      }
    });
    this.columns.forEach((column, index) => {
      if (column.hidden) return;
      const header = container.querySelector(`[id="${this.uid + column.id}"]`);
      header?.setAttribute("aria-colindex", index + 1);
      if (header && header.dataset.painted === undefined) {
        header.dataset.painted = "";
        this.painter.header(header, column);
      }
      const filter = container.querySelector(`.slick-headerrow-column.l${index}`);
      filter?.setAttribute("role", "gridcell");
      filter?.setAttribute("aria-colindex", index + 1);
      if (filter) this.painter.filter(filter, column);
    });
    for (const handle of container.querySelectorAll(".slick-resizable-handle")) {
      handle.removeAttribute("role");
      handle.removeAttribute("aria-orientation");
      handle.setAttribute("aria-hidden", "true");
    }
  }

  syncCounts(known = true) {
    this._container.setAttribute("aria-rowcount", known ? this.getDataLength() + HEAD_ROWS : -1);
    this._container.setAttribute("aria-colcount", this.columns.length);
  }

  /** SlickGrid's own loops over every selected row: fatal at millions. Only drawn cells are touched here. */
  handleSelectedRangesChanged(event, ranges) {
    const before = this.selectedRanges;
    const mode = event.getNativeEvent?.()?.detail?.selectionMode;
    this.selectedRanges = ranges;
    this.dragReplaceEl.removeEl();
    this.selectionBottomRow = this.selectionRightCell = -1;
    for (const node of this._container.querySelectorAll(".slick-cell")) {
      const [row, cell] = node.id.split("-").slice(-2).map(Number);
      const selected = this.isCellSelected(row, cell);
      node.classList.toggle(this.getOptions().selectedCellCssClass, selected);
      if (this.columns[cell]?.id === GUTTER)
        node.classList.toggle(
          "in-range",
          ranges.some((range) => row >= range.fromRow && row <= range.toRow),
        );
      else node.setAttribute("aria-selected", selected);
    }
    const last = ranges.at(-1);
    if (last) {
      this.selectionBottomRow = last.toRow;
      this.selectionRightCell = last.toCell;
      this.dragReplaceEl.createEl(this.getCellNode(last.toRow, last.toCell));
    }
    for (const header of this._container.querySelectorAll(".slick-header-column")) {
      const cell = this.getColumnIndex(header.dataset.id);
      header.classList.toggle(
        "in-range",
        ranges.some((range) => cell >= range.fromCell && cell <= range.toCell),
      );
    }
    this.onRange?.(last ?? null);
    if (
      mode === "REP" &&
      before.length === 1 &&
      ranges.length === 1 &&
      SelectionUtils.copyRangeIsLarger(before[0], ranges[0])
    ) {
      this.trigger(this.onDragReplaceCells, { prevSelectedRange: before[0], selectedRange: ranges[0] });
    }
  }
}
