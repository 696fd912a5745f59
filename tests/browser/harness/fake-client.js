// A client whose server is a table in the page: for what needs tables of any size, or answers at will.

import { sameValue } from "/static/js/data/values.js";

const pad = (number, width) => String(number).padStart(width, "0");

/** Columns of every kind; the value of a cell follows from its row number. */
export const COLUMNS = [
  { name: "ID", dataType: "INTEGER", category: "integer", nullable: false, isPrimaryKey: true, readOnly: true, editable: false, readOnlyReason: "Given by the database", make: (i) => i + 1 },
  { name: "Name", dataType: "VARCHAR", category: "text", nullable: false, maxLength: 50, make: (i) => `name ${i}` },
  { name: "City", dataType: "VARCHAR", category: "text", nullable: true, maxLength: 80, make: (i) => (i % 5 === 0 ? null : i % 5 === 1 ? "" : `city ${i}`) },
  { name: "DOB", dataType: "DATE", category: "date", nullable: true, make: (i) => `${1940 + (i % 60)}-${pad(1 + (i % 12), 2)}-${pad(1 + (i % 28), 2)}` },
  { name: "Age", dataType: "INTEGER", category: "integer", nullable: true, make: (i) => i % 100 },
  { name: "Balance", dataType: "NUMERIC", category: "numeric", nullable: true, precision: 12, scale: 2, make: (i) => i / 4 },
  { name: "Insured", dataType: "BIT", category: "boolean", nullable: true, make: (i) => [1, 0, null][i % 3] },
  { name: "Notes", dataType: "LONGVARCHAR", category: "longText", nullable: true, editable: false, readOnlyReason: "A stream: open it to edit the whole value", make: () => "start of a long text" },
  { name: "Modified", dataType: "POSIXTIME", category: "posixtime", nullable: true, make: (i) => `2024-01-31 10:00:${pad(i % 60, 2)}.5` },
  { name: "Spouse", dataType: "INTEGER", category: "integer", nullable: true, references: { table: "Sample.Person", column: "ID" }, make: (i) => (i % 4 ? null : i + 1) },
];

export class FakeClient extends EventTarget {
  state = "live";
  requests = [];
  slow = 0; // milliseconds that each change takes to be saved
  hold = null; // a function that may return a promise to wait for, by (command, payload)
  more = null; // a function that may give more fields of a change's result, by (change, result)
  fail = null; // a function that may return an error to reject with
  writes = new Map(); // row ID -> {column: value}
  deleted = new Set();
  inserted = [];

  constructor({ rows = 1000, columns = 0, delay = 5, readOnly = false, countState = "exact", pageRows = null } = {}) {
    super();
    Object.assign(this, { rows, delay, readOnly, countState, pageRows });
    this.columns = [...COLUMNS, ...Array.from({ length: columns }, (_, k) => ({ name: `Extra ${k}`, dataType: "VARCHAR", category: "text", nullable: true, maxLength: 40, make: (i) => `r${i}c${k}` }))];
  }

