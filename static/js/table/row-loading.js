// How a view's rows come: opening, pages for what is on screen, refreshing, counting, and what stands there when none
// come.

import { own, recordOf } from "../data/json.js";
import { writeText } from "../ui/clipboard.js";
import { Reading } from "./row-requests.js";
import { T, sentences } from "../grid/texts.js";

const FIRST_PAGE = 100;
const SCROLL_PAUSE = 30;
const SCROLL_ASK = 100;
const REOPEN_PAUSE = 5_000;
const QUIET = new Set(["ABORTED", "CANCELLED"]);

/** The reading of one view. */
export class Loading {
  #waiting = 0;
  #held = 0; // ranges that are being read
  #counting = null;
  #opening = null;
  #timer = null;
  #askedAt = 0;
  #reopened = 0;

  constructor(view, client, { namespace, tableName, firstRows = null }) {
    this.view = view;
    this.reading = new Reading(client, {
      namespace,
      tableName,
      firstRows,
      onCount: (total, countState) => this.table.cache.setTotal(total, countState),
      onRead: ({ ms, roundTrips }) => view.setStatus({ lastQuery: { ms: Math.round(ms), roundTrips, at: Date.now() } }),
    });
  }

  get table() {
    return this.view.table;
  }

  close() {
    clearTimeout(this.#timer);
    this.#counting?.abort();
  }

  /** Read schema and first rows. */
  async open() {
    const { view, table } = this;
    this.#wait(1);
    view.states.clear();
    this.#opening = new AbortController();
    try {
      const page = await this.reading.open(FIRST_PAGE, (...came) => view.schemaCame(...came), this.#opening.signal);
      if (view.closed) return;
      if (page) {
        if (!page.shown) table.cache.reset(page);
        else if (page.rows.length) this.rowsCame(0, page.rows.length - 1); // they were there before the sheet
        if ((table.sheet?.shown.bottom ?? 0) >= FIRST_PAGE) this.need(); // opened again, far from the first row
      } else {
        table.cache.reset(null, table.cache.pageSize);
        this.need();
      }
      view.saving.askAgain();
      this.#follow();
    } catch (error) {
      this.failed(error);
      throw error;
    } finally {
      this.#wait(-1);
    }
  }

  /** The rows came with the page: learn what others changed since, or read them when the server cannot say. */
  async #follow() {
    try {
      if (await this.reading.follow()) return;
      if (!this.view.closed) await this.refresh();
    } catch (error) {
      if (error.code === "AWAY") this.view.dispatchEvent(new CustomEvent("unfollowed"));
      else this.failed(error);
    }
  }

  /** One page, for the cache. */
  async page(request, signal) {
    this.#wait(1);
    try {
      const page = await this.reading.page(request, signal);
      this.#checkColumns(page);
      return page;
    } finally {
      this.#wait(-1);
    }
  }

  /** The person does not want to wait any longer. */
  stop() {
    const { cache } = this.table;
    cache.pause();
    if (this.#held) return cache.resume(); // only what was chosen is read no further
    this.#opening?.abort();
    this.view.states.show("stopped", T.readingStopped, [], [[T.tryAgain, () => this.#again(), true]], { alert: true });
  }

  #again() {
    this.view.states.clear();
    if (!this.table.schema) return this.open().catch(() => undefined);
    this.table.cache.resume();
    this.need();
  }

  /** Rows of a range that someone chose are being read (1), or no longer (-1). */
  hold(step) {
    this.#held += step;
    this.#wait(step);
  }

  #wait(step) {
    this.#waiting += step;
    this.view.states.waiting(this.#waiting > 0);
  }

  /** Columns that came or went while the table was open: read the schema again. */
  #checkColumns({ rows }) {
    const { schema } = this.table;
    if (!rows.length || !schema) return;
    const names = Object.keys(rows[0].values);
    if (
      names.length !== schema.columns.length ||
      schema.columns.some(({ name }) => !Object.hasOwn(rows[0].values, name))
    )
      this.#reopen();
  }

  async #reopen() {
    if (Date.now() - this.#reopened < REOPEN_PAUSE || this.view.closed) return false;
    this.#reopened = Date.now();
    await null;
    await this.open().then(
      () => this.#tellColumns(),
      () => undefined,
    ); // a failure is shown in place of the rows
    return true;
  }

  #tellColumns() {
    const { schema, staged } = this.table;
    const known = new Set(schema.columns.map(({ name }) => name));
    const lost = [...staged.entries.values()].flatMap(({ values }) =>
      Object.keys(values).filter((name) => !known.has(name)),
    );
    this.view.announce(
      lost.length ? sentences([T.columnsChanged, T.lostEdits([...new Set(lost)], lost.length)]) : T.columnsChanged,
      lost.length ? "error" : undefined,
    );
  }

  /** Ask for the rows on screen, and some around them. */
  need() {
    const { sheet, rows, cache } = this.table;
    if (!sheet) return;
    const { top, bottom } = sheet.getRenderedRange();
    const span = rows.span(Math.max(0, top), bottom);
    cache.show(span.from, Math.max(span.to, span.from));
  }

  /** Ask where the scrolling rests; in a long one also on the way, whenever nothing else is being read. */
  scrolled() {
    clearTimeout(this.#timer);
    const now = performance.now();
    const due = this.table.cache.idle && now - this.#askedAt > SCROLL_ASK;
    this.#timer = setTimeout(
      () => {
        this.#askedAt = performance.now();
        this.need();
        this.view.queueStatus();
      },
      due ? 0 : SCROLL_PAUSE,
    );
    if (due) this.#askedAt = now;
  }

  /** Rows came: paint them where they stand. */
  rowsCame(from, to) {
    const { table, view } = this;
    if (!table.sheet) return;
    if (table.rows.settled) {
      const ids = new Set();
      for (let i = from; i <= to; i++) ids.add(table.cache.at(i)?.id);
      table.restructure(() => table.rows.dropSettled(ids));
    }
    view.states.clear();
    view.arranging.measure(from, to);
    this.#compareStaged(from, to);
    table.sheet.repaint(table.rows.rowOf(from), table.rows.rowOf(to));
    this.emptiness();
    view.queueStatus();
  }

  /**
   * Rows with staged edits were read again: what others changed meanwhile is a conflict now, not only when it is saved.
   */
  #compareStaged(from, to) {
    const { cache, staged } = this.table;
    if (!staged.entries.size) return;
    this.table.batch(() => {
      for (let position = from; position <= to; position++) {
        const row = cache.at(position);
        if (!row || !staged.get(row.id)) continue;
        staged.rebase(
          row.id,
          recordOf(Object.entries(row.values).filter(([name]) => !own(row.previews, name))),
          null,
          false,
        );
      }
    });
  }

  /** The number of rows changed. */
  resized() {
    const { sheet, rows, cache } = this.table;
    rows.resized();
    if (sheet && sheet.drawnLength !== rows.getLength()) this.table.restructure();
    sheet?.syncCounts(cache.countState === "exact" || cache.countState === "estimate");
    this.emptiness();
    this.view.queueStatus();
  }

  /** Say so when there is no row to show. */
  emptiness() {
    const { table, view } = this;
    if (table.rows.getLength() > 0 || table.cache.countState !== "exact" || !table.schema) {
      if (table.rows.getLength() > 0 && view.states.kind === "empty") view.states.clear();
      return;
    }
    const filters = table.filters.active.length;
    if (filters || table.search) {
      view.states.show(
        "empty",
        filters ? T.noMatch(filters) : T.noMatchSearch,
        [],
        [[T.clearFilters, () => view.clearFilters()]],
      );
    } else {
      view.states.show(
        "empty",
        T.noRows,
        [],
        table.schema.readOnly ? [] : [[T.insertFirst, () => view.insertRow(), true]],
      );
    }
  }

  /**
   * Reading failed: show why in place of the rows, with another try. While the connection is away the frame tries
   * again.
   */
  async failed(error) {
    const { view } = this;
    if (view.closed || QUIET.has(error.code)) return;
    if (error.code === "AWAY") {
      if (!this.table.schema) view.states.show("away", T.away, [T.awayText]);
      return;
    }
    if (error.code === "INVALID_INPUT" && this.table.schema && (await this.#reopen())) return;
    const title = { NOT_ALLOWED: T.noPrivilege, TABLE_NOT_FOUND: T.tableGone }[error.code] ?? T.cannotRead;
    const again = () => (error.code === "TABLE_NOT_FOUND" ? this.open().catch(() => undefined) : this.#again());
    const text = [error.message, error.serverText].filter(Boolean).join("\n");
    const kept = this.table.staged.counts.rows;
    view.states.show(
      "error",
      title,
      [error.message, error.serverText, kept ? T.stillStaged(kept) : null],
      [
        [T.tryAgain, again, true],
        [T.copyError, () => this.#copy(text)],
      ],
      { alert: true },
    );
    view.announce(error.message, "spoken"); // it stands in place of the rows
  }

  async #copy(text) {
    const copied = await writeText(text);
    this.view.announce(copied ? T.errorCopied : T.copyRefused, copied ? undefined : "error");
  }

  /** Take filters, sort and search to the next read. */
  pushQuery() {
    const { filters, sort, search } = this.table;
    this.reading.query = { filters: filters.toWire(), sort, search };
  }

  /** Read from the start, as filters, sort and search now are. */
  requery() {
    const { table, view } = this;
    if (!table.sheet) return;
    this.pushQuery();
    view.live.forgetNews();
    table.gone.clear();
    table.outside.clear();
    view.states.clear();
    const active = table.sheet.getActiveCell();
    table.restructure(() => {
      table.rows.dropSettled();
      table.rows.moveToTop();
      table.cache.reset(null, table.cache.pageSize);
    });
    table.sheet.scrollRowToTop(0);
    if (active) table.sheet.setActiveCell(0, active.cell, false, false, false);
    this.need();
    view.queueStatus();
  }

  /** Read again what is on screen; rows stay where they are. Rejects when it cannot be read. */
  async refresh() {
    const { table, view } = this;
    if (!table.schema) return this.open();
    const { top, bottom } = table.sheet.getViewport();
    const span = table.rows.span(Math.max(0, top), bottom);
    view.live.forgetNews();
    this.#wait(1);
    try {
      table.cache.paused = false;
      await table.cache.refresh(span.from, Math.max(span.from, span.to));
      table.gone.clear();
      table.outside.clear();
      table.restructure(() => table.rows.dropSettled());
      table.sheet.repaint();
    } catch (error) {
      this.failed(error);
      throw error;
    } finally {
      this.#wait(-1);
    }
  }

  /** Count all matching rows exactly; stopCounting ends it. */
  async count() {
    this.#counting?.abort();
    this.#counting = new AbortController();
    this.view.setStatus({ counting: true });
    try {
      await this.reading.count(this.#counting.signal);
    } catch (error) {
      if (!QUIET.has(error.code)) this.view.announce(error.message, "error");
    } finally {
      this.view.setStatus({ counting: false });
    }
  }

  /** How many rows have a key, and how many stand before it in the table's own order. */
  async placeOf(name, value) {
    const [found, before] = await Promise.all(
      ["equals", "less"].map((operator) => this.reading.countWith([{ column: name, operator, value }])),
    );
    return { found, before };
  }

  stopCounting() {
    this.#counting?.abort();
  }
}
