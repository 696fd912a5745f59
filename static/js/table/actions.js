// What keys and headers do in a view.

import { cellMenu } from "../grid/menus.js";
import { T } from "../grid/texts.js";

const EXPLAIN_AGAIN = 3_000; // ms

/** The actions of the keyboard map. */
export function keyActions(view) {
  const explained = { why: null, at: -Infinity }; // said once, not once a key
  const active = () => view.table.sheet.getActiveCell();
  return {
    save: () => view.dispatchSave(),
    refresh: () => view.refresh().catch(() => undefined), // the view has told it
    undo: () => view.places.showSteps(view.edits.undo()),
    redo: () => view.places.showSteps(view.edits.redo()),
    setNull: () => view.edits.setNull(),
    setEmpty: (loosely) => view.edits.setEmpty(loosely),
    setDefault: () => view.edits.setDefault(),
    clear: () => view.edits.clear(),
    fillSelection: () => {
      const editor = view.table.sheet.getCellEditor();
      return editor.validate().valid && view.edits.fillSelection(editor);
    },
    copyWithHeaders: () => view.clipboard.copySelection({ headers: true }),
    fillDown: () => view.edits.fillDown(),
    duplicateRows: () => view.duplicateRows(),
    insertRow: () => view.insertRow(),
    deleteRows: () => view.deleteRows(),
    revert: () => view.rowWork.revertSelection(),
    filters: () => view.showFilters(true),
    clearFilters: () => view.clearFilters(),
    goto: () => view.panels.askRow(),
    detail: () => view.showDetail(),
    toEnd: (move) => {
      const { countState } = view.table.cache;
      if (countState === "exact" || countState === "estimate") move();
      else view.countExactly().then(move); // the end is not known before
    },
    today: async () => (await import("./today.js")).giveToday(view),
    toggle: () => view.edits.toggle(active().row, active().cell),
    openValue: () => view.openValue(),
    cellMenu: () => cellMenu(view),
    columnMenu: () => {
      const { row, cell } = active();
      view.table.sheet.scrollCellIntoView(row, cell);
      view.header.menu(view.table.columns[cell]);
    },
    follow: () => view.places.follow(active().row, active().cell),
    closePanel: () => view.panels.escape(),
    explain: () => {
      const { row, cell } = active();
      const why = view.edits.reason(view.table.rows.getItem(row), view.table.columns[cell]);
      if (!why || (why === explained.why && performance.now() - explained.at < EXPLAIN_AGAIN)) return;
      Object.assign(explained, { why, at: performance.now() });
      view.announce(why, "error", { until: "move" });
    },
  };
}

/** The actions of headers and the filter row. */
export function headerActions(view) {
  const { arranging } = view;
  return {
    sort: (list) => view.sortBy(list),
    filter: (name, filter) => {
      view.settled("filter");
      if (view.table.filters.put(name, filter)) view.filtersChanged();
    },
    clearFilters: () => view.clearFilters(),
    chooseValues: async (name) => (await import("../panel/filter-values.js")).chooseValues(view, name),
    showFilter: (name) => view.showFilters(true, name),
    hide: (name) => arranging.hide([name]),
    move: (name, by) => arranging.move(name, by, true),
    place: (name, target, behind) => arranging.place(name, target, behind),
    freeze: (name) => arranging.freeze(name),
    fit: (name = null) => arranging.fit(name),
    focusGrid: () => view.focus(),
    wrongFilter: (name, why) => view.announce(T.wrongFilter(name, why), "error", { topic: "filter" }),
  };
}
