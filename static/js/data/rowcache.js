// Rows of one query by position: a sparse set of chunks, read by keyset where a neighbour is known, that forgets.

const isAbort = (error) => error?.name === "AbortError" || error?.code === "ABORTED" || error?.code === "CANCELLED";

/**
 * A page as load() gives it: {rows: [{id, values, previews}], next, previous, total, countState}.
 * `next` and `previous` are cursors or null where the table ends; the cursor "end" stands for the end itself.
 * `refresh: true` in a request asks to count again.
 */
export class RowCache {
  // Given to the constructor.
  onLength;
  load;
  pageSize;
  onRows;
  onError;
  maxRows;

  #chunks = []; // {start, rows, next, previous, request, used}, by start, never overlapping
  #chunkOf = new Map(); // row ID -> chunk
  #clock = 0;
  #flight = null; // {from, to, controller}
  #view = null; // the range on screen: {from, to}
  #ranges = []; // ranges that someone waits for: {from, to, resolve, reject}
  #epoch = 0;
  #retries = 0;

  constructor({ load, pageSize = 200, maxRows = 8000, onRows = () => {}, onLength = () => {}, onError = () => {} }) {
    Object.assign(this, { load, pageSize, maxRows, onRows, onLength, onError });
    this.length = 0;
    this.countState = "pending";
    this.paused = false;
  }

  /** The row at a position, or undefined while it is not here. */
  at(index) {
    const chunk = this.#chunkAt(index);
    if (!chunk) return undefined;
    chunk.used = ++this.#clock;
    return chunk.rows[index - chunk.start];
  }

  /** The position of a row that is here, else -1. */
  indexOf(id) {
    const chunk = this.#chunkOf.get(id);
    if (!chunk) return -1;
    const offset = chunk.rows.findIndex((row) => row.id === id);
    return offset < 0 ? -1 : chunk.start + offset;
  }

  find(id) {
    return this.#chunkOf.get(id)?.rows.find((row) => row.id === id);
  }

  /** How many rows of a range are here. */
  countIn(from, to) {
    const overlap = ({ start, rows }) => Math.min(to, start + rows.length - 1) - Math.max(from, start) + 1;
    return this.#chunks.reduce((sum, chunk) => sum + Math.max(0, overlap(chunk)), 0);
  }

  /** Whether nothing is being read at this moment. */
  get idle() {
    return this.#flight === null;
  }

