// What a key means on any keyboard: a command's letter, a text, or a part of a composition. Pure: the events are only
// read.

const ON_MAC = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");
const COMPOSING = 229; // what keyCode is while an input method has the key; in Safari also for the Enter that confirms
/** What the keys with punctuation give by themselves: with Ctrl and Alt they type nothing. */
const PLAIN = {
  Backquote: "`",
  Minus: "-",
  Equal: "=",
  BracketLeft: "[",
  BracketRight: "]",
  Backslash: "\\",
  Semicolon: ";",
  Quote: "'",
  Comma: ",",
  Period: ".",
  Slash: "/",
  Space: " ",
};

/** True for a key that belongs to an input method: it confirms, cancels or walks there and does nothing here. */
export const isComposing = ({ isComposing: composing, keyCode }) => composing || keyCode === COMPOSING;

const isAltGraph = (event) => Boolean(event.getModifierState?.("AltGraph"));

/** True for a key whose name is what it types: all other names are ASCII words. */
const isCharacter = (key) => key === "Dead" || [...key].length === 1 || /[^\x20-\x7e]/.test(key);

/** True where Ctrl and Alt together type a character, as AltGr does, and are not the two keys of a command. */
function typesWithControlAlt({ key, code = "" }) {
  if (key === "Dead") return true;
  if (/^[a-z0-9]$/i.test(key) || PLAIN[code] === key) return false;
  // A letter of another script is what its key gives by itself; ń, € or { is what it gives with AltGr.
  return !(/^[\p{L}\p{M}]+$/u.test(key) && !/\p{Script=Latin}/u.test(key));
}

/** True when a key types text into a field. */
export function typesText(event, mac = ON_MAC) {
  const { key, ctrlKey, altKey, metaKey } = event;
  if (!isCharacter(key) || metaKey) return false;
  if (isAltGraph(event)) return true;
  if (ctrlKey && altKey) return !mac && typesWithControlAlt(event);
  return !ctrlKey && (!altKey || mac);
}

/** True with Ctrl, or Cmd on a Mac; AltGr, which Windows reports as Ctrl and Alt, types text and is neither. */
export function isControl(event, mac = ON_MAC) {
  return Boolean(event.ctrlKey || event.metaKey) && !isAltGraph(event) && !typesText(event, mac);
}

/** True when it is not certain that the browser will type the character, since AltGr is not reported. */
export const mayTypeNothing = (event) => Boolean(event.ctrlKey && event.altKey) && !isAltGraph(event);

/**
 * The Latin letter of a command's key, in lower case, or "". A layout with Latin letters says which by itself (QWERTZ,
 * AZERTY, Dvorak); on one without, and on a Mac with Option, it is the letter of the key's place on an English board.
 */
export function letterOf({ key = "", code = "", altKey = false }, mac = ON_MAC) {
  if (/^[a-z]$/i.test(key)) return key.toLowerCase();
  const other = /^[\p{L}\p{M}]+$/u.test(key) && isCharacter(key);
  // punctuation, where a letter is on another layout
  if (!other && key !== "Unidentified" && !(mac && altKey)) return "";
  return /^Key[A-Z]$/.test(code) ? code.at(-1).toLowerCase() : "";
}
