// One open table: the grid with its rows, edits, filters and panels. What the frame talks to.

import { confirm } from "../shell/dialog.js";
import { el } from "../shell/dom.js";
import { Filters, parseFilter } from "../data/filters.js";
import { Layout } from "../data/layout.js";
import { ValueError, kindOf } from "../data/values.js";
import { FilterBar } from "../panel/filter-bar.js";
import { Panels } from "../panel/panels.js";
import { Clipboard } from "./clipboard.js";
import { buildColumns, frozenColumn } from "./columns.js";
import { Drafts } from "./drafts.js";
import { Edits } from "./edits.js";
import { Header } from "./header.js";
import { Keys } from "./keys.js";
import { Live } from "./live.js";
import { Look } from "./look.js";
import { cellMenu } from "./menus.js";
import { Pointer } from "./pointer.js";
import { Reading } from "./reading.js";
import { Saving } from "./saving.js";
import { Selection } from "./selection.js";
import { Sheet, SlickRange } from "./sheet.js";
import { States } from "./states.js";
import { Table } from "./table.js";
import { T, reasonText } from "./texts.js";

const MAX_PAGE = 1000;

/**
 * Emits "status" (for status bar, toolbar and tabs) and "openTable" ({namespace, tableName, view}).
 */
export class TableView extends EventTarget {
  #waiting = 0;
  #status = { message: null, lastQuery: null, counting: false, saving: null };
  #statusQueued = false;
  #closed = false;
  #counting = null;
  #dialogOpen = false;

  constructor({ host, client, namespace, tableName, settings = {}, nonce, store = null, announce = () => {} }) {
    super();
    Object.assign(this, { host, client, namespace, tableName, settings, nonce });
    this.say = announce;
    this.box = el("div", { class: "grid-box" });
    this.bar = el("div", { class: "filter-bar", hidden: true });
    this.root = el("div", { class: "table-view" }, this.bar, this.box);
    host.append(this.root);
    this.reading = new Reading(client, {
      namespace,
      tableName,
      onCount: (total, countState) => this.#counted(total, countState),
      onRead: (ms) => this.#setStatus({ lastQuery: { ms: Math.round(ms), at: Date.now() } }),
    });
    this.table = new Table({
      namespace,
      tableName,
      pageSize: Math.min(MAX_PAGE, Math.max(50, settings.pageSize ?? 100)),
      load: (request, signal) => this.#load(request, signal),
      onRows: (from, to) => this.#rowsCame(from, to),
      onLength: () => this.#resized(),
      onError: (error) => this.#readFailed(error),
      onStaged: (ids) => this.#staged(ids),
    });
    this.table.box = this.box;
    this.states = new States(this.box);
    this.edits = new Edits(this.table, (text, kind) => this.announce(text, kind));
    this.table.edits = this.edits;
    this.header = new Header(this.table, this.#headerActions());
    this.look = new Look(this.table, this.header);
    this.drafts = new Drafts(this.table, store);
    this.saving = new Saving(this.table, client, {
      announce: (text, kind) => this.announce(text, kind),
      progress: (progress) => this.#progress(progress),
      settled: (entry, values, result, sent) => this.#settled(entry, values, result, sent),
      confirmKeys: (entries) => this.#confirmKeys(entries),
    });
    this.drafts.failed = (text) => this.announce(text, "error");
    this.live = new Live(this);
    this.panels = new Panels(this);
    this.filterBar = new FilterBar(this, this.bar);
  }

  /** Open the table, as `state` says: {filters, sort, search, scroll}. Rejects when it cannot be read. */
  async open(state = null) {
    this.table.layout = this.drafts.loadLayout();
    if (state) this.#takeState(state);
    this.drafts.load();
    this.live.listen();
    await this.#begin();
    if (state?.scroll?.row) this.goto(state.scroll.row);
  }

  async #begin() {
    this.#wait(1);
    this.states.clear();
    try {
      const page = await this.reading.open(100, (schema) => this.#schemaCame(schema));
      if (this.#closed) return;
      if (this.#queried) {
        this.#pushQuery();
        this.table.cache.reset();
        this.table.cache.length = 1;
        this.#resized();
        this.need();
      } else this.table.cache.reset(page);
      this.saving.askAgain();
    } catch (error) {
      this.#readFailed(error);
      throw error;
    } finally {
      this.#wait(-1);
    }
  }

  get #queried() {
    return this.table.filters.active.length > 0 || this.table.sort.length > 0 || Boolean(this.table.search);
  }

  /** Take the view away; staged edits stay in the store. */
  close() {
    this.#closed = true;
    this.drafts.close();
    this.live.close();
    this.table.cache.close();
    this.panels.close();
    this.pointer?.close();
    this.resizer?.disconnect();
    this.table.sheet?.destroy();
    this.root.remove();
  }

  focus() {
    if (!this.table.sheet) return;
    const { sheet, selection } = this.table;
    if (!sheet.getActiveCell() && sheet.getDataLength()) sheet.setActiveCell(sheet.getViewport().top, selection.firstCell);
    sheet.setFocus();
  }

  /** What is looked at: goes into the address and into remembered tabs. */
  get state() {
    const row = this.table.sheet?.getViewport().top ?? 0;
    return { ...this.table.view, scroll: row ? { row: row + 1 } : null };
  }

  /** Look at the table as `state` says. */
  apply(state) {
    if (!this.#commit()) return;
    this.#takeState(state);
    this.header.refresh();
    this.filterBar.draw();
    if (this.table.sheet) {
      this.#showSort();
      this.requery();
    }
  }

  #takeState({ filters, sort, search }) {
    if (filters) this.table.filters = new Filters(filters);
    if (sort) this.table.sort = sort.filter(({ column, direction }) => column && (direction === "asc" || direction === "desc"));
    if (search !== undefined) this.table.search = search ?? "";
  }

  get pending() {
    const { changed, inserted, deleted } = this.table.staged.counts;
    return { changed, inserted, deleted };
  }

  /* Reading */

  #schemaCame(schema) {
    const names = new Set(schema.columns.map((column) => column.name));
    this.table.schema = this.settings.readOnly && !schema.readOnly ? { ...schema, readOnly: true, readOnlyReason: schema.readOnlyReason } : schema;
    const lost = this.table.filters.keepOnly(names).map(({ column }) => column);
    this.table.sort = this.table.sort.filter(({ column }) => names.has(column));
    this.table.columns = buildColumns(this.table.schema, this.table.layout);
    if (this.table.sheet) this.#setColumns();
    else this.#makeSheet();
    this.#pushQuery();
    if (lost.length) this.announce(T.lostColumns(lost.join(", ")), "error");
    this.#queueStatus();
  }

