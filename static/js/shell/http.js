// Requests beside the socket. The server judges unsafe ones by their origin; the forms carry a token as well.

import { BASE } from "../base.js";

/** A JSON answer, or an error that carries its status and what the server said. */
export async function json(url, { method = "GET", body = null, form = null, signal = null } = {}) {
  const headers = { Accept: "application/json" };
  let content = null;
  if (form) content = new URLSearchParams(form);
  if (body) {
    headers["Content-Type"] = "application/json";
    content = JSON.stringify(body);
  }
  const response = await fetch(BASE + url, {
    method,
    headers,
    body: content,
    credentials: "same-origin",
    cache: "no-store",
    signal,
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok)
    throw Object.assign(new Error(answer.error ?? response.statusText), {
      status: response.status,
      code: answer.code,
      answer,
    });
  return answer;
}

/** A fresh form token. */
export async function csrfToken() {
  return (await json("/api/csrf")).csrfToken;
}
