// The menu of a filter cell: how its column is compared, each with what to write for it, and the values to choose from.

import { openMenu } from "../ui/menu.js";
import { SIGN_OF, defaultOperator, operatorsOf, parseFilter, takesValue } from "../data/filters.js";
import { ValueError, kindOf } from "../data/values.js";
import { T } from "./texts.js";

const WRITTEN = { isNull: "NULL", isNotNull: "not NULL", isEmpty: "''" };
const LISTED_MAX = 400; // characters of a text that is shown in a list of values

/** True for a column whose values can be listed. */
function hasValueList({ schema }) {
  const kind = kindOf(schema);
  if (kind === "text") return Number.isInteger(schema.maxLength) && schema.maxLength <= LISTED_MAX;
  return !["binary", "list", "longText"].includes(kind);
}

/**
 * Open the menu below a button. `put(text, {apply})` writes into the cell, `chooseValues()` opens the list of values.
 */
export function openFilterMenu(button, { column, text, put, chooseValues }) {
  const { schema } = column;
  const now = parsed(text, schema);
  const value =
    now && takesValue(now.operator) && now.operator !== "in" && now.operator !== "between" ? plain(text) : "";
  const items = operatorsOf(schema).map((operator) => ({
    label: T.operator[operator],
    hint: hintOf(operator, schema),
    checked: now?.operator === operator,
    run: () => put(...written(operator, value, schema)),
  }));
  openMenu(
    button,
    [
      ...items,
      null,
      ...(hasValueList(column) ? [{ label: T.chooseValues, icon: "list-checks", run: chooseValues }] : []),
      { label: T.clearThis, icon: "x", disabled: !text, run: () => put("", { apply: true }) },
    ],
    { label: T.howCompared(column.name) },
  );
}

function parsed(text, schema) {
  try {
    return parseFilter(text, schema);
  } catch (error) {
    if (error instanceof ValueError) return null;
    throw error;
  }
}

/** The text without the sign of its operator. */
const plain = (text) => text.trim().replace(/^(?:<>|!=|>=|<=|[=≠≥≤<>^$])\s*/, "");

function hintOf(operator, schema) {
  if (!takesValue(operator)) return WRITTEN[operator];
  if (operator === "in") return "in a, b";
  if (operator === "between") return "a .. b";
  if (operator === "matches") return "a*, a?c";
  return operator === defaultOperator(schema) ? "…" : `${SIGN_OF[operator]} …`;
}

/** What is written for an operator, and whether it is a filter already. */
function written(operator, value, schema) {
  if (!takesValue(operator)) return [WRITTEN[operator], { apply: true }];
  if (operator === "in") return [`in ${value}`, { apply: Boolean(value) }];
  if (operator === "between") return [value ? `${value} .. ` : "", { apply: false }];
  if (operator === "matches") return [/[*?]/.test(value) ? value : `${value}*`, { apply: Boolean(value) }];
  const sign = operator === defaultOperator(schema) ? "" : `${SIGN_OF[operator]} `;
  return [`${sign}${value}`, { apply: Boolean(value) }];
}