  get size() {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.rows.length, 0);
  }

  /** Forget everything and start with a first page, or with room for rows that are expected. */
  reset(page = null, expected = 0) {
    this.#epoch++;
    this.#drop();
    this.#chunks = [];
    this.#chunkOf.clear();
    this.#retries = 0;
    this.paused = false;
    this.length = expected;
    this.countState = "pending";
    if (page) this.#accept({ offset: 0 }, 0, null, page);
    else this.onLength();
  }

  close() {
    this.#epoch++;
    this.#drop();
  }

  /** Show this range; resolves nothing: onRows tells. */
  show(from, to) {
    this.#view = { from: Math.max(0, from), to };
    this.#pump();
  }

  /** Make every row of a range present at once; rejects when reading fails or the query changes. */
  want(from, to) {
    return new Promise((resolve, reject) => {
      this.#ranges.push({ from: Math.max(0, from), to: Math.min(to, this.length - 1), resolve, reject });
      this.#pump();
    });
  }

  /** Stop reading, and read nothing until resume(); who waits for rows is refused. */
  pause() {
    this.paused = true;
    this.#drop();
  }

  /** Try again after an error or a pause. */
  resume() {
    this.paused = false;
    this.#retries = 0;
    this.#pump();
  }

  /** Read the rows from..to again and put them in place at once; the row at `from` stays where it is. */
  async refresh(from, to) {
    const first = this.#chunkAt(from);
    let request = first?.request ?? { offset: Math.max(0, from) };
    let start = first?.start ?? Math.max(0, from);
    const epoch = ++this.#epoch;
    this.#drop("refresh");
    const controller = new AbortController();
    this.#flight = { from: 0, to: Infinity, controller };
    const fresh = [];
    let page;
    try {
      do {
        page = await this.load(
          { ...request, pageSize: this.pageSize, ...(fresh.length ? {} : { refresh: true }) },
          controller.signal,
        );
        if (epoch !== this.#epoch) return false;
        if (page.rows.length) {
          fresh.push({
            start,
            rows: page.rows,
            next: page.next,
            previous: page.previous,
            end: !page.next,
            request,
            used: ++this.#clock,
          });
        }
        start += page.rows.length;
        request = { after: page.next };
      } while (page.next && page.rows.length && start <= to);
    } catch (error) {
      if (epoch === this.#epoch) this.#flight = null;
      if (isAbort(error)) return false;
      throw error;
    }
    this.#flight = null;
    if (!fresh.length && from > 0) {
      const end = page.countState === "exact" ? Math.min(from, page.total) : from;
      return this.refresh(Math.max(0, end - this.pageSize), end);
    }
    this.#chunks = fresh;
    if (fresh.length) this.length = Math.max(this.length, start);
    if (fresh[0]?.start > 0 && !fresh[0].previous) this.#shift(fresh[0], -fresh[0].start);
    if (fresh.length && page.countState === "exact") {
      const off = page.next ? Math.min(0, page.total - 1 - start) : page.total - start; // they move together
      this.#shift(fresh[0], Math.max(off, -fresh[0].start));
    }
    this.#count(page, fresh[0]?.start ?? 0, fresh.at(-1));
    this.#index();
    this.onLength();
    this.onRows(0, this.length - 1);
    this.#pump();
    return true;
  }

  /** The exact or estimated number of rows, once it is known. */
  setTotal(total, countState) {
    const last = this.#chunks.at(-1);
    const known = last ? last.start + last.rows.length : 0;
    if (countState === "exact") {
      this.#reconcile(total, last?.end && known > total ? last : null);
      this.#index();
    } else if (!last?.end) {
      this.countState = countState;
      this.length = Math.max(total, known + 1);
    }
    this.onLength();
    this.#pump();
  }

  /** Put other values into a row that is here; returns the row. */
  patch(id, values) {
    const row = this.find(id);
    if (row) {
      Object.assign(row.values, values);
      for (const name of Object.keys(values)) if (row.previews) delete row.previews[name];
    }
    return row;
  }

  /** Take a row out; what stood behind it moves up. */
  remove(id) {
    const index = this.indexOf(id);
    if (index < 0) return false;
    const chunk = this.#chunkOf.get(id);
    const position = this.#chunks.indexOf(chunk);
    chunk.rows.splice(index - chunk.start, 1);
    this.#chunkOf.delete(id);
    if (this.#chunks[position + 1]) this.#shift(this.#chunks[position + 1], -1);
    else this.length = Math.max(0, this.length - 1);
    if (!chunk.rows.length) this.#chunks.splice(position, 1);
    this.onLength();
    return true;
  }

  #chunkAt(index) {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const chunk = this.#chunks[middle];
      if (index < chunk.start) high = middle - 1;
      else if (index >= chunk.start + chunk.rows.length) low = middle + 1;
      else return chunk;
    }
    return undefined;
  }

  #drop(keepRanges) {
    this.#flight?.controller.abort();
    this.#flight = null;
    if (keepRanges) return;
    const ranges = this.#ranges;
    this.#ranges = [];
    for (const range of ranges) range.reject(new DOMException("The query changed", "AbortError"));
  }

  #gap({ from, to }) {
    const last = Math.min(to, this.length - 1);
    let a = from;
    for (;;) {
      const chunk = this.#chunkAt(a);
      if (!chunk) break;
      a = chunk.start + chunk.rows.length;
    }
    if (a > last) return null;
    const before = this.#chunks.findLast((chunk) => chunk.start + chunk.rows.length <= a);
    const after = this.#chunks.find((chunk) => chunk.start > a);
    return {
      at: a,
      from: before ? before.start + before.rows.length : 0,
      to: after ? after.start : this.length,
      before,
      after,
      last,
    };
  }

  #pump() {
    this.#ranges = this.#ranges.filter((range) => {
      if (this.#gap(range)) return true;
      range.resolve();
      return false;
    });
    if (this.paused) return;
    const job = [this.#view, ...this.#ranges].find((range) => range && this.#gap(range));
    if (this.#flight) {
      if (!job || (this.#flight.from <= job.to && this.#flight.to >= job.from)) return;
      if (job === this.#view && !this.#ranges.length) {
        this.#flight.controller.abort();
        this.#flight = null;
      } else return;
    }
    if (job) this.#read(this.#gap(job));
    else setTimeout(() => this.#forget()); // after those who waited for a range have read it
  }

  async #read(gap) {
    const size = this.pageSize;
    let request;
    let start;
    if (gap.before && gap.at - gap.from < size && gap.before.next) {
      request = { after: gap.before.next };
      start = gap.from;
    } else if (gap.after?.previous && gap.to - gap.last <= size && gap.to - size <= gap.at && gap.to - size > 0) {
      request = { before: gap.after.previous };
      start = gap.to - size;
    } else if (
      !gap.after &&
      gap.last === this.length - 1 &&
      gap.at > this.length - size &&
      this.countState === "exact" &&
      gap.at >= size
    ) {
      request = { before: "end" }; // the last rows: no offset to count through
      start = Math.max(gap.from, this.length - size);
    } else {
      start = Math.max(gap.from, gap.at - (gap.at % size));
      request = { offset: start };
    }
    const epoch = this.#epoch;
    const controller = new AbortController();
    const flight = { from: start, to: start + size - 1, controller };
    this.#flight = flight;
    let page;
    try {
      // One row more where the page would end exactly at a neighbour: it shows that nothing lies between.
      const meets =
        request.before && request.before !== "end"
          ? gap.before && start === gap.from
          : gap.after && start + size === gap.to;
      page = await this.load({ ...request, pageSize: size + (meets ? 1 : 0) }, controller.signal);
    } catch (error) {
      if (this.#flight === flight) this.#flight = null;
      if (isAbort(error) || epoch !== this.#epoch) {
        if (epoch === this.#epoch && !controller.signal.aborted && ++this.#retries < 4) this.#pump();
        return;
      }
      this.paused = true;
      const ranges = this.#ranges;
      this.#ranges = [];
      for (const range of ranges) range.reject(error);
      this.onError(error);
      return;
    }
    if (epoch !== this.#epoch || controller.signal.aborted) return;
    this.#flight = null;
    this.#retries = 0;
    if (request.before) start = gap.to - page.rows.length;
    this.#accept(request, start, gap, page);
    this.#pump();
  }

  /** Put a page in its place: neighbours are met by row, not by number, for the table may have changed between. */
  #accept(request, start, gap, page) {
    let { rows, next, previous } = page;
    let end = !page.next;
    let from = start;
    const before = gap?.before;
    const after = gap?.after;
    const skip = (count) => {
      if (count <= 0) return;
      rows = rows.slice(count);
      from = gap.from;
      previous = null;
    };
    if (before && !request.after) {
      const seam = rows.findIndex((row) => row.id === before.rows.at(-1).id);
      if (seam >= 0 || request.before === undefined) skip(seam >= 0 ? seam + 1 : gap.from - from);
      else if (from < gap.from) from = gap.from + 1; // more rows lie between than there was room for
    }
    if (request.before === "end") {
      if (from < 0) skip(-from);
    } else if (after && request.before) {
      this.#shift(after, from + rows.length - after.start);
      end = false;
      next = null;
    } else if (after) {
      const seam = rows.findIndex((row) => row.id === after.rows[0].id);
      if (seam >= 0) {
        rows = rows.slice(0, seam);
        end = false;
        next = null;
        this.#shift(after, from + seam - after.start);
      } else if (end || from + rows.length > after.start) {
        this.#chunks.length = this.#chunks.indexOf(after); // read again when they are wanted
      }
    }
    let own = null; // the chunk that the page tells of
    if (rows.length) {
      const chunk = (own = { start: from, rows, next, previous, end, request, used: ++this.#clock });
      const position = this.#chunks.findIndex((other) => other.start >= from);
      this.#chunks.splice(position < 0 ? this.#chunks.length : position, 0, chunk);
      if (request.before && !page.previous && !before) {
        this.#shift(chunk, -chunk.start);
        from = 0;
      }
    } else if (request.after || (before && end && page.rows.length)) {
      own = Object.assign(before, { next: null, end: true });
    } else if (request.before && after) {
      after.previous = null;
    }
    this.#count(page, own && rows.length ? own.start : from, own);
    this.#index();
    if (own && rows.length) from = own.start;
    this.onLength();
    this.onRows(from, from + Math.max(rows.length, 1) - 1);
  }

  #count(page, from, own) {
    const last = this.#chunks.at(-1);
    const known = last ? last.start + last.rows.length : 0;
    if (page.countState === "exact" && Number.isInteger(page.total) && (page.rows.length || from >= page.total)) {
      this.#reconcile(page.total, own);
    } else if (last?.end || (!last && from === 0)) {
      this.length = known;
      this.countState = "exact";
    } else if (!page.rows.length && from >= known) {
      this.length = Math.min(this.length, known + Math.floor((from - known) / 2)); // fewer rows than was thought
    } else if (page.countState === "exact" || page.countState === "estimate") {
      this.countState = page.countState;
      this.length = Math.max(page.total ?? 0, known + 1);
    } else if (this.countState === "pending") {
      this.length = Math.max(this.length, page.total ?? 0, known + this.pageSize);
    } else {
      this.length = Math.max(this.length, known + 1);
    }
  }

  /**
   * Take over an exact count of the server: no row stands beyond it. `own` is the chunk that was read last. When its
   * rows do not fit where they were expected, rows came or went, and the numbers of all older chunks are wrong: they
   * are read again when wanted. So are those out of sight when only the number of rows is another one than was known.
   */
  #reconcile(total, own) {
    const changed = this.countState === "exact" && this.length !== total;
    this.countState = "exact";
    const most = own?.end ? total : total - 1;
    const reaches = own ? own.start + own.rows.length : 0;
    if (own && (own.end ? reaches !== most : reaches > most)) {
      own.start = Math.max(0, most - own.rows.length);
      this.#chunks = [own];
    } else {
      const keeps = (chunk) => chunk === own || !changed || this.#isNeeded(chunk);
      this.#chunks = this.#chunks.filter((chunk) => chunk.start + chunk.rows.length <= total && keeps(chunk));
    }
    const last = this.#chunks.at(-1);
    const known = last ? last.start + last.rows.length : 0;
    const more = own === last && own && !own.end ? 1 : 0;
    this.length = Math.max(total, known + more);
    if (!last || more) return;
    last.end = known === this.length;
    if (last.end) last.next = null;
  }

  /** Move a chunk and all behind it. */
  #shift(chunk, delta) {
    if (!delta) return;
    for (let i = this.#chunks.indexOf(chunk); i < this.#chunks.length; i++) this.#chunks[i].start += delta;
    this.length = Math.max(0, this.length + delta);
  }

  #index() {
    this.#chunkOf.clear();
    for (const chunk of this.#chunks) for (const row of chunk.rows) this.#chunkOf.set(row.id, chunk);
  }

  /** Whether some of a chunk is on screen or waited for. */
  #isNeeded(chunk) {
    return [this.#view, ...this.#ranges].some(
      (range) => range && range.from < chunk.start + chunk.rows.length && range.to >= chunk.start,
    );
  }

  #forget() {
    let size = this.size;
    if (size <= this.maxRows) return;
    const old = this.#chunks.filter((chunk) => !this.#isNeeded(chunk)).sort((a, b) => a.used - b.used);
    for (const chunk of old) {
      if (size <= this.maxRows) break;
      size -= chunk.rows.length;
      this.#chunks.splice(this.#chunks.indexOf(chunk), 1);
      for (const row of chunk.rows) if (this.#chunkOf.get(row.id) === chunk) this.#chunkOf.delete(row.id);
    }
  }
}
