// Taking staged edits back: as steps of the undo history, for who takes back too much wants it again.

import { record } from "../data/json.js";

/** The steps that drop the edits of a row, or only those of some columns; none while it is being saved. */
export function revertSteps(entry, names = null) {
  const { id, kind, values, base, row } = entry;
  if (entry.state === "saving") return [];
  if (kind === "delete") return [{ kind: "restore", id, row, cut: entry.cut }];
  if (kind === "insert" && names === null)
    return [{ kind: "delete", id, row: record(), isNew: true, values: record(values), at: entry.at }];
  return Object.keys(values)
    .filter((name) => names === null || names.includes(name))
    .map((column) => ({
      kind: "cell",
      id,
      column,
      from: values[column],
      to: kind === "insert" ? undefined : base[column],
      base: base[column],
      row,
    }));
}