  #makeSheet() {
    const { table } = this;
    const element = el("div", { class: "sheet" });
    this.box.prepend(element);
    const keys = new Keys(null, this.#keyActions());
    table.sheet = Sheet.create(element, table.rows, table.columns, {
      nonce: this.nonce,
      rowHeight: this.#rowHeight(),
      frozenColumn: frozenColumn(table.columns, table.schema, table.layout),
      editCommandHandler: (item, column, command) => this.edits.setCell(item, column, command.serializedValue),
    }, { label: T.rows(this.tableName), painter: this.look, keys });
    const { sheet } = table;
    sheet.Range = SlickRange;
    sheet.valueOf = (item, column) => table.rows.valueOf(item, column.field);
    table.selection = keys.selection = new Selection(sheet);
    sheet.setHeaderRowVisibility(this.filterBar.shown, false);
    sheet.onBeforeEditCell.subscribe((_, { item, column, row }) => this.#mayEdit(item, column, row));
    sheet.onBeforeSort.subscribe((event, { sortCols }) => this.#headerClicked(event, sortCols));
    sheet.onViewportChanged.subscribe(() => this.#scrolled());
    sheet.onColumnsResized.subscribe(() => this.#resizedColumns());
    sheet.onDragReplaceCells.subscribe((_, { prevSelectedRange, selectedRange }) => this.edits.fill(prevSelectedRange, selectedRange));
    sheet.onRange = () => this.#queueStatus();
    sheet.onActiveCellChanged.subscribe(() => this.panels.follow());
    this.clipboard = new Clipboard(table, this.edits, { keys, announce: (text, kind) => this.announce(text, kind), confirm: (question) => this.ask(question) });
    this.pointer = new Pointer(this);
    this.resizer = new ResizeObserver(() => this.#fit());
    this.resizer.observe(this.box);
    addEventListener("densitychange", this.#density);
    this.#showSort();
    table.rows.sync();
    this.#resized();
  }

  #rowHeight() {
    return parseInt(getComputedStyle(document.documentElement).getPropertyValue("--row-h"), 10) || 26;
  }

  #density = () => {
    const { sheet } = this.table;
    if (!sheet || this.#closed) return removeEventListener("densitychange", this.#density);
    if (!this.#commit()) return;
    sheet.setOptions({ rowHeight: this.#rowHeight() });
    sheet.invalidate();
  };

  #fit() {
    if (this.box.clientHeight && !this.#closed) this.table.sheet?.resizeCanvas();
  }

  async #load(request, signal) {
    this.#wait(1);
    try {
      return await this.reading.page(request, signal);
    } finally {
      this.#wait(-1);
    }
  }

  #wait(step) {
    this.#waiting += step;
    this.states.waiting(this.#waiting > 0);
  }

  /** Ask for the rows on screen, and some around them. */
  need() {
    const { sheet, rows, cache } = this.table;
    if (!sheet) return;
    const { top, bottom } = sheet.getRenderedRange();
    const span = rows.span(Math.max(0, top), bottom);
    cache.show(span.from, Math.max(span.to, span.from));
  }

  #scrolled() {
    clearTimeout(this.scrollTimer);
    this.scrollTimer = setTimeout(() => {
      if (this.#closed) return;
      this.need();
      this.#queueStatus();
    }, 30);
  }

  #rowsCame(from, to) {
    const { table } = this;
    if (!table.sheet) return;
    if (table.rows.hasSettled) {
      const ids = new Set();
      for (let i = from; i <= to; i++) ids.add(table.cache.at(i)?.id);
      table.restructure(() => table.rows.dropSettled(ids));
    }
    this.states.clear();
    table.sheet.repaint(table.rows.rowOf(from), table.rows.rowOf(to));
    this.#emptiness();
    this.#queueStatus();
  }

  #resized() {
    const { sheet, rows } = this.table;
    rows.resized();
    if (sheet && sheet.drawnLength !== rows.getLength()) {
      sheet.drawnLength = rows.getLength();
      this.table.restructure(() => rows.resized());
    }
    sheet?.syncCounts(this.table.cache.countState === "exact" || this.table.cache.countState === "estimate");
    this.#emptiness();
    this.#queueStatus();
  }

  #counted(total, countState) {
    this.#status.counting = false;
    this.table.cache.setTotal(total, countState);
  }

  #emptiness() {
    const { table } = this;
    if (table.rows.getLength() > 0 || table.cache.countState !== "exact" || !table.schema) {
      if (table.rows.getLength() > 0 && this.states.kind === "empty") this.states.clear();
      return;
    }
    this.states.kind = "empty";
    const filters = table.filters.active.length;
    if (filters || table.search) {
      this.states.show(filters ? T.noMatch(filters) : T.noMatchSearch, [], [[T.clearFilters, () => this.clearFilters()]]);
    } else {
      this.states.show(T.noRows, [], table.schema.readOnly ? [] : [[T.insertFirst, () => this.insertRow(), true]]);
    }
  }

  #readFailed(error) {
    if (this.#closed || ["ABORTED", "CANCELLED"].includes(error.code)) return;
    if (error.code === "AWAY") {
      return; // the frame asks again when the connection is back
    }
    this.states.kind = "error";
    const title = { NOT_ALLOWED: T.noPrivilege, TABLE_NOT_FOUND: T.tableGone }[error.code] ?? T.cannotRead;
    const again = () => (this.table.schema ? this.#retry() : this.#begin().catch(() => undefined));
    this.states.show(title, [error.message, error.serverText], [[T.tryAgain, again, true], [T.copyError, () => navigator.clipboard.writeText([error.message, error.serverText].filter(Boolean).join("\n"))]], { alert: true });
    this.announce(error.message, "error");
  }

  #retry() {
    this.states.clear();
    this.table.cache.resume();
    this.need();
  }

  #pushQuery() {
    this.reading.query = { filters: this.table.filters.toWire(), sort: this.table.sort, search: this.table.search };
  }

  /** Read from the start, as filters, sort and search now are. */
  requery() {
    const { table } = this;
    if (!table.sheet) return;
    this.#pushQuery();
    this.live.forgetNews();
    table.gone.clear();
    const active = table.sheet.getActiveCell();
    table.restructure(() => {
      table.rows.dropSettled();
      table.rows.moveToTop();
      table.cache.reset();
      table.cache.length = 1;
      table.rows.resized();
      table.sheet.drawnLength = table.rows.getLength();
    });
    table.sheet.scrollRowToTop(0);
    if (active) table.sheet.setActiveCell(0, active.cell, false, false, true);
    this.need();
    this.#queueStatus();
  }

  /** Read again what is on screen; rows stay where they are. */
  async refresh() {
    const { table } = this;
    if (!table.schema) return this.#begin();
    const { top, bottom } = table.sheet.getViewport();
    const span = table.rows.span(top, bottom);
    this.live.forgetNews();
    table.gone.clear();
    this.#wait(1);
    try {
      table.cache.paused = false;
      await table.cache.refresh(span.from, Math.max(span.from, span.to));
      table.restructure(() => table.rows.dropSettled());
    } catch (error) {
      this.#readFailed(error);
      throw error;
    } finally {
      this.#wait(-1);
    }
  }

  /** Read schema and rows again, when the table itself has changed. */
  async reopen() {
    await this.#begin();
    this.announce(T.columnsChanged);
  }

  async countExactly() {
    this.#counting?.abort();
    this.#counting = new AbortController();
    this.#setStatus({ counting: true });
    try {
      await this.reading.count(this.#counting.signal);
    } catch (error) {
      if (!["ABORTED", "CANCELLED"].includes(error.code)) this.announce(error.message, "error");
    } finally {
      this.#setStatus({ counting: false });
    }
  }

  stopCounting() {
    this.#counting?.abort();
    this.#setStatus({ counting: false });
  }

  /* Editing */

  #mayEdit(item, column, row) {
    const bit = column.schema && kindOf(column.schema) === "bit";
    const why = this.edits.reason(item, column);
    if (why === T.wholeValueFirst) {
      this.panels.openValue(row, this.table.columns.indexOf(column));
      return false;
    }
    if (why) {
      this.announce(why, "error");
      return false;
    }
    if (bit) {
      this.edits.toggle(row, this.table.columns.indexOf(column));
      return false;
    }
    return true;
  }

  #commit() {
    if (!this.table.sheet || this.table.sheet.commit()) return true;
    this.announce(T.fixFirst, "error");
    return false;
  }

  #staged(ids) {
    const { table } = this;
    if (table.sheet) {
      if (table.rows.sync()) {
        table.sheet.drawnLength = table.rows.getLength();
        table.restructure(() => undefined);
      } else if (ids === null) table.sheet.repaint();
      else if (ids.length > 200) table.sheet.repaint();
      else for (const id of ids) table.repaintRow(id);
    }
    this.drafts.saveSoon();
    this.panels.stagedChanged();
    if (this.settings.autosave) this.saving.soon();
    this.#emptiness();
    this.#queueStatus();
  }

