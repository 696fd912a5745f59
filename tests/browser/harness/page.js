// One TableView over the fake client; the query of the address sets its size and manners.

import { TableView } from "/static/js/table/view.js";
import { guardCompositions } from "/static/js/ui/compositions.js";
import { FakeClient } from "./fake-client.js";

guardCompositions();
const query = new URLSearchParams(location.search);
const number = (name, otherwise) => Number(query.get(name) ?? otherwise);
const client = new FakeClient({ rows: number("rows", 1000), columns: number("cols", 0), delay: number("delay", 5), readOnly: query.has("readonly"), countState: query.get("count") ?? "exact" });
const store = query.has("store") ? sessionStorage : null;
const view = new TableView({
  host: document.querySelector("#host"),
  client,
  namespace: "USER",
  tableName: "Demo.Table",
  settings: { pageSize: 200, autosave: query.has("autosave"), decimal: query.get("decimal") ?? "." },
  nonce: document.querySelector("meta[name=csp-nonce]").content,
  store,
  announce: (text, kind) => window.said.push([text, kind ?? "info"]),
});
Object.assign(window, { client, view, said: [], statuses: [], opened: [] });
view.addEventListener("status", ({ detail }) => window.statuses.push(detail));
view.addEventListener("openTable", ({ detail }) => window.opened.push(detail));
view.open(JSON.parse(query.get("state") ?? "null")).then(() => { window.ready = true; }, (error) => { window.failed = error.message; });
