// The address of what is on screen: /table/NAMESPACE/TABLE?sort=Name:asc&filter=["Age","greater",40]&search=…

import { BASE } from "../base.js";
import { activeFilters } from "../data/filters.js";
import { parse, stringify } from "../data/json.js";

const PATH = /^\/table\/([^/]+)\/(.+)$/;

/** True for two names of one table: letter case is not part of a name in IRIS. */
export const sameTable = (one, other) => fold(one) === fold(other);
const fold = ({ namespace, table }) => `${namespace}\n${table}`.toLowerCase();

/**
 * The address of a table and how it is looked at.
 *
 * @param {{namespace: string, table: string, view?: any}} shown
 */
export function address({ namespace, table, view = {} }) {
  const query = new URLSearchParams();
  for (const { column, direction } of view.sort ?? []) query.append("sort", `${column}:${direction}`);
  for (const filter of activeFilters(view.filters ?? [])) {
    const list = [filter.column, filter.operator ?? "equals"];
    const flags = ["matchCase", "or"].filter((name) => filter[name]);
    if ("value" in filter || flags.length) list.push(filter.value ?? null, ...flags);
    query.append("filter", stringify(list));
  }
  if (view.search) query.append("search", view.search);
  const path = `${BASE}/table/${encodeURIComponent(namespace)}/${encodeURIComponent(table)}`;
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** The address of a namespace, with no table open. */
export function namespaceAddress(namespace) {
  return `${BASE}/?${new URLSearchParams({ namespace })}`;
}

/** The namespace that an address without a table names, or null. */
export function readNamespace({ search }) {
  return new URLSearchParams(search).get("namespace")?.toUpperCase() ?? null;
}

/**
 * What an address shows: {namespace, table, view}, or null where it names no table. A part that cannot be read is left
 * out.
 */
export function readAddress({ pathname, search }) {
  const match = pathname.startsWith(BASE) && PATH.exec(pathname.slice(BASE.length));
  if (!match) return null;
  let namespace, table;
  try {
    // Namespaces are in upper case in IRIS; how the table is written its description says.
    [namespace, table] = [decodeURIComponent(match[1]).toUpperCase(), decodeURIComponent(match[2])];
  } catch {
    return null;
  }
  const query = new URLSearchParams(search);
  const view = {};
  const sort = query.getAll("sort").map(readSort).filter(Boolean);
  const filters = query.getAll("filter").map(readFilter).filter(Boolean);
  if (sort.length) view.sort = sort;
  if (filters.length) view.filters = filters;
  if (query.get("search")) view.search = query.get("search");
  return { namespace, table, view };
}

function readSort(text) {
  const colon = text.lastIndexOf(":");
  const [column, direction] = [text.slice(0, colon), text.slice(colon + 1)];
  return colon > 0 && (direction === "asc" || direction === "desc") ? { column, direction } : null;
}

function readFilter(text) {
  let list;
  try {
    list = parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(list) || typeof list[0] !== "string" || typeof list[1] !== "string") return null;
  const filter = { column: list[0], operator: list[1] };
  if (list.length > 2) filter.value = list[2];
  for (const flag of ["matchCase", "or"]) if (list.indexOf(flag, 3) > 0) filter[flag] = true;
  return filter;
}
