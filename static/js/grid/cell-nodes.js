// What a cell looks like: its value as text, its state as a tint with a mark. Values only ever become text nodes.

import { el, icon } from "../ui/dom.js";
import { Invalid, isCut, isNumeric, kindOf, shownText, sizeText } from "../data/values.js";
import { T } from "./texts.js";

const BONES = ["bone-1", "bone-2", "bone-3", "bone-4"];
const CUT = 400; // characters of a value that a cell holds; the rest is in the detail panel

const span = (className, text) => el("span", { class: className }, text);

/** Letters of scripts that are written from right to left. */
const RTL = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** The nodes that show a value in a cell; `preview` tells the size of a value that did not travel whole. */
export function valueNodes(value, column, preview = null) {
  if (value === undefined) return [unset(column)];
  const kind = kindOf(column);
  if (value instanceof Invalid)
    return [value.text === "" ? span("v-empty", "''") : document.createTextNode(firstLine(value.text))];
  if (value === null) {
    const word = span("v-null", "NULL");
    return kind === "bit"
      ? [span("bool", ""), word].map((node, i) => (i ? node : (node.append(box(null)), node)))
      : [word];
  }
  if (value === "") return [span("v-empty", "''")];
  if (kind === "bit") return [el("span", { class: "bool" }, box(value))];
  const text = shownText(value, column);
  if (isCut(value, preview)) {
    const size =
      preview.length === undefined || preview.length === null ? T.long : sizeText(preview.length, preview.unit);
    return [el("span", { class: "v-long" }, span("clip", firstLine(text)), span("size", `… ${size}`))];
  }
  const line = firstLine(text);
  if (line.length === text.length) return [document.createTextNode(text)];
  return [document.createTextNode(line), span("v-more", "↵")];
}

/** What a new row's column without a value becomes: its default, NULL, or nothing at all before it is given one. */
function unset(column) {
  const given = column.hasDefault || column.readOnly || column.editable === false;
  if (given) return span("v-default", T.default);
  return column.nullable === false ? span("v-default v-required", T.requires) : span("v-null", "NULL");
}

function firstLine(text) {
  const end = text.search(/[\r\n]/);
  return (end < 0 ? text : text.slice(0, end)).slice(0, CUT);
}

/** A check box with three states, as a picture: the cell is the control. */
export function box(value) {
  const on = value === 1 || value === true || String(value) === "1";
  const label = value === null ? "NULL" : on ? T.true : T.false;
  const node = el("span", {
    class: `box${value === null ? " null" : on ? " on" : ""}`,
    role: "img",
    "aria-label": label,
  });
  if (on) node.append(icon("check"));
  return node;
}

const STATES = ["changed", "saving", "error", "conflict", "unknown", "others"];
const STATE_ICONS = { error: "circle-alert", conflict: "arrow-right-left", unknown: "circle-help", others: "user-pen" };

/**
 * Paint a value cell. `look` is {value, preview, state, why, editable, reason}; state is one of the names in
 * STATE_CLASSES.
 */
export function paintValue(node, column, look) {
  // Most cells are plain and freshly made: nothing of an older look has to be taken off them.
  if (look.state || node.className.includes(" is-")) {
    for (const state of STATES) node.classList.toggle(`is-${state}`, look.state === state);
    node.classList.remove("is-waiting");
  }
  node.classList.toggle("is-readonly", !look.editable);
  node.replaceChildren(...valueNodes(look.value, column, look.preview));
  // The attribute costs every cell some layout: those without such a letter do without it.
  if (typeof look.value === "string" && RTL.test(look.value)) node.dir = "auto";
  else if (node.dir) node.removeAttribute("dir");
  const follows = Boolean(column.references) && look.value !== null && look.value !== undefined && look.value !== "";
  if (column.references) node.classList.toggle("has-follow", follows);
  if (follows) {
    node.append(
      el(
        "span",
        { class: "follow", title: T.follow(column.references.table), "aria-hidden": "true", data: { follow: "" } },
        icon("chevron-right", { small: true }),
      ),
    );
  }
  const mark = STATE_ICONS[look.state];
  if (mark) node.append(icon(mark, { small: true, label: T.state[look.state], class: "state-icon" }));
  const why = look.why ?? (look.editable ? null : look.reason);
  if (why) node.title = why;
  else node.removeAttribute("title");
  if (look.state === "error" || look.state === "conflict") node.setAttribute("aria-invalid", "true");
  else node.removeAttribute("aria-invalid");
  if (look.editable) node.removeAttribute("aria-readonly");
  else node.setAttribute("aria-readonly", "true");
}

/** Paint a cell whose row is not here yet. */
export function paintWaiting(node, column, row) {
  node.className = `${node.className.replace(/ is-[a-z]+/g, "")} is-waiting`;
  node.replaceChildren(
    el("span", { class: `bone ${BONES[(row + (isNumeric(column) ? 2 : column.name.length)) % 4]}` }),
  );
  node.removeAttribute("title");
  node.removeAttribute("aria-invalid");
}

const GUTTER_MARKS = {
  new: () => icon("plus", { small: true, label: T.state.new, class: "new" }),
  deleted: () => icon("minus", { small: true, label: T.state.deleted, class: "deleted" }),
  error: () => icon("circle-alert", { small: true, label: T.state.error, class: "error" }),
  conflict: () => icon("arrow-right-left", { small: true, label: T.state.conflict, class: "conflict" }),
  gone: () => icon("arrow-right-left", { small: true, label: T.state.gone, class: "conflict" }),
  outside: () => icon("eye-off", { small: true, label: T.state.outside, class: "saving" }),
  unknown: () => icon("circle-help", { small: true, label: T.state.unknown, class: "unknown" }),
  saving: () => icon("refresh-cw", { small: true, label: T.state.saving, class: "saving" }),
  changed: () => el("span", { class: "changed", role: "img", "aria-label": T.state.changed }),
};

/** Paint the cell beside a row: its number and its state. */
export function paintGutter(node, number, state, why = null) {
  node.setAttribute("role", "rowheader");
  node.removeAttribute("aria-readonly");
  node.replaceChildren(
    el("div", { class: "gutter-in" }, GUTTER_MARKS[state]?.() ?? null, number === null ? "" : String(number)),
  );
  if (why) node.title = why;
  else node.removeAttribute("title");
}
