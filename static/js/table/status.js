// What the status bar, the toolbar and the tabs show of a table.

/** The status of a view; `said` holds what only the view knows: {lastQuery, counting, saving}. */
export function statusOf({ table, saving, live, filterBar }, said) {
  const { cache, rows, schema, selection, staged } = table;
  const { changed, inserted, deleted, rows: unsavedRows } = staged.counts;
  return {
    ready: schema !== null,
    range: range(table),
    total: cache.length + rows.settled,
    countState: cache.countState,
    counting: said.counting,
    selection: selection ? selection.summary((row, column) => rows.valueOf(rows.getItem(row), column.field)) : null,
    pending: { changed, inserted, deleted },
    unsavedRows,
    undecided: staged.undecided.length,
    lastQuery: said.lastQuery,
    readOnly: schema?.readOnly ? { reason: schema.readOnlyReason ?? "" } : null,
    filters: table.filters.active.length + (table.search ? 1 : 0),
    filterRow: filterBar.shown,
    saving: saving.busy ? (said.saving ?? true) : null,
    newRows: live.newRows,
  };
}

/** The numbers of the first and last row on screen; null while that is not known. */
function range({ sheet, rows, cache }) {
  if (!sheet) return null;
  if (!cache.size) return cache.countState === "exact" ? [0, 0] : null;
  const { top, bottom } = sheet.shown;
  const span = rows.span(Math.max(0, top), Math.max(0, Math.min(bottom, rows.getLength() - 1)));
  return [Math.min(span.from + 1, cache.length), Math.min(span.to + 1, cache.length)];
}
