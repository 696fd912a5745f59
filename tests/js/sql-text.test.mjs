import assert from "node:assert/strict";
import { test } from "node:test";

import { parse } from "../../static/js/data/json.js";
import { withValues } from "../../static/js/data/sql-text.js";

test("values stand in the place of parameters, quoted as SQL does", () => {
  const sql = `UPDATE "A"."B" SET "X" = ?, "Y" = TO_DATE(?, 'YYYY-MM-DD') WHERE %ID = ? AND "Z" = ?`;
  assert.equal(
    withValues(sql, ["O'Brien ?", "1980-01-02", 5, null]),
    `UPDATE "A"."B" SET "X" = 'O''Brien ?', "Y" = TO_DATE('1980-01-02', 'YYYY-MM-DD') WHERE %ID = 5 AND "Z" = NULL`,
  );
});

test("a question mark within quotes is no parameter", () => {
  const sql = `UPDATE "Why?" SET "It""s ?" = 'a''?' WHERE "N" = ?`;
  assert.equal(withValues(sql, [1]), `UPDATE "Why?" SET "It""s ?" = 'a''?' WHERE "N" = 1`);
});

test("all digits of a number are kept", () => {
  const [value] = parse("[12345678901234567890.12]");
  assert.equal(withValues("?", [value]), "12345678901234567890.12");
});