  #row(i) {
    const values = {};
    for (const column of this.columns) values[column.name] = column.make(i);
    return Object.assign(values, this.writes.get(String(i + 1)));
  }

  value(id, name) {
    return this.#row(Number(id) - 1)[name];
  }

  /** Someone else writes. */
  push(changes, by = "alice") {
    for (const change of changes) {
      if (change.kind === "delete") this.deleted.add(change.rowId);
      else this.writes.set(change.rowId, { ...this.writes.get(change.rowId), ...change.values });
    }
    this.dispatchEvent(new CustomEvent("rowsChanged", { detail: { namespace: "USER", tableName: "Demo.Table", changes, by } }));
  }

  #list({ filters = [], sort = [], search = "" }) {
    if (!filters.length && !sort.length && !search && !this.deleted.size && !this.inserted.length) return null;
    let list = [];
    for (let i = 0; i < Math.min(this.rows, 20_000); i++) if (!this.deleted.has(String(i + 1))) list.push(i);
    list.push(...this.inserted);
    const holds = (i, { column, operator, value }) => test(this.#row(i)[column], operator, value);
    for (const filter of filters) {
      const group = filter.group === undefined ? [filter] : filters.filter((other) => other.group === filter.group);
      list = list.filter((i) => group.some((one) => holds(i, one)));
    }
    if (search) list = list.filter((i) => this.columns.some((column) => column.category === "text" && String(this.#row(i)[column.name] ?? "").includes(search)));
    if (sort.length) {
      list.sort((a, b) => {
        for (const { column, direction } of sort) {
          const [x, y] = [this.#row(a)[column], this.#row(b)[column]];
          const order = x === y ? 0 : x === null ? -1 : y === null ? 1 : x < y ? -1 : 1;
          if (order) return direction === "asc" ? order : -order;
        }
        return a - b;
      });
    }
    return list;
  }

  #page(payload) {
    const { pageSize = 100 } = payload;
    const list = this.#list(payload);
    const length = list ? list.length : this.rows;
    let from = payload.offset ?? 0;
    if (payload.after !== undefined) from = Number(payload.after) + 1;
    const before = payload.before === "end" ? length : payload.before === undefined ? null : Number(payload.before);
    if (before !== null) from = Math.max(0, before - pageSize);
    const to = Math.min(length, before ?? from + pageSize);
    const numbers = Array.from({ length: Math.max(0, to - from) }, (_, k) => (list ? list[from + k] : from + k));
    return {
      namespace: "USER", tableName: "Demo.Table", rows: numbers.map((i) => this.#row(i)), rowIds: numbers.map((i) => String(i + 1)),
      previews: Object.fromEntries(numbers.map((i) => [String(i + 1), { Notes: { length: 12_000, unit: "characters" } }])),
      cursors: { next: to < length ? String(to - 1) : null, previous: from > 0 ? String(from) : null },
      totalRows: this.countState === "exact" ? length : to, countState: this.countState, page: 0, pageSize,
    };
  }

  async send(command, payload = {}, { onEvent = () => {}, signal = null } = {}) {
    this.requests.push({ command, payload });
    const held = this.hold?.(command, payload);
    if (held) await held;
    else await new Promise((resolve) => setTimeout(resolve, this.delay));
    if (signal?.aborted) throw Object.assign(new Error("No longer wanted"), { code: "ABORTED" });
    const error = this.fail?.(command, payload);
    if (error) throw Object.assign(new Error(error.message), error);
    const emit = (event, answer) => {
      onEvent(event, answer);
      return { event, payload: answer };
    };
    switch (command) {
      case "selectTable": {
        emit("tableSelected", { tableName: "Demo.Table", namespace: "USER" });
        emit("tableSchema", { tableName: "Demo.Table", namespace: "USER", columns: this.columns.map(({ make, ...column }) => ({ editable: !column.readOnly, ...column })), identity: { kind: "rowId", columns: ["ID"] }, readOnly: this.readOnly, readOnlyReason: this.readOnly ? "The server is read-only" : null });
        return emit("tableData", this.#page({ pageSize: 100 }));
      }
      case "requestData": return emit("tableData", this.#page(payload));
      case "countRows": return emit("rowCount", { totalRows: this.#list(payload)?.length ?? this.rows, countState: "exact" });
      case "getColumnValues": {
        const counts = new Map();
        for (const i of this.#list(payload) ?? Array.from({ length: this.rows }, (_, k) => k)) {
          const value = this.#row(i)[payload.column];
          counts.set(value, (counts.get(value) ?? 0) + 1);
        }
        const values = [...counts].map(([value, rows]) => ({ value, rows })).sort((a, b) => b.rows - a.rows);
        return emit("columnValues", { namespace: "USER", tableName: "Demo.Table", column: payload.column, values: values.slice(0, 100), more: values.length > 100 });
      }
      case "saveChanges": {
        const counts = { saved: 0, conflicts: 0, failed: 0, unknown: 0, skipped: 0 };
        for (const change of payload.changes) {
          if (this.slow) await new Promise((resolve) => setTimeout(resolve, this.slow));
          const result = signal?.aborted ? { outcome: "skipped" } : this.#save(change);
          counts[{ saved: "saved", conflict: "conflicts", gone: "conflicts", failed: "failed", skipped: "skipped" }[result.outcome]]++;
          emit("changeResult", { changeId: change.changeId, ...result, ...this.more?.(change, result) });
        }
        return emit("changesSaved", counts);
      }
      case "previewChanges":
        return emit("changesPreview", { statements: payload.changes.map((change) => ({ changeId: change.changeId, sql: `${change.kind.toUpperCase()} "Demo"."Table"`, values: Object.values(change.values ?? {}) })) });
      default: throw Object.assign(new Error(`Unknown command: ${command}`), { code: "UNKNOWN_COMMAND" });
    }
  }

  #save({ kind, rowId, values, base }) {
    if (Object.values(values ?? {}).includes("bad")) return { outcome: "failed", error: { code: "CONSTRAINT_VIOLATION", message: "Name must not be bad", field: "Name", sqlcode: -104, serverText: "Field validation failed" } };
    if (kind === "insert") {
      const i = this.rows++;
      this.writes.set(String(i + 1), { ...Object.fromEntries(this.columns.map((column) => [column.name, null])), ID: i + 1, ...values });
      return { outcome: "saved", rowId: String(i + 1), values: this.#row(i) };
    }
    if (this.deleted.has(rowId)) return { outcome: "gone" };
    const now = this.#row(Number(rowId) - 1);
    const conflict = {};
    for (const [name, seen] of Object.entries(base)) {
      if (!sameValue(now[name], seen) && (now[name] ?? null) !== seen) conflict[name] = { base: seen, mine: values?.[name] ?? seen, theirs: now[name] };
    }
    if (Object.keys(conflict).length) return { outcome: "conflict", conflict };
    if (kind === "delete") {
      this.deleted.add(rowId);
      return { outcome: "saved" };
    }
    this.writes.set(rowId, { ...this.writes.get(rowId), ...values });
    return { outcome: "saved", rowId, values };
  }
}

function test(value, operator, wanted) {
  switch (operator) {
    case "contains": return String(value ?? "").toLowerCase().includes(String(wanted).toLowerCase());
    case "equals": return sameValue(value, wanted);
    case "notEquals": return !sameValue(value, wanted);
    case "greater": return value !== null && value > wanted;
    case "greaterOrEqual": return value !== null && value >= wanted;
    case "less": return value !== null && value < wanted;
    case "between": return value !== null && value >= wanted[0] && value <= wanted[1];
    case "in": return wanted.some((each) => sameValue(value, each));
    case "isNull": return value === null;
    case "isNotNull": return value !== null;
    case "isEmpty": return value === "";
    default: return true;
  }
}
