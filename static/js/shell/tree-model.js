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
 * Entries by schema, sorted; `text` filters by parts of the name (all words must occur), by descriptions where no name
 * fits.
 *
 * @returns {{schemas: {name: string, tables: object[], matched: boolean}[], shown: number}}
 */
export function group(list, { text = "", system = false } = {}) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const contains = (text) => words.every((word) => text.toLowerCase().includes(word));
  const visible = list.filter(({ kind }) => system || kind !== "system");
  const named = visible.filter(({ full }) => contains(full));
  const found = named.length ? named : visible.filter(({ full, description }) => contains(`${full} ${description}`));
  const schemas = new Map();
  for (const entry of found) {
    if (!schemas.has(entry.schema)) schemas.set(entry.schema, []);
    schemas.get(entry.schema).push(entry);
  }
  const sorted = [...schemas].sort(([a], [b]) => order(a, b));
  return {
    shown: found.length,
    schemas: sorted.map(([name, tables]) => ({
      name,
      matched: words.length > 0,
      tables: tables.sort((a, b) => order(a.name, b.name)),
    })),
  };
}
