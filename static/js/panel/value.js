// The editor for large values: several lines, JSON, and values that did not travel whole. A value that is here is
// staged; one that had to be fetched goes to the database by itself, guarded by the hash of what was read.

import { BASE } from "../base.js";
import { confirm, openDialog } from "../ui/dialog.js";
import { el } from "../ui/dom.js";
import { own } from "../data/json.js";
import { kindOf, looksLikeJson, parseValue, shownText, ValueError } from "../data/values.js";
import { T, reasonText } from "../grid/texts.js";

const valueUrl = (view, rowId, column) =>
  `${BASE}/api/value/${[view.namespace, view.tableName, rowId, column].map(encodeURIComponent).join("/")}`;

/** Open the value of a cell; the text typed so far in the cell's editor is taken along. */
export async function openValue(view, row, cell) {
  const { table, edits } = view;
  const column = table.columns[cell];
  const item = table.rows.getItem(row);
  if (!item || column.gutter) return;
  const editor = table.sheet.isEditing(row, cell) ? table.sheet.getCellEditor() : null;
  const typed = editor?.touched && !editor.isNull ? editor.newText : null;
  table.sheet.cancelEditing();
  const whole = !own(item.previews, column.field) || table.staged.has(item.id, column.field);
  const binary = kindOf(column.schema) === "binary";
  if (whole && !binary) return stageValue(view, item, column, typed, edits.reason(item, column));
  return editStored(view, item, column, binary);
}

