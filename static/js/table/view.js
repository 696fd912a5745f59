// One open table: the grid with its rows, edits, filters and panels. What the frame talks to.

import { confirm } from "../ui/dialog.js";
import { el } from "../ui/dom.js";
import { Filters } from "../data/filters.js";
import { FilterBar } from "../panel/filter-bar.js";
import { Panels } from "../panel/panels.js";
import { headerActions, keyActions } from "./actions.js";
import { Arranging, rowHeight } from "./column-layout.js";
import { Clipboard } from "./clipboard.js";
import { buildColumns, frozenColumn } from "../grid/columns.js";
import { Drafts } from "./drafts.js";
import { Edits } from "./edits.js";
import { Header } from "../grid/header.js";
import { Keys } from "../grid/keys.js";
import { Live } from "./live.js";
import { Loading } from "./row-loading.js";
import { Look } from "../grid/cell-painter.js";
import { Places } from "./navigation.js";
import { Pointer } from "../grid/pointer.js";
import { RowWork } from "./row-actions.js";
import { Saving } from "./saving.js";
import { Selection } from "../grid/selection.js";
import { Sheet, SlickRange } from "../grid/sheet.js";
import { States } from "../grid/overlay.js";
import { statusOf } from "./status.js";
import { Table } from "./table.js";
import { T } from "../grid/texts.js";

const PAGE_SIZES = [50, 1000];

/**
 * Emits "status" (for status bar, toolbar and tabs), "openTable" ({namespace, tableName, view}) and "named" when its
 * names turn out to be written otherwise in IRIS.
 */
export class TableView extends EventTarget {
  // Given to the constructor.
  settings;
  tableName;
  namespace;
  nonce;
  say;
  acted;

  #status = { lastQuery: null, counting: false, saving: null };
  #statusQueued = false;
  #hidden = false;
  #scrolled = null;
  #problem = null; // of the active cell, told already
  #isTold = false; // what is wrong with the cell that is gone to has been told

  /**
   * @param {object} options
   * @param {Element} options.host the element to fill
   * @param {object} options.client
   * @param {string} options.namespace
   * @param {string} options.tableName
   * @param {object} [options.settings] {pageSize, autosave, reviewFirst, readOnly, server: its label}, read when needed
   * @param {string} options.nonce of the page's style policy
   * @param {object | null} [options.firstRows] the rows that came with the page
   * @param {Storage | null} [options.store] for drafts
   * @param {(text: string, kind?: string, more?: object) => void} [options.announce] what is told; see Workspace
   * @param {(what: "act" | "move") => void} [options.acted] the person changed a cell, or went to another one
   */
  constructor({
    host,
    client,
    namespace,
    tableName,
    settings = {},
    nonce,
    firstRows = null,
    store = null,
    announce = () => {},
    acted = () => {},
  }) {
    super();
    Object.assign(this, { client, namespace, tableName, settings, nonce, say: announce, acted, closed: false });
    this.box = el("div", { class: "grid-box" });
    this.bar = el("div", { class: "filter-bar", hidden: true });
    this.root = el("div", { class: "table-view" }, this.bar, this.box);
    host.append(this.root);
    this.states = new States(this.box, { refocus: () => this.focus(), stop: () => this.loading.stop() });
    this.loading = new Loading(this, client, { namespace, tableName, firstRows });
    this.table = new Table({
      times: client.times,
      namespace,
      tableName,
      pageSize: Math.max(PAGE_SIZES[0], Math.min(PAGE_SIZES[1], settings.pageSize ?? 100)),
      load: (request, signal) => this.loading.page(request, signal),
      onRows: (from, to) => this.loading.rowsCame(from, to),
      onLength: () => this.loading.resized(),
      onError: (error) => this.loading.failed(error),
      onStaged: (ids) => this.#staged(ids),
    });
    this.table.box = this.box;
    this.edits = this.table.edits = new Edits(this.table, this.announce);
    this.edits.acted = () => this.acted("act");
    this.edits.hold = (step) => this.loading.hold(step);
    this.arranging = new Arranging(this);
    this.places = new Places(this);
    this.rowWork = new RowWork(this);
    this.header = new Header(this.table, headerActions(this));
    this.look = new Look(this.table, this.header);
    this.drafts = new Drafts(this.table, store);
    this.drafts.failed = (text) =>
      this.announce(text, "error", { topic: "drafts", ...(this.drafts.full && { holds: () => this.drafts.full }) });
    this.saving = new Saving(
      this.table,
      client,
      {
        announce: (text, kind, more) => this.announce(text, kind, { topic: "save", ...more }),
        progress: (progress) => this.setStatus({ saving: progress }),
        settled: (...outcome) => this.rowWork.settled(...outcome),
        goTo: (id, name) => this.places.showCell(id, name),
        attend: (trouble) => this.rowWork.attend(trouble),
        decide: (id) => this.panels.decide(id),
        review: () => this.panels.reviewShown || this.showReview(),
        confirmSave: (entries) => this.rowWork.confirmSave(entries),
      },
      settings,
    );
    this.live = new Live(this);
    this.panels = new Panels(this);
    this.filterBar = new FilterBar(this, this.bar);
  }

