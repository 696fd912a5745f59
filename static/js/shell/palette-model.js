// Which entries answer to what was typed, best first.

const WORD_START = /[._\s%-]|(?<=[a-z0-9])(?=[A-Z])/;

/**
 * How well `text` fits `label`: higher is better, null when it does not. Letters must occur in order;
 * whole runs, starts of words and short labels count more.
 */
export function score(text, label) {
  const wanted = text.toLowerCase().replaceAll(" ", "");
  if (!wanted) return 0;
  const hay = label.toLowerCase();
  const whole = hay.indexOf(wanted);
  if (whole >= 0) return 1000 - whole - label.length / 100 + (startsWord(label, whole) ? 200 : 0);
  let at = 0;
  let points = 0;
  let previous = -2;
  for (const letter of wanted) {
    at = hay.indexOf(letter, at);
    if (at < 0) return null;
    points += at === previous + 1 ? 6 : startsWord(label, at) ? 8 : 0;
    previous = at;
    at += 1;
  }
  return points - label.length / 100;
}

function startsWord(label, at) {
  if (at === 0) return true;
  return WORD_START.test(label.slice(at - 1, at)) || (/[a-z0-9]/.test(label[at - 1]) && /[A-Z]/.test(label[at]));
}

/** The best `limit` of `items` for `text`; an item has `label` and may have `boost`. For no text, the order given. */
export function find(items, text, limit = 50) {
  if (!text.trim()) return [...items].sort((a, b) => (b.boost ?? 0) - (a.boost ?? 0)).slice(0, limit);
  const found = [];
  for (const item of items) {
    const points = score(text, item.label);
    if (points !== null) found.push({ item, points: points + (item.boost ?? 0) });
  }
  return found
    .sort(
      (a, b) =>
        b.points - a.points || a.item.label.length - b.item.label.length || (a.item.label < b.item.label ? -1 : 1),
    )
    .slice(0, limit)
    .map(({ item }) => item);
}
