// Signing in again over the page, after the session has ended. Nothing of the page is lost; nothing of it can be read
// meanwhile.

import { BASE } from "../base.js";
import { T } from "../texts.js";
import { el, icon } from "../ui/dom.js";
import { csrfToken, json } from "./http.js";
import { closeMenu } from "../ui/menu.js";

/** The card that stands over the page while nobody is signed in. */
export class SignInAgain {
  #dialog = null;
  #page;
  #done;

  /**
   * @param {object} page the facts of the page: user, server
   * @param {() => void} done called when the person is signed in again
   */
  constructor(page, done) {
    this.#page = page;
    this.#done = done;
  }

  get shown() {
    return this.#dialog !== null;
  }

  /**
   * @param {{why: string, pending: number, namespace: string | null, readOnly: boolean, other: object | null}} facts
   */
  show({ why, pending, namespace, readOnly, other = null }) {
    if (this.#dialog) return;
    closeMenu();
    const { user, server } = this.#page;
    const time = new Date().toTimeString().slice(0, 5);
    const first =
      why === "otherUser" && other
        ? T.otherUser(other.user ?? other.username ?? "?", other.server ?? "?")
        : T.endedAt(time);
    const password = el("input", {
      class: "input",
      id: "again-password",
      name: "password",
      type: "password",
      autocomplete: "current-password",
      required: true,
      autofocus: true,
    });
    const error = el("div", { class: "note note-error", role: "alert", id: "again-error", hidden: true });
    const submit = el("button", { class: "button button-primary button-tall", type: "submit" }, T.signIn);
    const next = `${BASE}/login?next=${encodeURIComponent(location.pathname + location.search)}`;
    const form = el(
      "form",
      { class: "card", method: "post", action: `${BASE}/login` },
      el(
        "div",
        { class: "card-head" },
        el("h2", { id: "again-title" }, T.signInAgain),
        el("p", { id: "again-text" }, `${first} ${T.keptInTab(pending)}`),
      ),
      error,
      el(
        "div",
        { class: "field" },
        el(
          "div",
          { class: "field-head" },
          el("label", { for: "again-user" }, T.userOn(server.label)),
          el("a", { class: "link", href: next }, T.anotherUser),
        ),
        el("input", {
          class: "input",
          id: "again-user",
          name: "username",
          value: user,
          readonly: true,
          autocomplete: "username",
        }),
      ),
      el("div", { class: "field" }, el("label", { for: "again-password" }, T.password), password),
      submit,
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (submit.getAttribute("aria-disabled") === "true") return;
      submit.setAttribute("aria-disabled", "true");
      submit.textContent = T.signingIn;
      error.hidden = true;
      const problem = await this.#signIn({
        server: server.name,
        namespace: namespace ?? "",
        username: user,
        password: password.value,
        ...(readOnly ? { read_only: "true" } : {}),
      });
      submit.setAttribute("aria-disabled", "false");
      submit.textContent = T.signIn;
      if (problem === null) return this.#close();
      error.replaceChildren(icon("circle-alert"), el("p", {}, el("strong", {}, T.signInFailed), ` ${problem}`));
      error.hidden = false;
      password.setAttribute("aria-invalid", "true");
      password.setAttribute("aria-describedby", "again-error");
      password.select();
      password.focus();
    });
    this.#dialog = el(
      "dialog",
      { class: "float card-float again", aria: { labelledby: "again-title", describedby: "again-text" } },
      form,
    );
    // Esc must not uncover a page that nobody is signed in to.
    this.#dialog.addEventListener("cancel", (event) => event.preventDefault());
    this.#dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.preventDefault());
    document.body.append(this.#dialog);
    this.#dialog.showModal();
    password.focus();
  }

  async #signIn(fields) {
    try {
      await json("/login", { method: "POST", form: { ...fields, csrf_token: await csrfToken() } });
      return null;
    } catch (error) {
      return error.status ? error.message : T.noAnswer;
    }
  }

  #close() {
    this.#dialog.close();
    this.#dialog.remove();
    this.#dialog = null;
    this.#done();
  }
}
