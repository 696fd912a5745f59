// The sign-in page works without this; with it, the browser remembers who signed in where, and can test the connection.

import { guardCompositions } from "./ui/compositions.js";
import { part } from "./ui/dom.js";
import { json } from "./shell/http.js";
import { Memory, storageOf } from "./data/memory.js";
import { openMenu } from "./ui/menu.js";
import { T } from "./texts.js";
import "./theme.js";

guardCompositions();
const KEPT = 5;
const form = document.getElementById("sign-in");
const { server, namespace, username, password } = form.elements;
const memory = new Memory(storageOf("localStorage"), "sign-in");
const attempt = new Memory(storageOf("sessionStorage"), "sign-in");
const refused = document.getElementById("sign-in-error") ?? form.querySelector(".field-error");
const frame = document.querySelector(".signin");
/** The configured servers: of the choice, or of the field that also takes an address. */
const options = [...(server.options ?? server.list?.options ?? [])];

/** Sign-ins of this browser, the latest first: {server, namespace, username}, never a password. */
const recent = () =>
  memory.get("recent", []).filter((entry) => server.list || options.some(({ value }) => value === entry.server));

function colour() {
  const chosen = options.find(({ value }) => value === server.value);
  if (chosen?.dataset.colour) frame.dataset.serverColour = chosen.dataset.colour;
  else delete frame.dataset.serverColour;
}

// A mistyped name must not appear among the recent ones.
if (refused && attempt.get("before")) memory.set("recent", attempt.get("before"));
attempt.set("before", null);

function fillFrom(entry) {
  if (!namespace.value) namespace.value = entry.namespace ?? "";
  if (!username.value) username.value = entry.username ?? "";
  (username.value ? password : username).focus();
}

// A form that comes back with an error keeps what was typed.
if (!username.value && !refused) {
  const last = recent()[0];
  const asked = new URLSearchParams(location.search).has("server");
  if (last && !asked) server.value = last.server;
  if (last && last.server === server.value) fillFrom(last);
}
colour();

server.addEventListener("change", () => {
  colour();
  const entry = recent().find((each) => each.server === server.value);
  if (!entry && server.list) return;
  namespace.value = entry?.namespace ?? "";
  if (entry?.username) username.value = entry.username;
});

let typed = false; // the person wrote the namespace: it comes before the tables of the last visit
namespace.addEventListener("input", () => {
  typed = true;
});

const submit = form.querySelector("[type=submit]");
form.addEventListener("submit", (event) => {
  if (submit.getAttribute("aria-disabled") === "true") return event.preventDefault();
  busy(true);
  const entry = { server: server.value, namespace: namespace.value.trim(), username: username.value };
  const before = memory.get("recent", []);
  attempt.set("before", before);
  attempt.set("namespace", typed && entry.namespace ? true : null);
  const others = before.filter((each) => each.server !== entry.server || each.username !== entry.username);
  memory.set("recent", [entry, ...others].slice(0, KEPT));
});
// The browser may keep this page and show it again when somebody goes back.
addEventListener("pageshow", () => busy(false));

function busy(on) {
  submit.setAttribute("aria-disabled", String(on));
  submit.textContent = on ? T.signingIn : T.signIn;
}

const choice = form.querySelector("[data-action=recent]");
choice.hidden = recent().length < 2;
choice.addEventListener("click", () => {
  const nameOf = (name) => options.find(({ value }) => value === name)?.textContent.trim() || name;
  const items = recent().map((entry) => ({
    label: [nameOf(entry.server), entry.namespace, entry.username].filter(Boolean).join(" · "),
    run: () => {
      [server.value, namespace.value, username.value, password.value] = [
        entry.server,
        entry.namespace ?? "",
        entry.username ?? "",
        "",
      ];
      colour();
      password.focus();
    },
  }));
  const forget = () => {
    memory.set("recent", null);
    choice.hidden = true;
    server.focus();
  };
  openMenu(choice, [...items, null, { label: T.signInPage.forget, icon: "trash-2", run: forget }], {
    label: T.signInPage.recent,
    end: true,
  });
});

for (const button of form.querySelectorAll("[data-action=fill]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    username.value = button.dataset.username;
    password.value = button.dataset.password;
    submit.focus();
  });
}

const test = form.querySelector("[data-action=test]");
const result = part("test-result");
test.parentElement.hidden = false;
let testing = null; // stops the test under way
test.addEventListener("click", async () => {
  if (testing) return testing.abort();
  if (!form.reportValidity()) return;
  testing = new AbortController();
  const { signal } = testing;
  test.textContent = T.signInPage.stop;
  show(T.signInPage.testing, "");
  try {
    const body = {
      ...place(),
      namespace: namespace.value.trim() || null,
      username: username.value,
      password: password.value,
    };
    const { version } = await json("/api/test-connection", { method: "POST", body, signal });
    show(T.signInPage.reached(version), "ok");
  } catch (error) {
    if (signal.aborted) show(T.signInPage.stopped, "");
    else show(error.status ? error.message : T.noAnswer, "error");
  }
  testing = null;
  test.textContent = T.signInPage.test;
});

/** The chosen server: by its name, or by its parts where an address was typed. */
function place() {
  if (options.some(({ value }) => value === server.value)) return { server: server.value };
  try {
    const { hostname, port, protocol, pathname } = new URL(
      server.value.includes("://") ? server.value : `http://${server.value}`,
    );
    const https = protocol === "https:";
    return {
      host: hostname,
      port: Number(port || (https ? 443 : 80)),
      useHTTPS: https,
      pathPrefix: pathname.replace(/^\/|\/$/g, ""),
    };
  } catch {
    return { server: server.value };
  }
}

function show(text, kind) {
  result.textContent = text;
  result.className = kind;
}
