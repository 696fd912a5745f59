import assert from "node:assert/strict";
import { test } from "node:test";

import { kindOfBytes } from "../../static/js/data/bytes.js";

const bytes = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));

for (const [start, ending, picture] of [
  ["\x89PNG\r\n\x1a\n....", "png", true],
  ["\xff\xd8\xff\xe0", "jpg", true],
  ["RIFF....WEBPVP8 ", "webp", true],
  ["%PDF-1.7", "pdf", false],
  ["PK\x03\x04", "zip", false],
]) {
  test(`a file that begins as ${ending} is one`, () => {
    const kind = kindOfBytes(bytes(start));
    assert.deepEqual([kind?.ending, kind?.picture], [ending, picture]);
  });
}

test("other bytes are nothing known", () => {
  for (const start of ["", "BM", "RIFF....WAVE", "\x00\x01", "GIF"]) assert.equal(kindOfBytes(bytes(start)), null);
});