  /** Open the table, as `state` says: {filters, sort, search, scroll}. Rejects when it cannot be read. */
  async open(state = null) {
    this.table.layout = this.drafts.loadLayout();
    if (state) this.#takeState(state);
    await this.drafts.load();
    if (this.closed) return;
    this.live.listen();
    this.filterBar.draw();
    await this.loading.open();
    if (state?.scroll) this.places.restore(state.scroll);
  }

  /** Take the view away; staged edits stay in the store. */
  close() {
    this.closed = true;
    this.drafts.close();
    this.live.close();
    this.loading.close();
    this.saving.close();
    this.table.cache.close();
    this.panels.close();
    this.pointer?.close();
    this.resizer?.disconnect();
    this.arranging.close();
    this.table.sheet?.destroy();
    this.root.remove();
  }

  /** A key that nothing on the page took. `lost`: nothing has the focus, so the rows take it, and the key. */
  key(event, { typing, lost }) {
    const { sheet } = this.table;
    if (!sheet || !this.box.isConnected) return;
    if (!lost) return sheet.keys.elsewhere(event, { typing });
    this.focus();
    sheet.keys.handle(event);
  }

  focus() {
    const { sheet, selection } = this.table;
    if (!sheet) return;
    if (!sheet.getActiveCell() && sheet.getDataLength())
      sheet.setActiveCell(Math.max(0, sheet.getViewport().top), selection.firstCell);
    sheet.setFocus();
  }

  /** What is looked at: goes into the address and into remembered tabs. */
  get state() {
    return { ...this.table.view, scroll: this.places.scroll };
  }

  /** Look at the table as `state` says. */
  apply(state) {
    if (!this.commit()) return;
    this.#takeState(state);
    if (this.table.sheet) this.header.showSort();
    this.filtersChanged();
  }

