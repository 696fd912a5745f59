// Export as CSV: what to write, then a download that the server streams, with its progress and a way to stop it.

import { BASE } from "../base.js";
import { stringify } from "../data/json.js";
import { T, edits } from "../texts.js";
import { Filters } from "../data/filters.js";
import { openDialog } from "../ui/dialog.js";
import { el, part } from "../ui/dom.js";
import { toast } from "../ui/toasts.js";

const NEWLINE = 10;
const QUOTE = 34;
/** Each row that is named costs IRIS a statement of its own. */
const ROWS_MAX = 20_000;
const SHOWN_EVERY = 200;
const UNITS = ["B", "KB", "MB", "GB"];

/** A size as a person reads it. */
export function bytes(count) {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit ? value.toFixed(1) : value} ${UNITS[unit]}`;
}

/** Counts the lines of a CSV file as it comes in pieces: a line break between quotes belongs to a value. */
export class LineCounter {
  count = 0;
  #quoted = false;

  /** @param {Uint8Array} piece */
  take(piece) {
    for (const byte of piece) {
      if (byte === QUOTE) this.#quoted = !this.#quoted;
      else if (byte === NEWLINE && !this.#quoted) this.count += 1;
    }
  }
}

/**
 * What is asked for: the table, its filters, sort and columns as the socket names them, and how to write NULL.
 *
 * @param {{namespace: string, table: string, view?: any, rows?: string[] | null, columns?: string[] | null,
 *   nullText?: string, safe?: boolean, decimal?: "point" | "comma"}} wanted
 * @returns {Record<string, any>}
 */
export function exportFields({
  namespace,
  table,
  view = {},
  rows,
  columns,
  nullText = "",
  safe = true,
  decimal = "point",
}) {
  return {
    namespace,
    tableName: table,
    format: "csv",
    null: nullText,
    safe,
    ...(decimal !== "point" && { decimal }),
    ...(view.filters?.length && { filters: view.filters }),
    ...(view.sort?.length && { sort: view.sort }),
    ...(view.search && { search: view.search }),
    ...(columns && { columns }),
    ...(rows && { rowIds: rows }),
  };
}

/** The same as an address, for a link or a form. */
export function exportAddress(fields) {
  const texts = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === "string" ? value : stringify(value),
  ]);
  return `${BASE}/api/export?${new URLSearchParams(texts)}`;
}

/** Ask what to export from a tab's table, and do it. */
export async function openExport({ tab }) {
  const { view } = tab;
  const parts = { selection: view.exportRange("selection"), page: view.exportRange("page"), all: null };
  const ranges = Object.keys(parts).filter((range) => range === "all" || parts[range]);
  const labels = { ...T.exportRange, selection: parts.selection && T.exportSelection(parts.selection) };
  const range = select(
    "export-range",
    T.exportWhat,
    Object.fromEntries(ranges.map((name) => [name, labels[name]])),
    parts.selection?.rows > 1 ? "selection" : "all",
  );
  const nulls = select("export-null", T.exportNull, T.exportNulls, "empty");
  const safe = el("input", { type: "checkbox", checked: true });
  const answer = await openDialog({
    title: T.exportHead(tab.table),
    class: "small-dialog",
    text: edits(tab.pending ?? {}) ? T.exportStaged : null,
    body: [
      el(
        "div",
        { class: "fields" },
        range.field,
        nulls.field,
        el("label", { class: "check" }, safe, ` ${T.exportSafe}`),
      ),
    ],
    actions: [
      { label: T.cancel, value: "" },
      { label: T.exportGo, value: "go", primary: true },
    ],
  });
  view.focus();
  if (answer !== "go") return;
  const chosen = parts[range.value];
  const few = chosen !== null && !chosen.whole;
  if (few && chosen.rows > ROWS_MAX)
    return toast(T.exportTooMany(chosen.rows, ROWS_MAX), { kind: "error", key: "export" });
  const rows = few ? await view.exportRows(chosen) : null;
  if (few && !rows?.length) return;
  const state = view.state ?? {};
  const fields = exportFields({
    namespace: tab.namespace,
    table: tab.table,
    view: { filters: new Filters(state.filters ?? []).toWire(), sort: state.sort, search: state.search },
    rows,
    columns: chosen?.columns,
    nullText: nulls.value === "word" ? "NULL" : "",
    safe: safe.checked,
    decimal: view.settings?.decimal === "," ? "comma" : "point",
  });
  const total = few ? rows.length : tab.status.countState === "exact" ? tab.status.total : null;
  await download({ fields, name: `${tab.table}.csv`, few, total });
}

function select(id, label, values, chosen) {
  const input = el(
    "select",
    { class: "input", id },
    ...Object.entries(values).map(([value, text]) => el("option", { value, selected: value === chosen }, text)),
  );
  return {
    field: el("div", { class: "field" }, el("label", { for: id }, label), input),
    get value() {
      return input.value;
    },
  };
}

/**
 * Fetch with progress. Where the browser can write to a file of the person's choice, the rows go straight to it.
 * Elsewhere few rows are gathered and handed over at the end; a whole table is left to the browser's own download,
 * which needs no memory for it.
 */
async function download({ fields, name, few, total }) {
  const abort = new AbortController();
  let sink = null;
  if (globalThis.showSaveFilePicker) {
    try {
      sink = await (
        await globalThis.showSaveFilePicker({ suggestedName: name, types: [{ accept: { "text/csv": [".csv"] } }] })
      ).createWritable();
    } catch (error) {
      if (error.name === "AbortError") return;
      sink = null; // not allowed here
    }
  }
  if (!sink && !few) {
    if (fields.safe) follow(exportAddress(fields), name);
    else submit(exportAddress(fields));
    toast(T.exportByBrowser(name), { key: "export" });
    return;
  }
  const lines = new LineCounter();
  const remove = toast(T.exportRunning(0, bytes(0), total), {
    lasting: true,
    changing: true,
    key: "export",
    actions: [{ label: T.exportStop, run: () => abort.abort() }],
  });
  const text = part("toasts").querySelector("[data-key=export] p");
  try {
    const gathered = [];
    let [size, shownAt] = [0, 0];
    for await (const piece of pieces(fields, abort.signal)) {
      if (sink) await sink.write(piece);
      else gathered.push(piece);
      size += piece.length;
      lines.take(piece);
      if (performance.now() - shownAt < SHOWN_EVERY) continue;
      shownAt = performance.now();
      text.textContent = T.exportRunning(Math.max(0, lines.count - 1), bytes(size), total);
    }
    if (sink) await sink.close();
    else save(new Blob(gathered, { type: "text/csv" }), name);
    remove();
    toast(T.exportDone(name, Math.max(0, lines.count - 1), bytes(size)), { key: "export" });
  } catch (error) {
    await sink?.abort().catch(() => undefined);
    remove();
    if (error.name === "AbortError") toast(T.exportStopped, { key: "export" });
    else toast(`${T.exportFailed} ${error.message}`, { kind: "error", key: "export" });
  }
}

/** The file, piece by piece; rows are named in the body, for which no address would be long enough. */
async function* pieces(fields, signal) {
  const response = await fetch(`${BASE}/api/export`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: stringify(fields),
    signal,
    credentials: "same-origin",
  });
  if (!response.ok) throw new Error((await response.json().catch(() => ({}))).error ?? response.statusText);
  const reader = response.body.getReader();
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) yield value;
}

function save(blob, name) {
  const href = URL.createObjectURL(blob);
  follow(href, name);
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/** Let the browser download what only POST gives; a refusal appears in a tab of its own, not in place of the page. */
function submit(action) {
  const form = el("form", { action, method: "post", target: "_blank" });
  document.body.append(form);
  form.submit();
  form.remove();
}

function follow(href, name) {
  const link = el("a", { href, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}
