import assert from "node:assert/strict";
import { test } from "node:test";

import { isComposing, isControl, letterOf, mayTypeNothing, typesText } from "../../static/js/ui/keyboard.js";

const press = (key, code, { graph = false, ...held } = {}) => ({
  key,
  code,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  isComposing: false,
  keyCode: 0,
  getModifierState: (name) => name === "AltGraph" && graph,
  ...held,
});
const CTRL = { ctrlKey: true };
const BOTH = { ctrlKey: true, altKey: true };
const ON_MAC = true;
const ELSEWHERE = false;

const letters = [
  ["English", "s", "KeyS", "s"],
  ["English with Caps Lock", "S", "KeyS", "s"],
  ["QWERTZ, Z", "z", "KeyY", "z"],
  ["QWERTZ, Y", "y", "KeyZ", "y"],
  ["AZERTY, A", "a", "KeyQ", "a"],
  ["AZERTY, the comma on M's place", ",", "KeyM", ""],
  ["Dvorak, S on semicolon's place", "s", "Semicolon", "s"],
  ["Dvorak, the punctuation on Z's place", ";", "KeyZ", ""],
  ["Cyrillic", "ы", "KeyS", "s"],
  ["Cyrillic with Shift", "М", "KeyV", "v"],
  ["Greek", "σ", "KeyS", "s"],
  ["Hebrew", "ד", "KeyS", "s"],
  ["Hebrew, the slash on Q's place", "/", "KeyQ", ""],
  ["Arabic", "س", "KeyS", "s"],
  ["Arabic, two characters on one key", "لا", "KeyB", "b"],
  ["Thai, a mark", "ั", "KeyY", "y"],
  ["Hindi, a mark", "्", "KeyD", "d"],
  ["Turkish, I without a dot", "ı", "KeyI", "i"],
  ["Czech, a letter on a digit's place", "ě", "Digit2", ""],
  ["a key that is not known", "Unidentified", "KeyS", "s"],
  ["a named key", "Enter", "Enter", ""],
  ["a digit", "0", "Digit0", ""],
];
for (const [name, key, code, letter] of letters) {
  test(`the letter of a command: ${name}`, () => assert.equal(letterOf(press(key, code, CTRL), ELSEWHERE), letter));
}
test("on a Mac Option changes the character, not the command", () => {
  assert.equal(letterOf(press("˜", "KeyN", { metaKey: true, altKey: true }), ON_MAC), "n");
  assert.equal(letterOf(press("Dead", "KeyN", { metaKey: true, altKey: true }), ON_MAC), "n");
});

const presses = [
  // name, event, types text, is a command, on a Mac
  ["a letter", press("n", "KeyN"), true, false],
  ["Ctrl and a letter", press("n", "KeyN", CTRL), false, true],
  ["Cmd and a letter", press("n", "KeyN", { metaKey: true }), false, true, ON_MAC],
  ["Alt and a letter", press("n", "KeyN", { altKey: true }), false, false],
  ["Option and a letter", press("ñ", "KeyN", { altKey: true }), true, false, ON_MAC],
  ["Ctrl, Alt and a plain letter", press("n", "KeyN", BOTH), false, true],
  ["Ctrl, Alt and a Cyrillic letter", press("т", "KeyN", BOTH), false, true],
  ["Ctrl, Alt and a digit", press("0", "Digit0", BOTH), false, true],
  ["Ctrl, Alt and a semicolon", press(";", "Semicolon", BOTH), false, true],
  ["Ctrl, Alt and Delete", press("Delete", "Delete", BOTH), false, true],
  ["AltGr on Windows, Polish", press("ń", "KeyN", { ...BOTH, graph: true }), true, false],
  ["Ctrl and Alt as AltGr, Polish", press("ń", "KeyN", BOTH), true, false],
  ["AltGr on Windows, German", press("@", "KeyQ", { ...BOTH, graph: true }), true, false],
  ["Ctrl and Alt as AltGr, German", press("{", "Digit7", BOTH), true, false],
  ["AltGr and a dead key", press("Dead", "KeyE", BOTH), true, false],
  ["AltGr on Linux", press("€", "KeyE", { graph: true }), true, false],
  ["AltGr and a plain letter", press("n", "KeyN", { ...BOTH, graph: true }), true, false],
  ["Ctrl and Option", press("˜", "KeyN", BOTH), false, true, ON_MAC],
  ["a function key", press("F2", "F2"), false, false],
  ["two characters on one key", press("لا", "KeyB"), true, false],
];
for (const [name, event, text, control, mac = ELSEWHERE] of presses) {
  test(`${name}: text or a command`, () => {
    assert.equal(typesText(event, mac), text);
    assert.equal(isControl(event, mac), control);
  });
}

test("a key of a composition, also Safari's Enter after it", () => {
  assert.equal(isComposing(press("Enter", "Enter", { isComposing: true })), true);
  assert.equal(isComposing(press("Enter", "Enter", { keyCode: 229 })), true);
  assert.equal(isComposing(press("Enter", "Enter", { keyCode: 13 })), false);
});

test("without the AltGraph flag a character is not certain", () => {
  assert.equal(mayTypeNothing(press("ö", "Semicolon", BOTH)), true);
  assert.equal(mayTypeNothing(press("@", "KeyQ", { ...BOTH, graph: true })), false);
});