  #takeState({ filters, sort, search }) {
    if (filters) this.table.filters = new Filters(filters);
    if (sort)
      this.table.sort = sort.filter(({ column, direction }) => column && (direction === "asc" || direction === "desc"));
    if (search !== undefined) this.table.search = search ?? "";
  }

  get pending() {
    const { changed, inserted, deleted } = this.table.staged.counts;
    return { changed, inserted, deleted };
  }

  /* What the toolbar and the keys do */

  refresh() {
    return this.loading.refresh();
  }

  countExactly() {
    return this.loading.count();
  }

  stopCounting() {
    this.loading.stopCounting();
  }

  need() {
    this.loading.need();
  }

  insertRow() {
    this.rowWork.insert();
  }

  duplicateRows() {
    return this.rowWork.duplicate();
  }

  deleteRows() {
    return this.rowWork.remove();
  }

  async save() {
    if (!this.commit()) return null;
    const counts = await this.saving.save();
    if (counts && !this.table.staged.entries.size) this.panels.closeReview();
    return counts;
  }

  /** Save as the person chose: at once, or after a look at the changes. */
  dispatchSave() {
    if (!this.commit()) return;
    if (this.settings.reviewFirst && this.table.staged.entries.size && !this.panels.reviewShown) this.showReview();
    else this.save();
  }

  stopSaving() {
    this.saving.stop();
  }

  /** Drop everything staged; who calls this has asked. */
  discard() {
    const { sheet, staged, gone, rows } = this.table;
    sheet?.cancelEditing();
    staged.clear();
    this.edits.history.clear();
    this.table.restructure(() => {
      for (const id of gone) rows.remove(id);
    });
    gone.clear();
    this.announce(T.discarded);
  }

  /** Show the filter row and its bar, or hide them when they are shown. */
  showFilters(on = !this.filterBar.shown, name = null) {
    const { sheet, columns, filters } = this.table;
    this.filterBar.shown = on;
    if (!sheet) return;
    sheet.setHeaderRowVisibility(on, false);
    const active = sheet.getActiveCell();
    if (on) this.header.focusFilter(name ?? (active ? columns[active.cell].field : filters.active[0]?.column));
    else this.focus();
    this.queueStatus();
  }

  showColumns() {
    if (this.table.schema) this.panels.openColumns();
  }

  showReview() {
    return this.commit() ? this.panels.toggleReview() : null;
  }

  showDetail() {
    return this.commit() ? this.panels.toggleDetail() : null;
  }

  openValue() {
    const active = this.table.sheet?.getActiveCell();
    if (active) this.panels.openValue(active.row, active.cell);
  }

  /** Go to a row by its number, counted from one. */
  goto(number) {
    this.places.goto(number);
  }

  exportRange(what) {
    return this.places.exportRange(what);
  }

  exportRows(range) {
    return this.places.exportRows(range);
  }

  sortBy(list) {
    if (!this.commit()) return;
    this.table.sort = list;
    this.header.showSort();
    this.loading.requery();
  }

  filtersChanged() {
    if (this.table.sheet) {
      if (!this.commit()) return;
      this.header.refresh();
    }
    this.filterBar.draw();
    this.loading.requery();
  }

  clearFilters() {
    const { filters, search } = this.table;
    this.header.forget();
    this.settled("filter");
    if (!filters.list.length && !search) {
      this.header.refresh();
      return this.announce(T.noFilters, "info", { topic: "filter" });
    }
    this.table.filters.clear();
    this.table.search = "";
    this.filtersChanged();
  }

  /** Close the editor in a cell; false, and told, when its text is not valid. */
  commit() {
    this.panels.finish();
    if (!this.table.sheet || this.table.sheet.commit()) return true;
    this.announce(T.fixFirst, "error", { until: "move" });
    return false;
  }

  /* What happens */

  /**
   * The schema came: for the first time, or because columns changed; `firstPage` gives the rows that came with it,
   * if any.
   */
  schemaCame(schema, firstPage = () => null) {
    const { table } = this;
    this.#takeNames(schema);
    const names = new Set(schema.columns.map((column) => column.name));
    for (const column of schema.columns) column.manner = this.#mannerOf(column);
    table.schema = this.settings.readOnly ? { ...schema, readOnly: true } : schema;
    const lost = table.filters.keepOnly(names).map(({ column }) => column);
    table.sort = table.sort.filter(({ column }) => names.has(column));
    table.columns = buildColumns(table.schema, table.layout, table.measured);
    this.loading.pushQuery();
    if (table.sheet) this.arranging.setColumns();
    else this.#makeSheet(firstPage());
    this.filterBar.draw();
    if (lost.length) this.announce(T.lostColumns(lost.join(", ")), "error");
    this.queueStatus();
  }

  /** Letter case is not part of a name: the table goes by the one that IRIS knows, as the changes of others do. */
  #takeNames({ namespace, tableName }) {
    const { table, loading } = this;
    const fold = (text) => text?.toLowerCase();
    if (fold(tableName) !== fold(this.tableName) || fold(namespace) !== fold(this.namespace)) return;
    if (tableName === this.tableName && namespace === this.namespace) return;
    for (const owner of [this, table, loading.reading]) Object.assign(owner, { namespace, tableName });
    this.dispatchEvent(new CustomEvent("named"));
  }

  /** How a column's numbers and dates are read and shown; what the person said about it stays. */
  #mannerOf({ name }) {
    const { settings } = this;
    const order = this.table.columnOf(name)?.schema.manner.order ?? null;
    return {
      get decimal() {
        return settings.decimal ?? ".";
      },
      order,
      proven: false,
    };
  }

  #makeSheet(page) {
    const { table } = this;
    const element = el("div", { class: "sheet" });
    this.box.prepend(element);
    const keys = new Keys(null, keyActions(this));
    table.cache.reset(page, 40);
    const sheet = Sheet.create(
      element,
      table.rows,
      table.columns,
      {
        nonce: this.nonce,
        rowHeight: rowHeight(),
        frozenColumn: frozenColumn(table.columns, table.schema, table.layout),
        editCommandHandler: (item, column, command) =>
          this.edits.setCell(item, column, command.serializedValue, command.editor.seen),
      },
      { label: T.rows(this.tableName), painter: this.look, keys },
    );
    table.sheet = sheet;
    table.selection = keys.selection = new Selection(sheet);
    sheet.Range = SlickRange;
    sheet.valueOf = (item, column) => table.rows.valueOf(item, column.field);
    sheet.seen = (item, column) => this.edits.seen(item, column);
    sheet.onRange = () => this.queueStatus();
    sheet.setHeaderRowVisibility(this.filterBar.shown, false);
    sheet.onBeforeEditCell.subscribe((_, { item, column, row }) => this.rowWork.mayEdit(item, column, row));
    sheet.onBeforeSort.subscribe((event) => this.header.clicked(event));
    sheet.onViewportChanged.subscribe(() => this.loading.scrolled());
    sheet.onColumnsResized.subscribe((_, { triggeredByColumn }) => this.arranging.resized(triggeredByColumn));
    sheet.onColumnsResizeDblClick.subscribe((_, { triggeredByColumn }) =>
      this.arranging.fit(this.table.columnById(triggeredByColumn).field),
    );
    sheet.onDragReplaceCells.subscribe((_, { prevSelectedRange, selectedRange }) =>
      this.edits.fill(prevSelectedRange, selectedRange),
    );
    sheet.onActiveCellChanged.subscribe(() => this.#moved());
    this.clipboard = new Clipboard(table, this.edits, {
      keys,
      announce: this.announce,
      confirm: (question) => this.ask(question),
      choose: async (question) => (await import("../panel/reading.js")).askReading(this, question),
    });
    this.pointer = new Pointer(this);
    // The grid has read the place already: to ask the browser here would make it lay out in the middle of a frame.
    sheet.onScroll.subscribe((_, { scrollTop: top, scrollLeft: left }) => {
      if (!this.#hidden) this.#scrolled = { top, left };
    });
    this.resizer = new ResizeObserver(() => this.#fit());
    this.resizer.observe(element); // the box may keep its size while a panel takes some of it
    this.header.showSort();
    table.rows.sync();
    this.loading.resized();
  }

  /** The box changed its size: also when its tab was hidden and is shown again. */
  #fit() {
    const { sheet } = this.table;
    if (this.closed || !sheet) return;
    const hidden = !this.box.clientHeight;
    if (!hidden) {
      if (this.#hidden && this.#scrolled) sheet.scrolled = this.#scrolled;
      sheet.resizeCanvas();
    }
    this.#hidden = hidden;
  }

  /** Another cell is active: what is wrong with it is told, as its tooltip says it to the mouse. */
  #moved() {
    this.panels.follow();
    const active = this.table.sheet.getActiveCell();
    const problem =
      active && this.look.problem(this.table.rows.getItem(active.row), this.table.columns[active.cell].field);
    this.acted("move");
    if (problem && problem !== this.#problem && !this.#isTold)
      this.announce(problem, "error", { topic: "cell", until: "move" });
    this.#problem = problem;
    this.#isTold = false;
  }

  #staged(ids) {
    const { table } = this;
    if (table.sheet) {
      if (table.rows.sync()) table.restructure();
      else if (ids === null || ids.length > 200) table.sheet.repaint();
      else for (const id of ids) table.repaintRow(id);
      this.loading.emptiness();
    }
    this.drafts.saveSoon();
    this.panels.stagedChanged();
    if (this.settings.autosave) this.saving.soon();
    this.queueStatus();
  }

  /* Telling */

  /** Go to a cell whose problem has been told. */
  showTold(id, name) {
    this.#isTold = true;
    return this.places.showCell(id, name);
  }

  announce = (text, kind, more) => {
    if (text) this.say(text, kind, more);
  };

  /** What was told of a topic is settled. */
  settled(topic) {
    this.say("", "info", { topic });
  }

  /** Ask {title, text, go}; the focus comes back to the grid. */
  async ask(question) {
    try {
      return await confirm(question);
    } finally {
      if (!this.closed) this.table.sheet?.setFocus();
    }
  }

  setStatus(patch) {
    Object.assign(this.#status, patch);
    this.queueStatus();
  }

  /** Tell the status, at most once a frame. */
  queueStatus() {
    if (this.#statusQueued || this.closed) return;
    this.#statusQueued = true;
    requestAnimationFrame(() => {
      this.#statusQueued = false;
      if (!this.closed) this.dispatchEvent(new CustomEvent("status", { detail: statusOf(this, this.#status) }));
    });
  }
}