function textEditor(view, column, { text, readOnly, note }) {
  const area = el("textarea", {
    class: "input value-text",
    dir: "auto",
    rows: "16",
    spellcheck: "false",
    "aria-label": T.valueTitle(column.field),
    readonly: readOnly,
  });
  area.value = text;
  const check = el("p", { class: "field-note", role: "status" }, note);
  const format = el(
    "button",
    {
      class: "button button-outline",
      type: "button",
      hidden: true,
      on: {
        click: () => {
          area.value = JSON.stringify(JSON.parse(area.value), null, 2);
          area.dispatchEvent(new Event("input"));
        },
      },
    },
    T.valueFormat,
  );
  const judge = () => {
    const json = looksLikeJson(area.value);
    format.hidden = readOnly || !json || /\d{16}|\.\d*0\b/.test(area.value); // formatting must not round a number
    let problem = null;
    try {
      if (!readOnly) parseValue(area.value, column.schema);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      problem = reasonText(error);
    }
    area.setAttribute("aria-invalid", String(Boolean(problem)));
    check.textContent =
      problem ?? (json ? `${T.validJson}. ${note}` : /^\s*[[{]/.test(area.value) ? `${T.notJson}. ${note}` : note);
    return problem;
  };
  area.addEventListener("input", judge);
  judge();
  const tell = (problem) => {
    area.setAttribute("aria-invalid", "true");
    check.textContent = problem;
  };
  return { area, body: [area, el("div", { class: "value-tools" }, check, format)], judge, tell };
}

/** Let the browser ask before it leaves the page while what was typed is nowhere but here. */
async function held({ area }, shown, work) {
  const ask = (event) => area.value === shown || area.readOnly || event.preventDefault();
  addEventListener("beforeunload", ask);
  try {
    return await work();
  } finally {
    removeEventListener("beforeunload", ask);
  }
}

/** A dialog around a text; resolves with the action. Leaving with a changed text asks first. */
async function ask(view, column, text, editor, actions) {
  for (;;) {
    const answer = await openDialog({
      title: T.valueTitle(column.field),
      class: "value-dialog",
      body: editor.body,
      actions,
      ready: (dialog) => {
        editor.area.focus();
        dialog.addEventListener("keydown", (event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !editor.area.readOnly) dialog.close("go");
        });
      },
    });
    if (answer === "go" && editor.judge()) continue;
    if (answer || editor.area.value === text || editor.area.readOnly) return answer;
    if (await confirm({ title: T.valueLost, text: T.valueLostText, go: T.valueDrop })) return "";
  }
}

async function stageValue(view, item, column, typed, reason) {
  const value = view.table.rows.valueOf(item, column.field);
  const seen = view.edits.seen(item, column);
  const text = shownText(value, column.schema);
  const lines = /\r\n/.test(text);
  const shown = text.replaceAll("\r\n", "\n");
  const editor = textEditor(view, column, {
    text: (typed ?? text).replaceAll("\r\n", "\n"),
    readOnly: Boolean(reason),
    note: reason ?? T.valueStaged,
  });
  const actions = reason
    ? [{ label: T.close, value: "" }]
    : [
        { label: T.close, value: "" },
        { label: T.setNull, value: "null" },
        { label: T.valueApply, value: "go", primary: true },
      ];
  const answer = await held(editor, shown, () => ask(view, column, shown, editor, actions));
  view.table.sheet.setFocus();
  const now = view.table.rows.find(item.id) ?? item; // the rows may have been read again meanwhile
  if (answer === "null") view.edits.setCell(now, column, null, seen);
  if (answer !== "go" || (editor.area.value === shown && value !== null && value !== undefined)) return;
  view.edits.setCell(
    now,
    column,
    parseValue(lines ? editor.area.value.replaceAll("\n", "\r\n") : editor.area.value, column.schema),
    seen,
  );
}

/** Read the whole text of a stored value; null is NULL. Throws an Error with a sentence where it cannot be read. */
export async function readWhole(view, rowId, column) {
  const response = await request(valueUrl(view, rowId, column), {}, T.valueNoAnswer);
  return response.status === 204 ? null : response.text();
}

/**
 * Read the other side of a conflict whole, where only its start came; false, with the reason told, where that fails.
 */
export async function readTheirs(view, entry) {
  try {
    for (const [name, sides] of Object.entries(entry.conflict ?? {})) {
      if (!sides.preview) continue;
      const { preview } = sides;
      const whole = await readWhole(view, entry.id, name);
      if (sides.preview !== preview) continue; // it changed again
      sides.theirs = whole;
      delete sides.preview;
    }
    return true;
  } catch (error) {
    view.announce(error.message, "error");
    return false;
  }
}

/** A value that did not travel whole, or a binary one: by its own address. */
async function editStored(view, item, column, binary) {
  if (item.isNew) return view.announce(T.valueAfterSave, "error");
  const { schema } = view.table;
  const stream = ["longText", "binary"].includes(kindOf(column.schema));
  const readOnly =
    Boolean(schema.readOnly) ||
    (!column.editable && !(stream && column.schema.editable !== false) && !isStream(column));
  const stored = { url: valueUrl(view, item.id, column.field), etag: null };
  let response;
  try {
    view.announce(T.valueLoading);
    response = await request(stored.url, {}, T.valueNoAnswer);
    stored.etag = response.headers.get("ETag");
  } catch (error) {
    return view.announce(error.message, "error");
  }
  const isNull = response.status === 204;
  if (binary) return editBytes(view, item, column, stored, isNull ? null : await response.blob(), readOnly);
  const text = isNull ? "" : await response.text();
  const shown = text.replaceAll("\r\n", "\n");
  const editor = textEditor(view, column, { text: shown, readOnly, note: readOnly ? T.valueReadOnly : T.valueDirect });
  if (isNull) editor.area.placeholder = "NULL";
  const actions = [{ label: T.close, value: "" }];
  if (!readOnly) actions.push({ label: T.setNull, value: "null" }, { label: T.valueSave, value: "go", primary: true });
  await held(editor, shown, async () => {
    // Until it is saved or given up: what was typed must outlive a refusal.
    for (let problem = ""; problem !== null; ) {
      if (problem) editor.tell(problem);
      const answer = await ask(view, column, shown, editor, actions);
      view.table.sheet.setFocus();
      const typed = editor.area.value;
      if (answer === "null" && !isNull) problem = await write(view, stored, null);
      else if (answer === "go" && (typed !== shown || isNull))
        problem = await write(view, stored, /\r\n/.test(text) ? typed.replaceAll("\n", "\r\n") : typed);
      else return;
    }
  });
}

const isStream = (column) => kindOf(column.schema) === "longText" || column.schema.category === "longBinary";

/** Bytes are looked at and changed as files. */
async function editBytes(view, item, column, stored, blob, readOnly) {
  const { askForBytes } = await import("./bytes.js");
  const { answer, file } = await askForBytes(blob, {
    table: view.tableName,
    column: column.field,
    id: item.id,
    readOnly,
  });
  view.table.sheet.setFocus();
  if (answer === "null" && blob) await write(view, stored, null);
  if (answer === "put") await write(view, stored, file);
}

/** Replace a stored value, or set it to NULL, if it still is what was read; gives why not, or null. */
async function write(view, { url, etag }, body) {
  const headers = {
    ...(etag ? { "If-Match": etag } : {}),
    ...(typeof body === "string" ? { "Content-Type": "text/plain; charset=utf-8" } : {}),
  };
  try {
    await request(url, { method: body === null ? "DELETE" : "PUT", headers, body }, T.valueUnknown);
  } catch (error) {
    view.announce(error.message, "error");
    return error.message;
  }
  view.announce(T.saved(1));
  view.refresh().catch(() => undefined); // the view has told it
  return null;
}

async function request(url, options, unanswered) {
  const response = await fetch(url, options).catch(() => {
    throw new Error(unanswered);
  });
  if (response.status === 412) throw new Error(T.valueChanged);
  if (!response.ok) throw new Error(await failure(response));
  return response;
}

async function failure(response) {
  try {
    const body = await response.json();
    return body.error ?? body.message ?? response.statusText;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}
