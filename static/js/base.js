// Where the application is mounted: "" at the root of its origin, or a path before every address.

export const BASE = globalThis.document?.documentElement.dataset.base ?? "";
