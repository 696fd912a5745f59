// The editor for large values: several lines, JSON, and values that did not travel whole. A value that is here is staged;
// one that had to be fetched goes to the database by itself, guarded by the hash of what was read.

import { confirm, openDialog } from "../shell/dialog.js";
import { el } from "../shell/dom.js";
import { kindOf, looksLikeJson, parseValue, textOf, ValueError } from "../data/values.js";
import { T, reasonText } from "../grid/texts.js";

const valueUrl = (view, rowId, column) => `/api/value/${[view.namespace, view.tableName, rowId, column].map(encodeURIComponent).join("/")}`;

/** Open the value of a cell; the text typed so far in the cell's editor is taken along. */
export async function openValue(view, row, cell) {
  const { table, edits } = view;
  const column = table.columns[cell];
  const item = table.rows.getItem(row);
  if (!item || column.gutter) return;
  const editor = table.sheet.isEditing(row, cell) ? table.sheet.getCellEditor() : null;
  const typed = editor?.touched && !editor.isNull ? editor.newText : null;
  table.sheet.cancelEditing();
  const whole = !item.previews?.[column.field] || table.staged.has(item.id, column.field);
  const binary = kindOf(column.schema) === "binary";
  if (whole && !binary) return stageValue(view, item, column, typed, edits.reason(item, column));
  return editStored(view, item, column, binary);
}

function textEditor(view, column, { text, readOnly, note }) {
  const area = el("textarea", { class: "input value-text", rows: "16", spellcheck: "false", "aria-label": T.valueTitle(column.field), readonly: readOnly });
  area.value = text;
  const check = el("p", { class: "field-note", role: "status" }, note);
  const format = el("button", { class: "button button-outline", type: "button", hidden: true, on: { click: () => {
    area.value = JSON.stringify(JSON.parse(area.value), null, 2);
    area.dispatchEvent(new Event("input"));
  } } }, T.valueFormat);
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
    check.textContent = problem ?? (json ? `${T.validJson}. ${note}` : /^\s*[[{]/.test(area.value) ? `${T.notJson}. ${note}` : note);
    return problem;
  };
  area.addEventListener("input", judge);
  judge();
  return { area, body: [area, el("div", { class: "value-tools" }, check, format)], judge };
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
    if (await confirm({ title: T.valueLost, text: T.valueLostText, go: T.discardGo })) return "";
  }
}

async function stageValue(view, item, column, typed, reason) {
  const value = view.table.rows.valueOf(item, column.field);
  const text = textOf(value);
  const lines = /\r\n/.test(text);
  const shown = text.replaceAll("\r\n", "\n");
  const editor = textEditor(view, column, { text: (typed ?? text).replaceAll("\r\n", "\n"), readOnly: Boolean(reason), note: reason ?? T.valueStaged });
  const actions = reason ? [{ label: T.close, value: "" }] : [{ label: T.close, value: "" }, { label: T.setNull, value: "null" }, { label: T.valueApply, value: "go", primary: true }];
  const answer = await ask(view, column, shown, editor, actions);
  view.table.sheet.setFocus();
  if (answer === "null") view.edits.setCell(item, column, null);
  if (answer !== "go" || (editor.area.value === shown && value !== null && value !== undefined)) return;
  view.edits.setCell(item, column, parseValue(lines ? editor.area.value.replaceAll("\n", "\r\n") : editor.area.value, column.schema));
}

/** A value that did not travel whole, or a binary one: by its own address. */
async function editStored(view, item, column, binary) {
  const url = valueUrl(view, item.id, column.field);
  if (item.isNew) return view.announce(T.reason.notEditable(), "error");
  const readOnly = Boolean(view.table.schema.readOnly) || (column.schema.readOnly && column.schema.editable === false && !isStream(column));
  let response;
  let text = "";
  try {
    response = await fetch(url, { headers: { Accept: "*/*" }, credentials: "same-origin" });
    if (!response.ok) throw new Error(await failure(response));
    if (!binary) text = await response.text();
  } catch (error) {
    return view.announce(error.message, "error");
  }
  if (binary) return saveFile(response, `${column.field}-${item.id}`);
  const etag = response.headers.get("ETag");
  const shown = text.replaceAll("\r\n", "\n");
  const editor = textEditor(view, column, { text: shown, readOnly, note: readOnly ? T.valueReadOnly : T.valueDirect });
  const answer = await ask(view, column, shown, editor, readOnly ? [{ label: T.close, value: "" }] : [{ label: T.close, value: "" }, { label: T.valueSave, value: "go", primary: true }]);
  view.table.sheet.setFocus();
  if (answer !== "go" || editor.area.value === shown) return;
  const body = /\r\n/.test(text) ? editor.area.value.replaceAll("\n", "\r\n") : editor.area.value;
  await put(view, item, column, url, etag, body);
}

const isStream = (column) => kindOf(column.schema) === "longText";

async function put(view, item, column, url, etag, body) {
  try {
    const headers = { "Content-Type": "text/plain; charset=utf-8", ...(etag ? { "If-Match": etag } : {}) };
    const response = await fetch(url, { method: "PUT", headers, body, credentials: "same-origin" });
    if (response.status === 412) throw new Error(T.valueChanged);
    if (!response.ok) throw new Error(await failure(response));
    view.announce(T.saved(1));
    await view.refresh();
  } catch (error) {
    view.announce(error.message, "error");
  }
}

async function failure(response) {
  try {
    const body = await response.json();
    return body.error ?? body.message ?? response.statusText;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}

async function saveFile(response, name) {
  const url = URL.createObjectURL(await response.blob());
  const link = el("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
