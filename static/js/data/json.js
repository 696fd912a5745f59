// JSON without loss: numbers that a double cannot hold, or whose digits it would not give back, keep their text.

/** A JSON number kept as its literal: 9007199254740993, 12.50, 1E400. */
export class LosslessNumber {
  constructor(text) {
    this.text = text;
    Object.freeze(this);
  }
  toString() {
    return this.text;
  }
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
// Only a text with one of these can hold a literal that Number() would not give back digit by digit.
const SUSPECT = /[\d.]{16,}|\.\d*0(?!\d)|\d[eE][+-]?\d|-0|0\.0{6}/;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

const hasSource = (() => {
  let seen = false;
  JSON.parse("1", (key, value, context) => {
    seen = context?.source === "1";
    return value;
  });
  return seen;
})();

/** Turn a number literal into a plain number when that is exact, else into a LosslessNumber. */
export function numberOf(text) {
  const number = Number(text);
  return String(number) === text ? number : new LosslessNumber(text);
}

const revive = (key, value, context) => (typeof value === "number" ? numberOf(context.source) : value);

function parseMarked(text) {
  // A private mark makes a string of each literal; a string of the text that starts with the mark gets it doubled.
  const mark = "\u0001n";
  const plain = "\\u0001n";
  const marked = text.replace(TOKEN, (token) => {
    if (token[0] !== '"') return NUMBER.test(token) ? `"${plain}${token}"` : token;
    return token.startsWith('"\\u0001') || token.startsWith('"\u0001') ? `"${plain}s${token.slice(1)}` : token;
  });
  return JSON.parse(marked, function unmark(key, value) {
    if (typeof value !== "string" || !value.startsWith(mark)) return value;
    return value[mark.length] === "s" ? value.slice(mark.length + 1) : numberOf(value.slice(mark.length));
  });
}

/** Parse a JSON text; throws SyntaxError like JSON.parse. */
export function parse(text) {
  if (!SUSPECT.test(text)) return JSON.parse(text);
  if (hasSource) return JSON.parse(text, revive);
  JSON.parse(text); // the marks below must not make a wrong text right
  return parseMarked(text);
}

/** Write a value as JSON; a LosslessNumber becomes a number literal again. */
export function stringify(value, space) {
  if (typeof JSON.rawJSON === "function") {
    return JSON.stringify(
      value,
      (key, item) => (item instanceof LosslessNumber ? JSON.rawJSON(item.text) : item),
      space,
    );
  }
  const literals = [];
  const mark = `n${Math.random().toString(36).slice(2)}-`;
  const text = JSON.stringify(
    value,
    (key, item) => (item instanceof LosslessNumber ? mark + (literals.push(item.text) - 1) : item),
    space,
  );
  return literals.length ? text.replace(new RegExp(`"${mark}(\\d+)"`, "g"), (_, index) => literals[index]) : text;
}

/** What records are made from: nothing is inherited, and unlike Object.create(null) it is as quick as a literal. */
function Record() {}
Record.prototype = Object.create(null);

/**
 * An object whose keys are names from outside (of columns, say), with what others hold: it inherits nothing, so that a
 * column may be called `constructor` or `__proto__`.
 */
export function record(...sources) {
  const [first, ...others] = sources;
  const made = Object.setPrototypeOf({ ...first }, Record.prototype); // a literal is copied at once
  for (const source of others) if (source) for (const name of Object.keys(source)) made[name] = source[name];
  return made;
}

/** A record of [name, value] pairs. */
export function recordOf(pairs) {
  const made = new Record();
  for (const [name, value] of pairs) made[name] = value;
  return made;
}

/** The value that an object itself has under a name, not its prototype. */
export function own(object, name) {
  return object !== null && object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;
}

/** True for both kinds of number. */
export function isNumber(value) {
  return typeof value === "number" || value instanceof LosslessNumber;
}