  async save() {
    if (!this.#commit()) return null;
    return this.saving.save();
  }

  /** Drop everything staged; the frame has asked already. */
  discard() {
    this.table.sheet?.cancelEditing();
    this.table.staged.clear();
    this.edits.history.clear();
    this.announce(T.discarded);
  }

  insertRow() {
    if (!this.#commit() || !this.#writable()) return;
    const active = this.table.sheet.getActiveCell();
    const [id] = this.edits.insertRows([{}], active ? active.row : -1);
    this.#goToRow(id);
  }

  async duplicateRows() {
    if (!this.#commit() || !this.#writable()) return;
    const [id] = await this.edits.duplicateRows();
    if (id) this.#goToRow(id);
  }

  async deleteRows() {
    if (!this.#commit() || !this.#writable()) return;
    const { selection, rows, staged } = this.table;
    const { range } = selection;
    if (!range || !(await this.edits.present(range))) return;
    const items = [];
    for (let row = range.fromRow; row <= range.toRow; row++) items.push(rows.getItem(row));
    const real = items.filter((item) => item && !item.isNew && staged.get(item.id)?.kind !== "delete");
    if (real.length && !(await this.ask({ title: T.deleteTitle(real.length), text: T.deleteText(real.length, this.tableName), go: T.deleteGo(real.length) }))) return;
    this.edits.deleteRows(items.filter(Boolean));
    this.table.sheet.setFocus();
  }

  #writable() {
    const { schema } = this.table;
    if (!schema) return false;
    if (schema.readOnly) this.announce(T.readOnlyTable(schema.readOnlyReason), "error");
    return !schema.readOnly;
  }

  #goToRow(id) {
    const { sheet, rows, selection, columns } = this.table;
    const row = rows.indexOf(id);
    if (row < 0) return;
    const first = columns.findIndex((column) => column.editable && !column.hidden);
    sheet.scrollRowIntoView(row);
    sheet.setActiveCell(row, first > 0 ? first : selection.firstCell, false, false, false);
    sheet.setFocus();
  }

  #settled(entry, values, result, sent) {
    const { table } = this;
    if (result.outcome === "gone") table.gone.add(entry.id);
    if (result.outcome !== "saved") return;
    const { history } = this.edits;
    if (entry.kind === "insert") {
      if (result.rowId === null || result.rowId === undefined) this.announce(T.ambiguous, "error");
      else {
        table.rows.settle(entry.id, result.rowId, values);
        history.rename(entry.id, result.rowId);
      }
      table.restructure(() => table.rows.sync());
      table.cache.setTotal(table.cache.length, table.cache.countState);
    } else if (entry.kind === "delete") {
      history.deleted(entry.id);
      table.restructure(() => table.rows.remove(entry.id));
    } else {
      const item = table.rows.find(entry.id);
      if (item) Object.assign(item.values, values);
      history.rebase(entry.id, values);
      for (const [name, value] of Object.entries(sent)) {
        if (!(name in values) || !result.values || !(name in result.values)) continue;
        this.live.tellStored(name, value, values[name]);
      }
    }
    table.repaintRow(result.rowId ?? entry.id);
    this.#queueStatus();
  }

  async #confirmKeys(entries) {
    const keys = new Set(this.table.schema.columns.filter((column) => column.isPrimaryKey || this.table.schema.identity?.columns?.includes(column.name)).map((column) => column.name));
    const changed = new Set(entries.filter((entry) => entry.kind === "update").flatMap((entry) => Object.keys(entry.values)).filter((name) => keys.has(name)));
    if (!changed.size) return true;
    return this.ask({ title: T.keyTitle, text: T.keyText([...changed].join(", ")), go: T.keyGo });
  }

