// The grid's sentences, in one place. Shape of an error: what failed, where, why, what was kept, what to do.

import { number } from "../texts.js";

const count = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

const DATES = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
/** A date as it is read: 3 April 2024. */
export const longDate = (iso) => DATES.format(new Date(`${iso}T00:00:00Z`));

const LIST = new Intl.ListFormat("en");
const list = (names) => LIST.format(names);

/** What may be written in the filter row, by the kind of a column. */
const EXAMPLES = {
  text: [
    "smith: holds it, in any letter case",
    "^sm, $son: starts, ends with it",
    "=Smith, ≠ Smith: is it, is not",
    "in Boston, Rome: one of them",
    "NULL, not NULL, ''",
  ],
  number: ["40: is it", ">= 40, < 40, ≠ 40", "10..20: from, to", "in 1, 2, 3: one of them", "NULL, not NULL"],
  date: [
    "1985, 1985-03, 1985-03-31: in that year, month, day",
    "1985..1990: in these years",
    ">= 2020-01-01, < 2020",
    "NULL, not NULL",
  ],
  time: ["12:30: is it", ">= 08:00, < 12:00", "08:00..12:00: from, to", "NULL, not NULL"],
  bit: ["1, 0: true, false", "NULL, not NULL"],
  other: ["NULL, not NULL"],
};
EXAMPLES.longText = ["The text: starts with it, as ^text", "NULL, not NULL, ''"];

