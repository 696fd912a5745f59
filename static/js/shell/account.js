// The account menu: sessions of mine, settings, sign out.

import { T, edits } from "../texts.js";
import { nextTheme, theme } from "../theme.js";
import { confirm, openDialog } from "../ui/dialog.js";
import { el } from "../ui/dom.js";
import { csrfToken, json } from "./http.js";
import { toast } from "../ui/toasts.js";

const when = (value) =>
  value ? new Date(value).toLocaleString("en-CA", { dateStyle: "short", timeStyle: "short", hour12: false }) : "";

/** A browser's long name, shortened to what a person recognises. */
export function browserName(userAgent = "") {
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)\/(\d+)/g;
  const names = { Edg: "Edge", OPR: "Opera" };
  const found = [...userAgent.matchAll(browser)].map(([, name, version]) => [
    name,
    `${names[name] ?? name} ${version}`,
  ]);
  const best = ["Edg", "OPR", "Firefox", "Chrome", "Safari"]
    .map((name) => found.find(([key]) => key === name))
    .find(Boolean);
  const system = /Windows|Android|iPhone|iPad|Mac OS X|Linux/.exec(userAgent)?.[0].replace("Mac OS X", "macOS");
  return best ? [best[1], system].filter(Boolean).join(", ") : userAgent.slice(0, 40);
}

/** The dialog of the sessions that are signed in as this user, with a way to end the others. */
export async function openSessions() {
  let sessions;
  try {
    ({ sessions } = await json("/api/sessions"));
  } catch (error) {
    toast(error.status ? error.message : T.noAnswer, { kind: "error" });
    return;
  }
  const rows = sessions.map((session) =>
    el(
      "tr",
      {},
      el("td", {}, browserName(session.userAgent), session.current && el("span", { class: "badge" }, T.thisSession)),
      el("td", {}, session.address ?? ""),
      el("td", { class: "num" }, when(session.created)),
      el("td", { class: "num" }, when(session.lastUsed)),
    ),
  );
  const table = el(
    "table",
    { class: "list" },
    el(
      "thead",
      {},
      el("tr", {}, ...[T.browser, T.address, T.created, T.lastUsed].map((name) => el("th", { scope: "col" }, name))),
    ),
    el("tbody", {}, ...rows),
  );
  const others = sessions.length > 1;
  const answer = await openDialog({
    title: T.sessions,
    text: T.sessionsText,
    body: [table],
    class: "wide-dialog",
    actions: [{ label: T.close, value: "" }, ...(others ? [{ label: T.endOthers, value: "end", primary: true }] : [])],
  });
  if (answer !== "end") return;
  try {
    await json("/api/sessions/end-others", { method: "POST", body: {} });
    toast(T.endedOthers(sessions.length - 1));
  } catch (error) {
    toast(error.status ? error.message : T.noAnswer, { kind: "error" });
  }
}

/** The dialog of this person's settings. */
export function openSettings(preferences) {
  const choice = (name, title, values) => {
    const id = `setting-${name}`;
    const select = el(
      "select",
      { class: "input", id, on: { change: () => preferences.set(name, select.value) } },
      ...Object.entries(values).map(([value, label]) =>
        el("option", { value, selected: preferences.get(name) === value }, label),
      ),
    );
    return el("div", { class: "field" }, el("label", { for: id }, title), select);
  };
  return openDialog({
    title: T.settings,
    class: "small-dialog",
    body: [
      el(
        "div",
        { class: "fields" },
        choice("saving", T.saving, T.savings),
        choice("density", T.density, T.densities),
        choice("decimal", T.decimal, T.decimals),
      ),
    ],
    actions: [{ label: T.close, value: "", primary: true }],
  });
}

/** Sign out, after asking when staged edits would be lost. */
export async function signOut({ url, pending, forget }) {
  const text = edits(pending);
  if (text && !(await confirm({ title: T.signOutTitle, text: T.signOutText(text), go: T.signOutAnyway }))) return;
  let token;
  try {
    token = await csrfToken();
  } catch {
    toast(T.noAnswer, { kind: "error" });
    return;
  }
  forget();
  const form = el(
    "form",
    { method: "post", action: url, hidden: true },
    el("input", { name: "csrf_token", value: token }),
  );
  document.body.append(form);
  form.submit();
}

/** The lines of the account menu. */
export function accountItems({ user, server, version, preferences, leave }) {
  return [
    { note: true, label: `${user} · ${server}` },
    { label: T.sessions, icon: "monitor", run: openSessions },
    { label: T.settings, icon: "sliders-horizontal", run: () => openSettings(preferences) },
    { label: T.themeItem, icon: "sun-moon", hint: T.theme[theme()], run: nextTheme },
    null,
    { label: T.signOut, icon: "log-out", run: leave },
    version ? { note: true, label: `iris-quart ${version}` } : null,
  ].filter((item, index, all) => item !== null || index < all.length - 1);
}
