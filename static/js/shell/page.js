// What the server wrote into the page: read once from <body>'s data attributes, and the first rows of its table.

import { parse } from "../data/json.js";
import { sameTable } from "./location.js";

/** The page's facts: who, where, and how the server wants it. */
export function readPage(body = document.body) {
  const data = body.dataset;
  let settings = {};
  try {
    settings = JSON.parse(data.settings || "{}");
  } catch {
    // A page without settings works with its own defaults.
  }
  return {
    socket: data.socket,
    user: data.user,
    server: { name: data.server, label: data.serverLabel, readOnly: data.readOnly === "true" },
    namespace: data.namespace || null,
    nonce: data.nonce,
    logout: data.logout,
    settings: {
      pageSize: settings.page_size ?? 100,
      drafts: settings.drafts ?? "tab",
      version: settings.version ?? "",
      demo: Boolean(settings.demo),
      production: Boolean(settings.production),
      bytesMax: settings.message_bytes_max,
      changesMax: settings.changes_max,
      pace: paceOf(settings),
    },
  };
}

/**
 * Take the first rows that came with the page out of it: {filters, sort, search, readMark, ms, events}; null where
 * there are none for this table. They are handed out once.
 *
 * @param {{namespace: string, table: string}} shown
 */
export function takeFirstRows(shown) {
  const element = document.getElementById("first-rows");
  if (!element?.textContent) return null;
  const { rowsNamespace: namespace, rowsTable: table } = element.dataset;
  if (!sameTable({ namespace, table }, shown)) return null;
  element.remove();
  return parse(element.textContent);
}

/** What the server takes of messages; undefined where it does not say. */
const paceOf = (settings) => ({
  rate: settings.messages_per_second,
  burst: settings.messages_burst,
  bytesRate: settings.message_bytes_per_second,
  bytesBurst: settings.message_bytes_burst,
});