  #progress(progress) {
    this.#setStatus({ saving: progress, ...(progress ? { message: T.savingProgress(progress.done, progress.all) } : {}) });
  }

  /* Filters, columns, places */

  #headerActions() {
    return {
      sort: (list) => this.sortBy(list),
      filter: (name, filter) => {
        if (this.table.filters.put(name, filter)) this.filtersChanged();
      },
      clearFilters: () => this.clearFilters(),
      showFilter: (name) => this.showFilters(true, name),
      hide: (name) => this.hideColumns([name]),
      move: (name, by) => this.moveColumn(name, by),
      place: (name, target, behind) => this.#placeColumn(name, target, behind),
      freeze: (name) => this.#freeze(name),
      fit: (name) => this.#fitColumn(name),
      focusGrid: () => this.focus(),
    };
  }

  #keyActions() {
    return {
      save: () => this.dispatchSave(), refresh: () => this.refresh().catch(() => undefined), undo: () => this.edits.undo(), redo: () => this.edits.redo(),
      setNull: () => this.edits.setNull(), setEmpty: (loosely) => this.edits.setEmpty(loosely), setDefault: () => this.edits.setDefault(), clear: () => this.edits.clear(),
      fillDown: () => this.edits.fillDown(), duplicateRows: () => this.duplicateRows(), insertRow: () => this.insertRow(), deleteRows: () => this.deleteRows(),
      revert: () => this.revertSelection(), filters: () => this.showFilters(true), goto: () => this.panels.askRow(), detail: () => this.showDetail(), toggle: () => this.#toggle(),
      openValue: () => this.openValue(), cellMenu: () => cellMenu(this), columnMenu: () => this.#columnMenu(), follow: () => this.follow(),
      closePanel: () => this.panels.escape(), explain: () => this.#explain(),
    };
  }

  /** Save as the person chose: at once, or after a look at the changes. */
  dispatchSave() {
    if (!this.#commit()) return;
    if (this.settings.reviewFirst && this.table.staged.entries.size && !this.panels.reviewShown) this.showReview();
    else this.save();
  }

  #toggle() {
    const active = this.table.sheet.getActiveCell();
    return this.edits.toggle(active.row, active.cell);
  }

  #explain() {
    const { row, cell } = this.table.sheet.getActiveCell();
    const why = this.edits.reason(this.table.rows.getItem(row), this.table.columns[cell]);
    if (why) this.announce(why, "error");
  }

  revertSelection() {
    const { range } = this.table.selection;
    if (range) this.table.batch(() => this.edits.revert(range));
  }

  #columnMenu() {
    const active = this.table.sheet.getActiveCell();
    const column = this.table.columns[active.cell];
    this.table.sheet.scrollCellIntoView(active.row, active.cell);
    this.header.menu(column);
  }

  #headerClicked(event, sortCols) {
    const native = event.getNativeEvent?.() ?? event;
    const node = native.target?.closest?.(".slick-header-column");
    const column = node && this.table.columnById(node.dataset.id);
    if (column) this.header.click(column, native.shiftKey || native.ctrlKey || native.metaKey);
    queueMicrotask(() => this.#showSort());
    return sortCols === null;
  }

  sortBy(list) {
    if (!this.#commit()) return;
    this.table.sort = list;
    this.#showSort();
    this.requery();
  }

  #showSort() {
    const { sheet, sort } = this.table;
    sheet.setSortColumns(sort.map(({ column, direction }) => ({ columnId: this.table.columnOf(column)?.id, sortAsc: direction === "asc" })).filter(({ columnId }) => columnId !== undefined));
  }

  filtersChanged() {
    if (!this.#commit()) return;
    this.header.refresh();
    this.filterBar.draw();
    this.requery();
  }

  clearFilters() {
    this.table.filters.clear();
    this.table.search = "";
    this.filtersChanged();
  }

  /** Show the filter row and its bar, or hide them when they are shown. */
  showFilters(on = !this.filterBar.shown, name = null) {
    this.filterBar.shown = on;
    const { sheet } = this.table;
    if (!sheet) return;
    sheet.setHeaderRowVisibility(on, false);
    const active = sheet.getActiveCell();
    if (on) this.header.focusFilter(name ?? (active ? this.table.columns[active.cell].field : null));
    else this.focus();
    this.#queueStatus();
  }

  showColumns() {
    this.panels.openColumns();
  }

  showReview() {
    if (this.#commit()) this.panels.toggleReview();
  }

  showDetail() {
    if (this.#commit()) this.panels.toggleDetail();
  }

  openValue() {
    const active = this.table.sheet?.getActiveCell();
    if (active) this.panels.openValue(active.row, active.cell);
  }

  /** Open the row that a foreign key of the active cell refers to. */
  follow(row = null, cell = null) {
    const active = row === null ? this.table.sheet.getActiveCell() : { row, cell };
    const column = this.table.columns[active?.cell];
    const target = column?.schema?.references;
    const value = this.table.rows.valueOf(this.table.rows.getItem(active.row), column?.field);
    if (!target || value === null || value === undefined || value === "") return false;
    const view = { filters: [{ column: target.column, operator: "equals", value }], sort: [] };
    this.dispatchEvent(new CustomEvent("openTable", { detail: { namespace: this.namespace, tableName: target.table, view } }));
    return true;
  }

  /** Go to a row by its number, counted from one; past the end is the last row. */
  goto(number) {
    const { sheet, selection, rows } = this.table;
    const position = Math.max(0, Math.min(Number(number) - 1, this.table.cache.length - 1));
    const row = rows.rowOf(position);
    if (!this.#commit() || !rows.getLength()) return;
    sheet.scrollRowIntoView(row);
    sheet.setActiveCell(row, sheet.getActiveCell()?.cell ?? selection.firstCell, false, false, false);
    sheet.setFocus();
    this.need();
  }

  /** Go to the row whose key has a value. */
  async gotoKey(text) {
    const { schema, filters } = this.table;
    const name = schema.identity?.columns?.[0] ?? schema.columns.find((column) => column.isPrimaryKey)?.name ?? schema.columns[0].name;
    const column = this.table.columnOf(name);
    try {
      filters.put(name, parseFilter(`=${text}`, column.schema));
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      return this.announce(reasonText(error), "error");
    }
    this.filtersChanged();
    this.focus();
  }

  /** Decide the conflict of a row: {column: "mine" | "theirs"}. */
  resolve(id, choices) {
    const { staged, rows } = this.table;
    const taken = staged.resolve(id, choices);
    const item = rows.find(id);
    if (item) Object.assign(item.values, taken);
    this.edits.history.rebase(id, taken);
    this.table.repaintRow(id);
  }

  /** Drop the edits of a row, or of one column of it. */
  revert(entry, name = null) {
    const { staged } = this.table;
    if (entry.kind === "delete") staged.restore(entry.id);
    else if (entry.kind === "insert" && name !== null) staged.set(entry.id, name, undefined);
    else staged.revert(entry.id, name);
    if (!staged.get(entry.id) && this.table.gone.has(entry.id)) this.table.restructure(() => this.table.rows.remove(entry.id));
  }

  /** Stage a row that someone deleted as a new one. */
  insertAgain(id) {
    const { table } = this;
    const row = table.rows.indexOf(id);
    const at = row < 0 ? 0 : Math.max(0, (table.rows.numberOf(row) ?? 1) - 1);
    const fresh = table.staged.insertAgain(id, table.writable, at);
    if (table.gone.delete(id)) table.restructure(() => table.rows.remove(id));
    this.#goToRow(fresh);
  }

  /** Show the row of an ID, where it is on hand; false where it is not. */
  showCell(id, name = null) {
    const { sheet, rows, selection, columns } = this.table;
    const row = rows.indexOf(id);
    if (row < 0) return false;
    const cell = name === null ? -1 : columns.findIndex((column) => column.field === name && !column.hidden);
    sheet.scrollRowIntoView(row);
    sheet.setActiveCell(row, cell > 0 ? cell : selection.firstCell, false, false, false);
    sheet.scrollCellIntoView(row, cell > 0 ? cell : selection.firstCell);
    sheet.setFocus();
    return true;
  }

  /** What an export of the "selection" or of the "page" on screen takes: {rowIds, columns}, or null. */
  exportRange(what) {
    const { sheet, selection, rows, columns } = this.table;
    if (!sheet) return null;
    const range = what === "selection" ? selection.range : new SlickRange(sheet.getViewport().top, selection.firstCell, sheet.getViewport().bottom, selection.lastCell);
    if (!range) return null;
    const rowIds = [];
    for (let row = range.fromRow; row <= Math.min(range.toRow, range.fromRow + MAX_PAGE - 1); row++) {
      const item = rows.getItem(row);
      if (item && !item.isNew && !item.id.startsWith("#")) rowIds.push(item.id);
    }
    const names = columns.slice(range.fromCell, range.toCell + 1).filter((column) => !column.hidden && !column.gutter).map((column) => column.field);
    return rowIds.length && names.length ? { rowIds, columns: names } : null;
  }

  #setColumns() {
    const { sheet, columns } = this.table;
    const active = sheet.getActiveCell();
    const name = active ? sheet.getColumns()[active.cell]?.field : null;
    sheet.setColumns(columns);
    sheet.setOptions({ frozenColumn: frozenColumn(columns, this.table.schema, this.table.layout) });
    this.#showSort();
    const cell = columns.findIndex((column) => column.field === name && !column.hidden);
    if (active && cell > 0) sheet.setActiveCell(active.row, cell, false, false, true);
    sheet.syncCounts();
  }

  /** Bring the grid in step with the layout, and keep it. */
  layoutChanged() {
    if (!this.#commit()) return;
    this.table.columns = buildColumns(this.table.schema, this.table.layout);
    this.#setColumns();
    this.drafts.saveLayout();
    this.header.refresh();
  }

  hideColumns(names, hidden = true) {
    for (const name of names) this.table.layout.hidden[hidden ? "add" : "delete"](name);
    this.layoutChanged();
  }

  resetLayout() {
    this.table.layout = new Layout();
    this.layoutChanged();
  }

  #order() {
    return this.table.columns.filter((column) => !column.gutter).map((column) => column.field);
  }

  moveColumn(name, by) {
    const order = this.#order();
    const from = order.indexOf(name);
    order.splice(Math.max(0, Math.min(order.length - 1, from + by)), 0, ...order.splice(from, 1));
    this.table.layout.order = order;
    this.layoutChanged();
  }

  #placeColumn(name, target, behind) {
    const order = this.#order().filter((other) => other !== name);
    order.splice(order.indexOf(target) + (behind ? 1 : 0), 0, name);
    this.table.layout.order = order;
    this.layoutChanged();
  }

  #freeze(name) {
    const shown = this.table.columns.filter((column) => !column.gutter && !column.hidden);
    this.table.layout.frozen = name === null ? 0 : shown.findIndex((column) => column.field === name) + 1;
    this.layoutChanged();
  }

  #fitColumn(name) {
    const cell = this.table.columns.findIndex((column) => column.field === name);
    const nodes = [...this.table.sheet.getContainerNode().querySelectorAll(`.slick-cell.l${cell}`)];
    const widest = nodes.reduce((most, node) => Math.max(most, node.textContent.length), name.length + 4);
    this.table.layout.widths.set(name, Math.max(56, Math.min(800, Math.round(widest * 7.2 + 24))));
    this.layoutChanged();
  }

  #resizedColumns() {
    for (const column of this.table.sheet.getColumns()) {
      const known = this.table.columns.find((other) => other.id === column.id);
      if (!column.gutter && known) this.table.layout.widths.set(column.field, column.width);
    }
    this.drafts.saveLayout();
  }

  /* Telling */

  announce(text, kind) {
    if (!text) return;
    this.say(text, kind);
    this.#setStatus({ message: text, messageKind: kind ?? "info" });
  }

  async ask(question) {
    this.#dialogOpen = true;
    try {
      return await confirm(question);
    } finally {
      this.#dialogOpen = false;
      if (!this.#closed) this.table.sheet?.setFocus();
    }
  }

  #setStatus(patch) {
    Object.assign(this.#status, patch);
    this.#queueStatus();
  }

  #queueStatus() {
    if (this.#statusQueued || this.#closed) return;
    this.#statusQueued = true;
    queueMicrotask(() => requestAnimationFrame(() => {
      this.#statusQueued = false;
      if (!this.#closed) this.dispatchEvent(new CustomEvent("status", { detail: this.status }));
    }));
  }

  /** What the status bar shows. */
  get status() {
    const { table } = this;
    const { sheet, rows, cache, schema } = table;
    let range = null;
    if (sheet && cache.length && cache.size) {
      const { top, bottom } = sheet.getViewport();
      const span = rows.span(Math.max(0, top), Math.max(0, Math.min(bottom, rows.getLength() - 1)));
      range = [Math.min(span.from + 1, cache.length), Math.min(span.to + 1, cache.length)];
    } else if (sheet && cache.countState === "exact") range = [0, 0];
    return {
      range,
      total: cache.length,
      countState: cache.countState,
      counting: this.#status.counting,
      selection: table.selection ? table.selection.summary((row, column) => rows.valueOf(rows.getItem(row), column.field)) : null,
      pending: this.pending,
      undecided: table.staged.undecided.length,
      lastQuery: this.#status.lastQuery,
      readOnly: schema?.readOnly ? { reason: schema.readOnlyReason ?? "" } : null,
      filters: table.filters.active.length + (table.search ? 1 : 0),
      filterRow: this.filterBar.shown,
      saving: this.saving.busy ? (this.#status.saving ?? true) : null,
      newRows: this.live.newRows,
      message: this.#status.message,
    };
  }
}
