// Tab-separated text as spreadsheets write and read it: a cell is quoted where it holds a tab or a line break, and only
// there, so that quotes of a text stay quotes.

const NEEDS_QUOTES = /[\t\r\n]/;
const CELL_END = /[\t\r\n]/g;

const quote = (text) => (NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Write rows of texts; null becomes an empty cell. */
export function writeTsv(rows) {
  return rows
    .map((row) => row.map((cell) => quote(cell === null || cell === undefined ? "" : String(cell))).join("\t"))
    .join("\r\n");
}

/** Read rows of texts; a line break at the end makes no row of its own, an empty text makes none at all. */
export function readTsv(text) {
  if (text === "") return [];
  const rows = [[]];
  let i = 0;
  for (;;) {
    let cell = "";
    const closing = text[i] === '"' ? closingQuote(text, i) : -1;
    if (closing >= 0 && NEEDS_QUOTES.test(text.slice(i + 1, closing))) {
      cell = text.slice(i + 1, closing).replaceAll('""', '"');
      i = closing + 1;
    } else {
      CELL_END.lastIndex = i;
      const end = CELL_END.exec(text)?.index ?? text.length;
      cell = text.slice(i, end);
      i = end;
    }
    rows.at(-1).push(cell);
    if (i >= text.length) return rows;
    if (text[i] === "\t") {
      i++;
      continue;
    }
    i += text[i] === "\r" && text[i + 1] === "\n" ? 2 : 1;
    if (i >= text.length) return rows;
    rows.push([]);
  }
}

/** The place of the quote that ends the cell, or -1 where the first quote is just a character of it. */
function closingQuote(text, start) {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] !== '"') continue;
    if (text[i + 1] === '"') i++;
    else return i + 1 === text.length || "\t\r\n".includes(text[i + 1]) ? i : -1;
  }
  return -1;
}
