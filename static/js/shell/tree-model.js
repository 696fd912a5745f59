// Tables in schemas, filtered: the tree without a page.

const order = new Intl.Collator("en", { sensitivity: "base", numeric: true }).compare;

/** A table list as entries: {schema, name, full, kind, description}. Takes `details` or the bare names. */
export function entries({ tables = [], details = null }) {
  const list = details ?? tables.map((name) => ({ name, kind: "table", description: "" }));
  return list.map(({ name, kind, description }) => {
    const dot = name.indexOf(".");
    const [schema, short] = dot < 0 ? ["", name] : [name.slice(0, dot), name.slice(dot + 1)];
    return { schema, name: short, full: name, kind: kind ?? "table", description: description ?? "" };
  });
}

/**
 * Entries by schema, sorted; `text` filters by parts of the name (all words must occur) and opens what it finds.
 *
 * @returns {{schemas: {name: string, tables: object[], matched: boolean}[], shown: number}}
 */
export function group(list, { text = "", system = false } = {}) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = ({ full, description }) => {
    const hay = `${full} ${description}`.toLowerCase();
    return words.every((word) => hay.includes(word));
  };
  const schemas = new Map();
  let shown = 0;
  for (const entry of list) {
    if (!system && entry.kind === "system") continue;
    if (words.length && !matches(entry)) continue;
    shown += 1;
    if (!schemas.has(entry.schema)) schemas.set(entry.schema, []);
    schemas.get(entry.schema).push(entry);
  }
  const sorted = [...schemas].sort(([a], [b]) => order(a, b));
  return {
    shown,
    schemas: sorted.map(([name, tables]) => ({ name, matched: words.length > 0, tables: tables.sort((a, b) => order(a.name, b.name)) })),
  };
}
