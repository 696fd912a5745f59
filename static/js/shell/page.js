// What the server wrote into the page: read once from <body>'s data attributes.

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

/** What the server takes of messages; undefined where it does not say. */
const paceOf = (settings) => ({
  rate: settings.messages_per_second,
  burst: settings.messages_burst,
  bytesRate: settings.message_bytes_per_second,
  bytesBurst: settings.message_bytes_burst,
});
