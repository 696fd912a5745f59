import assert from "node:assert/strict";

import { record } from "../../static/js/data/json.js";

/** A value with its records as plain objects, for comparing with literals. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Object.getPrototypeOf(record())) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

/** Strictly equal, whether or not an object is a record. */
export const deepEqual = (actual, expected, message) => assert.deepEqual(plain(actual), plain(expected), message);
