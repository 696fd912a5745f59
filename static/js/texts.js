// Every sentence of the frame in one place; the grid's are in grid/texts.js.

const NUMBER = new Intl.NumberFormat("en");

export const number = (value) => NUMBER.format(value);

const count = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

export const edits = ({ changed = 0, inserted = 0, deleted = 0 }) =>
  [
    changed && `${count(changed, "cell")} changed`,
    inserted && count(inserted, "new row"),
    deleted && `${count(deleted, "row")} deleted`,
  ]
    .filter(Boolean)
    .join(", ");

export const T = {
  app: "iris-quart",

  // connection
  live: "Live",
  connecting: "Connecting",
  signedOut: "Signed out",
  away: (seconds) => (seconds > 0 ? `Reconnecting in ${seconds} s` : "Reconnecting"),
  stopped: "Disconnected",
  willReconnect: "Reconnecting by itself.",
  tooLate:
    "The connection was away for so long that the server may have forgotten this save. Whether it was done is not known.",
  retryNow: "Retry now",
  reconnect: "Reconnect",
  why: {
    lost: "The connection was lost.",
    restart: "The server restarts.",
    unavailable: "The server cannot reach its session store at the moment.",
    policy: "The server closed the connection: too many tabs, or commands too fast.",
    tooLarge: "The server closed the connection: a message was too large. That edit was given back to you.",
    signedIn: "Signed in; reconnecting.",
  },
  offline: (unsaved, queued) => {
    if (queued)
      return `Offline: ${count(queued, "edit")} wait${queued === 1 ? "s" : ""} here and ${queued === 1 ? "is" : "are"} sent when the connection is back.`;
    return unsaved
      ? `Offline: ${count(unsaved, "unsaved edit")} wait${unsaved === 1 ? "s" : ""} here. Go on editing; saves are sent when the connection is back.`
      : "Offline: the rows on screen can be read and edited; saves are sent when the connection is back.";
  },
  keptEdits: (n) => (n ? `${count(n, "edit")} wait${n === 1 ? "s" : ""} here and will be sent.` : ""),
  waiting: (n) => `${count(n, "edit")} queued`,
  backAgain: "Connected again.",

  // session
  endsSoon: (seconds) =>
    `Your session ends in ${seconds >= 90 ? `${Math.round(seconds / 60)} minutes` : `${seconds} s`}.`,
  stay: "Stay signed in",
  signInAgain: "Sign in again",
  endedAt: (time) => `Your session ended at ${time}.`,
  otherUser: (user, server) => `This browser has been signed in as ${user} on ${server} in another tab.`,
  keptInTab: (n) => {
    if (!n) return "You go on where you were.";
    return `Your ${n === 1 ? "unsaved edit is" : `${number(n)} unsaved edits are`} kept in this tab, and you go on where you were.`;
  },
  userOn: (server) => `User on ${server}`,
  anotherUser: "Use another user",
  password: "Password",
  signIn: "Sign in",
  signingIn: "Signing in…",
  signInFailed: "Not signed in.",
  noAnswer: "The server did not answer. Try again in a moment.",
  signOut: "Sign out",
  signOutTitle: "Sign out with unsaved edits?",
  signOutText: (text) => `There are unsaved edits (${text}). Signing out removes them from this browser.`,
  signOutAnyway: "Sign out and drop them",

  // sessions
  sessions: "Your sessions",
  sessionsText: "Every browser that is signed in as you at this moment.",
  thisSession: "this one",
  created: "Signed in",
  lastUsed: "Last used",
  address: "Address",
  browser: "Browser",
  endOthers: "End all others",
  endedOthers: (n) =>
    n ? `${count(n, "other session was", "other sessions were")} ended.` : "There was no other session.",

  // tree
  tables: "Tables",
  tablesOf: (namespace) => `Tables of ${namespace}`,
  noTables: "No tables that you may see",
  noMatch: (text) => `Nothing contains “${text}”`,
  moreTables: (n) => `${count(n, "more table")}: type more of the name`,
  tableCount: (n) => count(n, "table"),
  inSchema: (n) => count(n, "table or view", "tables and views"),
  staged: "unsaved edits",
  view: "view",
  reloadTables: "Read the tables again",

  // tabs
  closeTab: "Close tab",
  closed: (table, text) => `${table} closed. Its unsaved edits (${text}) are kept; open the table to see them.`,
  moveTabLeft: "Move left",
  moveTabRight: "Move right",
  tabMoved: (table, place, all) => `${table} is tab ${number(place)} of ${number(all)}.`,
  closeOthers: "Close the other tabs",
  closeAll: "Close all tabs",
  copyLink: "Copy link",
  copied: "Copied.",
  copyRefused: "Not copied: the browser does not let this page write to the clipboard.",
  discardTitle: (table) => `Drop the unsaved edits of ${table}?`,
  discardText: (text) => `${text}: nothing of it has been saved.`,
  discardAnyway: "Drop them",
  leaveNoDrafts: (table) => `Close ${table} with unsaved edits?`,
  leaveNoDraftsText: (text) => `${text}. This server keeps no unsaved edits, so closing the tab drops them.`,
  welcome: "Open a table",
  welcomeText: "Choose one at the left, or type a part of its name.",
  welcomeNext: "Click a cell and type to edit it, Ctrl+S saves, F1 shows all keys.",
  recentTables: "Recent tables",
  tablesToTry: "Tables to try",
  tablesFailed: "The tables could not be read.",

  // toolbar
  refresh: "Refresh rows",
  row: "Row",
  newRow: "New row",
  duplicate: "Duplicate rows",
  remove: "Delete rows",
  duplicateWord: "Duplicate",
  removeWord: "Delete",
  detailWord: "Detail",
  exportWord: "Export",
  filters: "Filters",
  filterRow: "Filter row",
  columns: "Columns",
  columnsTitle: "Choose and order columns",
  exportTitle: "Export rows",
  detail: "Row detail",
  discard: "Discard",
  discardTip: "Drop all unsaved edits (asks first)",
  review: "Review",
  reviewTip: "Review unsaved edits",
  save: "Save",
  saveRows: (n) => `Save ${count(n, "row")}`,
  readOnly: "Read-only.",

  // status
  rows: (from, to, total, state) => {
    const range = to > 0 ? `${number(from)}–${number(to)}` : null;
    const sum =
      state === "exact"
        ? number(total)
        : state === "estimate"
          ? `~${number(total)} (estimate)`
          : state === "pending"
            ? `${number(total)}+`
            : null;
    if (state === "exact" && total === 0) return "0 rows";
    if (range && sum) return `${range} of ${sum}`;
    return range ?? (sum ? `${sum} ${total === 1 ? "row" : "rows"}` : "");
  },
  countExactly: "Count exactly",
  counting: "Counting…",
  stopCounting: "Stop",
  selection: ({ rows, columns }) => `${number(rows)}×${number(columns)}`,
  sum: (text) => `sum ${text}`,
  average: (text) => `avg ${text}`,
  nulls: (n) => `${number(n)} NULL`,
  query: (at, ms) => [at, `${number(Math.round(ms))} ms`].filter(Boolean).join(" · "),
  lastQuery: (trips) =>
    `When rows were last read, and how long it took${typeof trips === "number" ? `; ${count(trips, "request")} to IRIS` : ""}`,

  savingNow: "Saving…",
  savingRows: (done, all) => `Saving ${number(done)} of ${number(all)}`,
  stopSaving: "Stop",
  undecided: (n) => `${count(n, "row")} need${n === 1 ? "s" : ""} you`,

  // palette
  goTo: "Go to table or command",
  goToHint: "Type a part of a table's name, or > for commands",
  nothingFound: "Nothing found in any of your namespaces.",
  recent: "Recent",
  openTabs: "Open",
  commands: "Commands",
  namespaces: "Namespaces",
  switchTo: (namespace) => `Switch to ${namespace}`,

  // menus and dialogs
  help: "Keyboard map",
  settings: "Settings",
  theme: { system: "as the system", light: "light", dark: "dark" },
  themeTip: (theme, next) => `Theme: ${theme}. Switch to ${next}`,
  density: "Row height",
  densities: { compact: "Compact", normal: "Normal", roomy: "Roomy" },
  decimal: "Decimals are shown, copied and exported",
  decimals: {
    browser: "As the language of this browser writes them",
    point: "With a point, as in the database: 12.50",
    comma: "With a comma: 12,50",
  },
  saving: "Saving",
  savings: {
    review: "Review edits, then save",
    staged: "Save with Ctrl+S",
    auto: "Save each edit at once",
  },
  themeItem: "Theme",
  open: "Open",
  openBehind: "Open in the background",
  copyName: "Copy name",
  foldSidebar: "Fold the sidebar",
  signedInAs: (user) => `Signed in as ${user}`,
  anotherServer: "Sign in to another server…",
  namespaceIs: (namespace) => `Namespace: ${namespace}`,
  close: "Close",
  cancel: "Cancel",
  copy: "Copy",
  copyMessage: "Copy message",
  dismiss: "Dismiss",

  // export
  exportHead: (table) => `Export ${table}`,
  exportWhat: "Rows",
  exportRange: { page: "The rows on screen", all: "All rows that match the filters" },
  exportSelection: ({ rows, columns }) => `The selection (${count(rows, "row")}, ${count(columns.length, "column")})`,
  exportStaged: "The file gets what the database holds. Unsaved edits are not in it.",
  exportTooMany: (rows, most) =>
    `${number(rows)} rows are too many to be picked out (at most ${number(most)}). Filter the table to them, and export all rows that match.`,
  exportNull: "NULL is written as",
  exportNulls: { empty: "nothing (and '' as \"\")", word: "NULL" },
  exportSafe: "Guard against formulas in text (a leading = + - @ gets a ')",
  exportGo: "Export as CSV",
  exportRunning: (rows, bytes, total) =>
    `Exporting: ${total === null ? count(rows, "row") : `${number(rows)} of ${count(total, "row")}`} · ${bytes}`,
  exportStop: "Stop",
  exportStopped: "The export was stopped. No file was kept.",
  exportByBrowser: (name) => `The browser downloads ${name}.`,
  exportDone: (name, rows, bytes) => `${name} was exported: ${count(rows, "row")}, ${bytes}.`,
  exportFailed: "The export stopped.",

  keys: [
    [
      "Move",
      [
        ["Arrows, Home, End, Page Up, Page Down", "move; with Ctrl to the edge of the table"],
        ["Shift+arrows, Shift+click, drag", "select a range"],
        ["Ctrl+Space, Shift+Space, Ctrl+A", "select columns, rows, everything"],
        ["Ctrl+click", "pick rows one by one"],
        ["Ctrl+G", "go to a row, by number or key"],
      ],
    ],
    [
      "Edit",
      [
        ["Enter, F2, or just type", "edit the cell"],
        ["Enter, Tab, Shift+Tab", "keep the value and go down, right, left"],
        ["Esc", "give up this edit only"],
        ["Ctrl+Enter", "with several cells selected: fill them with what is written"],
        ["Alt+Enter", "line break; outside an editor, open the row that a key refers to"],
        ["Shift+Enter", "large editor for the value"],
        ["Space", "flip a check box; elsewhere, row detail"],
        ["Ctrl+;", "today's date, or the time it is"],
        ["Alt+Down in a date", "calendar"],
        ["Ctrl+Alt+N", "set NULL"],
        ["Ctrl+Alt+E or Backspace", "set '' (Backspace: NULL where the column is no text)"],
        ["Ctrl+Alt+D", "set the column's default"],
        ["Delete", "clear the selected cells"],
        ["Ctrl+D", "fill down; duplicate when whole rows are selected"],
        ["Alt+Insert", "new row"],
        ["Ctrl+Delete", "mark rows for deletion"],
      ],
    ],
    [
      "Clipboard and undo",
      [
        ["Ctrl+C, Ctrl+X, Ctrl+V", "copy, cut, paste with Excel and LibreOffice"],
        ["Ctrl+Alt+C", "copy with the columns' names"],
        ["Ctrl+Shift+V", "paste as new rows"],
        ["Ctrl+Z, Ctrl+Y", "undo, redo"],
        ["Ctrl+Alt+Z", "revert the selection"],
      ],
    ],
    [
      "Table",
      [
        ["Ctrl+S", "save"],
        ["F5", "read the rows again"],
        ["Ctrl+F", "filter row: Ann, ^Ann, An*n, =Ann, 10..20, in a, b, NULL"],
        ["Ctrl+Shift+F", "clear all filters"],
        ["Click, Shift+click on a header", "sort; sort by one more column"],
        ["Alt+Down", "menu of the column: sort, filter, hide, freeze"],
        ["Shift+F10", "menu of the cell"],
        ["Ctrl+I", "row detail"],
      ],
    ],
    [
      "Filter row: what to write",
      [
        ["Smith", "text: holds it; numbers: is it"],
        ["=Smith   ≠ Smith   ^Sm   $th", "is, is not, starts with, ends with"],
        ["> 10   >= 10   < 10   <= 10", "greater, at least, less, at most"],
        ["10..20", "from 10 to 20"],
        ["in Boston, Rome, NULL", "one of them; one with a comma stands in quotes"],
        ["1985   1985-03   1985..1990", "dates in that year, in that month, in these years"],
        ["NULL   not NULL   ''", "without a value, with one, the empty text"],
        ["Alt+Down in the filter row", "operators, and the values of the column with their numbers"],
      ],
    ],
    [
      "Page",
      [
        ["Ctrl+K", "go to a table or command"],
        ["Ctrl+B", "fold the sidebar"],
        ["F6, Shift+F6", "next, previous region: tables, tabs, toolbar, rows"],
        ["Arrows on a tab", "go to the tabs beside it"],
        ["Shift+Left, Shift+Right on a tab", "move it"],
        ["Delete on a tab", "close it"],
        ["Alt+Left, Alt+Right", "back, forward"],
        ["F1, or ? outside a cell", "this map"],
      ],
    ],
  ],

  signInPage: {
    testing: "Asking the server…",
    test: "Test the connection",
    stop: "Stop the test",
    stopped: "The test was stopped.",
    reached: (version) => `The server answers: ${version}`,
    recent: "Recent sign-ins",
    forget: "Forget them",
  },
};
