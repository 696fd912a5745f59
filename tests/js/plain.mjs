import assert from "node:assert/strict";

/** A value with its records (objects without prototype) as plain objects, for comparing with literals. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

/** Strictly equal, whether or not an object is a record. */
export const deepEqual = (actual, expected, message) => assert.deepEqual(plain(actual), plain(expected), message);
