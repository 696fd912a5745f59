// Reading a table over the socket: schema, pages, counts. Pages come by cursor, or by offset where rows have no
// identity.

import { own, record } from "../data/json.js";

/**
 * A table as the server has it. `onCount(total, countState)` is told counts that come late, `onRead({ms, roundTrips})`
 * how long a page took and how many requests to IRIS.
 */
export class Reading {
  // Given to the constructor.
  client;
  namespace;
  tableName;
  onCount;
  onRead;

  constructor(client, { namespace, tableName, onCount, onRead }) {
    Object.assign(this, { client, namespace, tableName, onCount, onRead });
    this.query = { filters: [], sort: [], search: "" };
  }

  /** Read schema and first page; `onSchema(schema)` comes before the rows. Resolves with the page. */
  async open(pageSize, onSchema, signal) {
    const start = performance.now();
    let page = null;
    await this.client.send(
      "selectTable",
      { namespace: this.namespace, tableName: this.tableName, count: "deferred" },
      {
        signal,
        onEvent: (event, payload) => {
          if (event === "tableSchema") onSchema(payload);
          else if (event === "tableData") page = this.#took(start, payload, 0, pageSize);
          else if (event === "rowCount") this.onCount(payload.totalRows, payload.countState);
        },
      },
    );
    return page;
  }

  /** One page for a RowCache: {after | before | offset, pageSize}. */
  async page(request, signal) {
    const { pageSize } = request;
    const start = performance.now();
    const { query } = this;
    /** @type {any} */
    const payload = {
      namespace: this.namespace,
      tableName: this.tableName,
      pageSize,
      count: "deferred",
      ...this.#wire(query),
    };
    if (request.refresh) payload.refresh = true;
    let offset = request.offset ?? 0;
    const edge = request.after ?? request.before;
    if (edge?.offset !== undefined) {
      offset = request.before ? Math.max(0, edge.offset - pageSize) : edge.offset;
      if (request.before) payload.pageSize = edge.offset - offset;
      payload.offset = offset;
    } else if (request.after) payload.after = request.after;
    else if (request.before) payload.before = request.before;
    else payload.offset = offset;
    let data = null;
    await this.client.send("requestData", payload, {
      signal,
      onEvent: (event, answer) => {
        if (event === "tableData") data = answer;
        else if (event === "rowCount" && query === this.query) this.onCount(answer.totalRows, answer.countState);
      },
    });
    return this.#took(start, data, offset, payload.pageSize);
  }

  /** Count all matching rows exactly. */
  async count(signal) {
    const { payload } = await this.client.send(
      "countRows",
      { namespace: this.namespace, tableName: this.tableName, ...this.#filters(this.query) },
      { signal },
    );
    this.onCount(payload.totalRows, payload.countState);
  }

  /** How many of the matching rows match further filters too. */
  async countWith(more) {
    const { filters, search } = this.query;
    const query = { filters: [...filters, ...more], search };
    const { payload } = await this.client.send("countRows", {
      namespace: this.namespace,
      tableName: this.tableName,
      ...this.#filters(query),
    });
    return payload.totalRows;
  }

  #filters({ filters, search }) {
    return { ...(filters.length ? { filters } : {}), ...(search ? { search } : {}) };
  }

  #wire(query) {
    return { ...this.#filters(query), ...(query.sort.length ? { sort: query.sort } : {}) };
  }

  #took(start, data, offset, pageSize) {
    this.onRead({ ms: performance.now() - start, roundTrips: data.roundTrips ?? null });
    return this.#page(data, offset, pageSize);
  }

  #page(data, offset, pageSize) {
    const { rows, rowIds, previews = {}, cursors, totalRows, countState = "exact" } = data;
    const keyed = Array.isArray(rowIds) && rowIds.length === rows.length && rowIds.every((id) => id !== null);
    const list = rows.map((values, index) => {
      const id = keyed ? String(rowIds[index]) : `#${offset + index}`;
      return { id, values, previews: record(own(previews, keyed ? id : String(index))) };
    });
    let next = cursors?.next ?? null;
    let previous = cursors?.previous ?? null;
    if (!cursors) {
      next = rows.length === pageSize && offset + rows.length !== totalRows ? { offset: offset + rows.length } : null;
      previous = offset > 0 ? { offset } : null;
    }
    return { rows: list, next, previous, total: totalRows, countState };
  }
}
