// Undo and redo: batches of steps, forwards and backwards. What a step means is its applier's matter.

/** A step of a cell: {kind: "cell", id, column, from, to, base}; of a row: {kind: "insert" | "delete", id, ...}. */
export class History {
  #done = [];
  #undone = [];

  constructor(apply, limit = 200) {
    this.apply = apply;
    this.limit = limit;
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Do a batch of steps and remember it; an empty batch is nothing. */
  commit(batch) {
    if (!batch.length) return;
    this.#done.push(batch);
    if (this.#done.length > this.limit) this.#done.shift();
    this.#undone = [];
    this.apply(batch, "forwards");
  }

  /** Take the last batch back; returns it, or null. */
  undo() {
    const batch = this.#done.pop();
    if (!batch) return null;
    this.#undone.push(batch);
    this.apply([...batch].reverse(), "backwards");
    return batch;
  }

  redo() {
    const batch = this.#undone.pop();
    if (!batch) return null;
    this.#done.push(batch);
    this.apply(batch, "forwards");
    return batch;
  }

  /** A new row got its row ID. */
  rename(from, to) {
    for (const step of this.#steps()) if (step.id === from) step.id = to;
  }

  /** The database now holds another value: later steps start from it. */
  rebase(id, values) {
    for (const step of this.#steps())
      if (step.id === id && Object.hasOwn(values, step.column)) step.base = values[step.column];
  }

  /** A deletion was saved: taking it back is a new row. */
  deleted(id) {
    for (const step of this.#steps()) if (step.id === id && step.kind === "delete") step.saved = true;
  }

  clear() {
    this.#done = [];
    this.#undone = [];
  }

  *#steps() {
    for (const batches of [this.#done, this.#undone]) for (const batch of batches) yield* batch;
  }
}
