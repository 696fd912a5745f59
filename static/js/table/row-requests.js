// Reading a table over the socket: schema, pages, counts. Pages come by cursor, or by offset where rows have no
// identity.

import { own, record, stringify } from "../data/json.js";

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
  #firstRows;
  #readMark = null; // of rows that came with the page and whose changes are not followed yet

  constructor(client, { namespace, tableName, firstRows = null, onCount, onRead }) {
    Object.assign(this, { client, namespace, tableName, onCount, onRead });
    this.#firstRows = firstRows;
    this.query = { filters: [], sort: [], search: "" };
  }

  /**
   * Read schema and first page; `onSchema(schema)` comes before the rows. Resolves with the page, or with null where
   * the rows of the query are still to be read. Rows that came with the page are offered to onSchema and are `shown`
   * then.
   */
  async open(pageSize, onSchema, signal) {
    const given = this.#firstRows;
    this.#firstRows = null;
    if (given) return this.#openGiven(given, pageSize, onSchema);
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
    const { filters, sort, search } = this.query;
    return filters.length || sort.length || search ? null : page;
  }

  /** @param {any} given */
  #openGiven({ readMark, ms, events, ...query }, pageSize, onSchema) {
    const [{ payload: schema }, { payload: data }] = events;
    if (data.countState !== "exact") data.countState = "pending";
    let page = null;
    onSchema(schema, () => {
      if (comparable(query) !== comparable(this.query)) return null;
      this.#readMark = readMark;
      this.onRead({ ms, roundTrips: data.roundTrips ?? null });
      page = { ...this.#page(data, 0, pageSize), shown: true };
      return page;
    });
    return page;
  }

  /**
   * Follow the changes of rows that came with the page; false when they must be read once more, because the server
   * cannot say what changed since.
   */
  async follow() {
    const readMark = this.#readMark;
    this.#readMark = null;
    if (!readMark) return true;
    const { query } = this;
    const { payload } = await this.client.send(
      "followTable",
      { namespace: this.namespace, tableName: this.tableName, readMark, ...this.#filters(query) },
      {
        onEvent: (event, answer) => {
          if (event === "rowCount" && query === this.query) this.onCount(answer.totalRows, answer.countState);
        },
      },
    );
    return payload.complete;
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

/** A query as a text that is the same for the same rows. */
const comparable = ({ filters, sort, search }) =>
  stringify([
    filters.map(({ column, operator, value = null, matchCase = false }) => [column, operator, value, matchCase]),
    sort.map(({ column, direction }) => [column, direction]),
    search,
  ]);