export const T = {
  default: "default",
  long: "long",
  true: "true",
  false: "false",
  row: "Row",
  rows: (table) => `Rows of ${table}`,
  follow: (table) => `Open the row of ${table} (Alt+Enter)`,

  state: {
    new: "new row",
    outside: "saved, no longer in this view",
    deleted: "to be deleted",
    error: "not saved",
    conflict: "conflict",
    gone: "deleted by someone else",
    unknown: "outcome unknown",
    saving: "being saved",
    changed: "changed",
    others: "changed by someone else just now",
  },
  was: (text) => `Changed. Was: ${text}`,
  becameBy: (by, text) => `${by ?? "Someone"} made it ${text}`,
  goneBy: (by) => `${by ?? "Someone"} deleted this row. Your edits are kept: insert it again or drop them.`,
  unknownOutcome: "The connection broke while this was saved. It is not known whether it was; save again to find out.",
  unknownInsert:
    "The connection broke while this row was being saved. Whether it is in the table is not known: look for it, then drop this one or insert it again.",
  unknownNewRow:
    "The connection broke while this row was being saved. Whether it is in the table is not known; the review of changes says what to do.",
  unknownInsertWait: (seconds) =>
    `The connection broke while this row was being saved. It may still come to be in the table in the next ${count(seconds, "second")}. Wait so long, then look for it.`,
  lookForIt: "Look for it",
  dropRow: "Drop this one",
  saving: "Being saved",

  // reasons of values.js
  reason: {
    notNumber: () => "Not a number",
    notWhole: () => "Must be a whole number",
    outOfRange: ({ least, most }) => `Must be from ${least} to ${most}`,
    twoNumbers: ({ choices }) => `May be ${choices.join(" or ")}: write it without the sign between`,
    tooManyDecimals: ({ scale }) => (scale ? `At most ${count(scale, "decimal")}` : "No decimals here"),
    tooManyDigits: ({ digits }) => `At most ${count(digits, "digit")} before the point`,
    notDate: () => "Write a date as 2024-01-31",
    shortYear: () => "Write the year with four digits",
    twoDates: ({ choices }) => `${choices.map(longDate).join(" or ")}? Choose one, or write ${choices.join(" or ")}`,
    noSuchDate: () => "There is no such date",
    notTime: () => "Write a time as 13:45:00",
    noSuchTime: () => "There is no such time of day",
    notTimestamp: () => "Write it as 2024-01-31 13:45:00",
    noZone: () => "Without a time zone: values here have none",
    notBit: () => "Must be 1 or 0",
    tooLong: ({ length, most }) => `${count(length, "character")}; at most ${number(most)} fit`,
    required: () => "A value is required: the column does not take NULL",
    noEmptyText: () => "Only text columns can hold ''",
    notEditable: () => "This kind of value cannot be edited here",
    needsValue: () => "Give a value to compare with",
    cut: () => "Only the start of that value was here; open it (Shift+Enter) to copy the whole",
    needsNullFilter: () => "Only NULL and not NULL can be filtered here",
  },

  // editing
  readOnlyColumn: (name, reason) => `${name} cannot be edited${reason ? `: ${reason}` : ""}`,
  readOnlyTable: (reason) => `This table cannot be edited${reason ? `: ${reason}` : ""}`,
  deletedRow: "This row is marked to be deleted. Undo that first (Ctrl+Alt+Z).",
  waitingRow: "This row is still being read.",
  fillNeedsRows: "Select the cell to copy and the cells below it first; Ctrl+D then fills them.",
  noDefaultHere: "Only a new row can take the column's default.",
  wholeValueFirst: "Only the start of this value is here. Open it (Shift+Enter) to edit the whole.",
  changedMeanwhile: (by, name) =>
    `${by ?? "Someone"} changed ${name} while you were editing it; compare in the review.`,
  edited: (n) => `${count(n, "cell")} changed`,
  leftAsIs: (n, why) => `${count(n, "cell")} left as ${n === 1 ? "it is" : "they are"}: ${why}`,
  notRestored: (names) => `Not brought back: ${list(names)}, of which the whole is not here`,
  notCopied: (names) => `Not copied: ${list(names)}, of which only the start is here`,
  invalidCell: (why) => `${why.replace(/\.$/, "")}. Correct or revert this cell; its row is not saved until then.`,
  headerLeftOut: "The first row of the clipboard holds the columns' names and was left out",
  invalidRows: (n, row, name, why) =>
    `${count(n, "row")} not saved, for a value does not fit its column; first ${row === null ? "the new row" : `row ${row}`}, ${name}: ${why.replace(/\.$/, "")}`,
  invalidPasted: (n, reasons, more) =>
    `${count(n, "cell")} to be corrected before ${n === 1 ? "its row is" : "their rows are"} saved: ${reasons.join("; ")}${more ? `; ${count(more, "more reason")}` : ""}`,
  notPasted: (n, reasons, more) =>
    `${count(n, "cell")} not pasted: ${reasons.join("; ")}${more ? `; ${count(more, "more reason")}` : ""}`,
  whyInRows: (why, rows, more, inNew) => {
    const places = [
      rows.length && `${rows.length > 1 ? "rows" : "row"} ${rows.join(", ")}${more ? ", …" : ""}`,
      inNew && "new rows",
    ];
    return `${why.replace(/\.$/, "")} (${places.filter(Boolean).join(", ")})`;
  },
  pasteBeyond: (n) => `${count(n, "column")} of the clipboard lay beyond the last column`,
  reverted: (n) => `${count(n, "edit")} reverted; Ctrl+Z brings ${n === 1 ? "it" : "them"} back`,
  cannotUndo: "That cannot be undone any more: the row has been saved or is gone.",
  cannotRedo: "That cannot be redone any more: the row has been saved or is gone.",
  undone: "Undone",
  redone: "Redone",
  nothingToUndo: "Nothing to undo",
  nothingToRedo: "Nothing to redo",
  copied: (rows, columns) => `Copied ${number(rows)} × ${number(columns)}`,
  copiedCut: (n) =>
    `Of ${count(n, "long value")} only the start; open ${n === 1 ? "it" : "one"} (Shift+Enter) to copy the whole`,
  nothingToPaste: "The clipboard holds no text.",
  copying: (rows) => `Reading ${count(rows, "row")} to copy…`,
  tooMuchToCopy: (rows, most) =>
    `${number(rows)} rows are too many to copy (at most ${number(most)}). Export them instead.`,
  tooMuchToChange: (cells, most) =>
    `${number(cells)} cells are too many at once (at most ${number(most)}). Nothing was changed.`,
  copyRefused:
    "Not copied: the browser does not let this page write to the clipboard. Press Ctrl+C on the cells again, or allow the clipboard for this site.",
  readingRange: (done, all) => `Reading ${number(done)} of ${count(all, "row")}…`,
  readingRangeStopped: "Reading was stopped. Nothing was changed.",
  couldNotRead: "Some of these rows could not be read. Nothing was changed.",
  datesTitle: (name) => `${name}: does the day or the month stand first?`,
  datesText: (text, dmy, mdy) =>
    `${text} may be ${longDate(dmy)} or ${longDate(mdy)}. The answer counts for the column.`,
  cancel: "Cancel",
  dayFirst: "Day first",
  monthFirst: "Month first",
  numbersTitle: (name) => `${name}: which number is meant?`,
  numbersText: (text, point, comma) => `${text} may be ${point} or ${comma}. The answer counts for this paste.`,
  calendar: "Calendar",
  monthBefore: "Month before",
  monthAfter: "Month after",
  today: "Today",
  todayOnly: "No date or time goes here",
  notPastedYet: "Nothing was pasted.",
  editLabel: (name) => `Edit ${name}`,

  // rows
  inserted: (n) => `${count(n, "new row")}, not saved yet`,
  busyRows: (n) =>
    `${count(n, "row")} ${n === 1 ? "is" : "are"} being saved at this moment. Try again when that is done.`,
  marked: (n) => `${count(n, "row")} marked to be deleted`,
  saveTitle: (deleted, written) => (deleted ? `Delete ${count(deleted, "row")}?` : `Save ${count(written, "row")}?`),
  saveText: (deleted, written, { table, server }) => {
    const what = [
      deleted && `${count(deleted, "row")} ${deleted === 1 ? "is" : "are"} deleted`,
      written && `${count(written, "row")} ${written === 1 ? "is" : "are"} written`,
    ].filter(Boolean);
    return `${what.join(" and ")} in ${table}${server ? ` on ${server}` : ""}.`;
  },
  deleteText:
    "Rows of other tables that refer to a deleted row may keep the database from deleting it, or may be deleted too if they cascade.",
  saveGo: (deleted, written) =>
    deleted ? `Delete ${count(deleted, "row")}${written ? " and save" : ""}` : `Save ${count(written, "row")}`,
  pasteTitle: (n) => `Paste over ${number(n)} cells?`,
  pasteText: (cells, rows) =>
    `${count(cells, "cell")} change${cells === 1 ? "s" : ""}${rows ? `, and ${count(rows, "new row")} ${rows === 1 ? "is" : "are"} added` : ""}. Nothing is saved yet, and Ctrl+Z takes it back.`,
  paste: "Paste",
  keyTitle: "Change the value of a key?",
  keyText: (names) =>
    `${list(names)} tell${names.length > 1 ? "" : "s"} the row from all others. Rows that refer to the old value may stop the save, or lose their row.`,
  keyGo: "Save the new key",
  newRows: (n) => `${count(n, "new row")} by others. Show`,
  discardTitle: "Drop all unsaved edits?",
  discardText: (what) => `${what} would be lost.`,
  discardGo: "Drop them",
  discarded: "All unsaved edits were dropped",

  // saving
  saved: (n) => `Saved ${count(n, "row")}`,
  failed: (n, id, why) => {
    const row = id === null || id === undefined ? "the new row" : `row ${id}`;
    if (n === 1) return `${row} was not saved${why ? `: ${why.replace(/\.$/, "")}` : ""}`;
    return `${count(n, "row")} not saved${why ? `, first ${row}: ${why.replace(/\.$/, "")}` : ""}`;
  },
  inConflict: (n) => `${count(n, "row")} in conflict`,
  stuck: (n, id, holders, columns) => {
    const row = id === null ? "the new row" : `row ${id}`;
    const holder = holders.length && holders[0] !== null ? `row ${holders[0]}` : "another row";
    const what = columns.length ? list(columns) : "a unique column";
    return `${n === 1 ? `${row} not saved` : `${count(n, "row")} not saved, first ${row}`}: it takes the value of ${what} that ${holder} still has, and each waits for the other. Give one of them a value that no row has, save, then give it its final value`;
  },
  outcomeUnknown: (n) => `${count(n, "row")} with unknown outcome`,
  stillStaged: (n) => (n ? `${count(n, "row")} with edits ${n === 1 ? "is" : "are"} still unsaved.` : ""),
  outside: (id) => `Row ${id} is saved, but this view no longer shows it; a refresh takes it out.`,
  outsideRow: "Saved. This view no longer shows the row; a refresh takes it out.",
  unguarded: (names) =>
    `${list(names)} could not be compared as a whole: a change by someone else in the meantime would not have been noticed.`,
  guardedLate: (id) => `Row ${id} was compared with what the database held just before, not with what you saw.`,
  moreNotes: (n) => `${count(n, "more note")} like these.`,
  saveStopped: (saved, left) => `Stopped: ${count(saved, "row")} saved, ${count(left, "row")} still unsaved.`,
  nothingToSave: "There is nothing to save.",
  decideFirst: (n) => `${count(n, "row")} need${n === 1 ? "s" : ""} your decision first.`,
  ambiguous: "The new row was saved, but it cannot be told which one it is. Refresh to see it.",
  storedAs: (column, text) => `The database stored ${column} as ${text}.`,
  draftsFull: "This browser's storage is full: your newest unsaved edits are only in this tab until you save them.",
  draftsElsewhere:
    "Another tab of this browser has unsaved edits in this table. They stay in that tab; what you edit here is kept apart from them.",
  saveWaits: "The connection is away; the edits are sent when it is back.",
  fixFirst: "Correct the cell you are editing first.",

  // reading
  noRows: "This table has no rows",
  insertFirst: "Insert a row",
  noMatch: (n) => `No rows match ${n === 1 ? "this filter" : `these ${number(n)} filters`}`,
  noMatchSearch: "No rows match the search",
  clearFilters: "Clear filters",
  away: "No connection",
  awayText: "The rows are read as soon as the server can be reached again.",
  noPrivilege: "You may not read this table",
  tableGone: "This table is not there",
  cannotRead: "The rows could not be read",
  rowsLoading: "Reading rows…",
  stop: "Stop",
  readingStopped: "Reading was stopped",
  tryAgain: "Try again",
  copyError: "Copy",
  errorCopied: "Copied",
  columnsChanged: "The table's columns changed. It was read again; your edits are kept.",
  lostColumns: (names) => `No longer in the table: ${names}.`,
  lostEdits: (names, n) =>
    `${count(n, "unsaved edit")} in ${list(names)} cannot be saved, for the table has no such column any more: see the review.`,
  goto: "Go to row",
  gotoText: "A row number, or a value of the key with = before it",
  gotoGo: "Go",
  noSuchKey: (name, text) => `There is no row with ${name} ${text} here.`,
  notHere: (id) => `Row ${id} is not among the rows shown. Clear filters and sorting, then try again.`,
  noSuchRow: (text) => `There is no row ${text}: write a number, or a value of the key with = before it`,
  lastRow: (n) => `There ${n === 1 ? "is only 1 row" : `are only ${number(n)} rows`}; this is the last.`,
  searchPlaceholder: "Search in all text columns",
  search: "Search",

  // filters and columns
  wrongFilter: (name, why) => `Not filtered by ${name}: ${why}`,
  filterOf: (name) => `Filter ${name}`,
  howCompared: (name) => `How ${name} is compared, and its values`,
  chooseValues: "Choose values…",
  clearThis: "No filter",
  joint: {
    and: { text: "and", title: "Both must hold. Press for: one of them" },
    or: { text: "or", title: "One of them must hold. Press for: both" },
  },
  filterExamples: (kind) => {
    const kinds = { integer: "number", numeric: "number", double: "number", timestamp: "date" };
    return EXAMPLES[kinds[kind] ?? kind] ?? EXAMPLES.other;
  },
  valuesTitle: (name) => `Values of ${name}`,
  valuesText: "In the rows that the other filters leave; the most frequent first.",
  valuesMore: (n) => `Only the ${number(n)} most frequent ones. Type in the filter row to look for others.`,
  valuesReading: "Counting the values…",
  valuesFind: "Find in these values",
  valuesAll: "All",
  valuesNone: "None",
  valuesGo: "Filter",
  clearAllFilters: "Clear all filters",
  noFilters: "There is no filter to clear",
  contains: "contains…",
  filters: "Filters",
  addFilter: "Add filter",
  matchCase: "Match case",
  filterOn: "On",
  removeFilter: "Remove this filter",
  operator: {
    contains: "contains",
    startsWith: "starts with",
    endsWith: "ends with",
    equals: "equals",
    notEquals: "is not",
    greater: "greater than",
    greaterOrEqual: "at least",
    less: "less than",
    lessOrEqual: "at most",
    between: "between",
    in: "one of",
    isNull: "is NULL",
    isNotNull: "is not NULL",
    isEmpty: "is ''",
    matches: "matches (* any characters, ? one)",
  },
  columns: "Columns",
  showAll: "Show all",
  resetLayout: "Reset layout",
  findColumn: "Find column",

  // header
  requires: "required",
  hasDefault: "has a default",
  unique: "unique",
  key: "key",
  readOnly: "read-only",
  refersTo: (table) => `refers to ${table}`,
  sortUp: "Sort ascending",
  sortDown: "Sort descending",
  noSort: "Do not sort by it",
  addSort: "Add to the sort order",
  hide: "Hide column",
  freezeTo: "Freeze columns up to here",
  unfreeze: "Freeze no columns",
  moveLeft: "Move left",
  moveRight: "Move right",
  fitWidth: "Fit width to the rows here",
  fitAll: "Fit all columns",
  columnMenu: (name) => `Column ${name}`,

  // cell menu
  cellMenu: "Cell",
  edit: "Edit",
  openValue: "Open value",
  setNull: "Set NULL",
  setEmpty: "Set ''",
  setDefault: "Set default",
  filterBy: "Filter by this value",
  exclude: "Filter this value out",
  revertSelection: "Revert",
  detail: "Row detail",
  followMenu: (table) => `Open row of ${table}`,
  duplicateRow: "Duplicate row",
  deleteRow: "Delete row",
  restoreRow: "Do not delete",
  copy: "Copy",
  copyWithHeaders: "Copy with headers",
  fillDown: "Fill down",

  close: "Close",

  // panels
  review: "Review",
  reviewSummary: ({ rows, changed }, table) =>
    `${count(rows, "row")}${changed ? `, ${count(changed, "changed cell")}` : ""} of ${table}`,
  reviewEmpty: "There are no unsaved edits.",
  rowTitle: (id) => `Row ${id}`,
  newRowTitle: "New row",
  revertRow: (title) => `Revert ${title.toLowerCase()}`,
  revertOne: "Revert this value",
  revertAll: "Discard",
  becomes: "becomes",
  newRow: "new row",
  others: "Others",
  othersBecome: "their default, or NULL",
  missing: (names) => `Still to be given: ${list(names)}.`,
  goToCell: "Go to cell",
  goToFirst: "Go to the first",
  compare: "Compare",
  insertAgain: "Insert again",
  dropEdits: "Drop edits",
  deletes: "Deletes this row.",
  sqlHead: (n) => `SQL; each row is saved by itself${n ? `; without the ${count(n, "open row")}` : ""}`,
  copySql: "Copy SQL",
  sqlCopied: "SQL copied",
  moreRows: (n) => `… and ${count(n, "more row")}.`,
  showMore: "Show more",
  noColumn: "no longer in the table",
  sqlWaits: "Asking for the SQL…",
  sqlMore: (n) => `… and ${count(n, "more statement")}`,
  needFirst: (n) => `${count(n, "row")} need${n === 1 ? "s" : ""} you first`,
  saveRows: (n) => (n ? `Save ${count(n, "row")}` : "Save"),
  detailTitle: "Row detail",
  detailOf: (number) => `Row ${number}`,
  noActiveRow: "Choose a row to see it here.",
  loadWhole: "Open",
  openRow: "Open row",
  valueTitle: (name) => `Value of ${name}`,
  valueLoading: "Reading the whole value…",
  valueReadOnly: "Read-only",
  valueStaged: "It becomes an unsaved edit like any other.",
  valueDirect: "Saved at once, by itself: the whole value goes to the database.",
  valueAfterSave: "Save the new row first; then this value can be given.",
  valueApply: "Apply",
  valueSave: "Save value",
  valueFormat: "Format JSON",
  valueDownload: (name) => `Download ${name}`,
  valueUpload: "Replace by the file",
  valueFile: "Another file in its place",
  valueNoFile: "Choose a file first.",
  valuePicture: (kind, width, height) => `${kind}, ${number(width)} × ${number(height)} pixels`,
  valueBroken: (kind) => `${kind}, which cannot be shown`,
  notJson: "Not valid JSON",
  validJson: "Valid JSON",
  valueChanged:
    "Someone changed this value since it was read. Nothing was saved. Copy what you need of yours, then close and open it again to see theirs.",
  valueNoAnswer: "The value was not read: the server did not answer. Try again in a moment.",
  valueUnknown:
    "The server did not answer, so it is not known whether the value was saved. Save again, or close and open it again to find out.",
  valueDrop: "Drop it",
  valueLost: "Discard your text?",
  valueLostText: "The text was changed and would be lost.",
  conflictTitle: ({ title, text }, by) => `${title}${text ? ` (${text})` : ""} was changed by ${by ?? "someone else"}`,
  conflictText: (columns, rest) =>
    `${list(columns)} ${columns.length > 1 ? "are" : "is"} no longer what you saw. Nothing of this row was saved${rest ? `; your other ${count(rest, "row")} ${rest === 1 ? "is" : "are"} still unsaved` : ""}.`,
  column: "Column",
  youSaw: "You saw",
  theySaved: (by) => `${by ?? "They"} saved`,
  yours: "Yours",
  yourDelete: "delete the row",
  skip: "Skip for now",
  takeTheirs: (by) => `Take ${by ? `${by}’s` : "theirs"}`,
  keepMine: "Keep mine and save row",
  asChosen: "Save row as chosen",
  keepDelete: "Delete it anyway",
  takeTheirsAll: "Take theirs in all rows",
  keepMineAll: "Keep mine in all rows",
};

/** Sentences one after another, each with one full stop. */
export const sentences = (texts) =>
  texts
    .filter(Boolean)
    .map((text) => (/[.!?]$/.test(text) ? text : `${text}.`))
    .join(" ");

/** The sentence of a ValueError. */
export function reasonText(error) {
  return T.reason[error.reason]?.(error.values) ?? error.message;
}
