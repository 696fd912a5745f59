// The page put together: connection, sidebar, tables, keys, and what happens when the session ends.

import { BASE } from "../base.js";
import { Client } from "../net/client.js";
import { T } from "../texts.js";
import { bringBackDialogs, putAwayDialogs, setHome } from "../ui/dialog.js";
import { isTyping, part } from "../ui/dom.js";
import { DraftStore } from "./draft-store.js";
import { isControl, letterOf } from "../ui/keyboard.js";
import { Memory, storageOf } from "../data/memory.js";
import { openMenu } from "../ui/menu.js";
import { openPalette } from "./palette.js";
import { Preferences, decimalSign } from "./preferences.js";
import { Sidebar } from "./sidebar.js";
import { announce, copyText, toast } from "../ui/toasts.js";
import { takeOut } from "../ui/veil.js";
import { Workspace } from "./workspace.js";
import { address, readNamespace, sameTable } from "./location.js";

/** Somebody who did something this long ago is still there. */
const PRESENT_FOR = 60_000;

/**
 * What a page needs only when a person does something: fetched with the first sign of one, and there when it is wanted.
 */
const LATER = [
  () => import("./export.js"),
  () => import("./help.js"),
  () => import("./reauth.js"),
  () => import("../panel/columns.js"),
  () => import("../panel/conflict.js"),
  () => import("../panel/detail.js"),
];
const SIGNS = ["pointermove", "pointerdown", "keydown"];
const MODIFIERS = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph"]);

const openHelp = async () => (await import("./help.js")).openHelp();

export class Editor {
  #page;
  #client;
  #preferences;
  #drafts;
  #sidebar;
  #workspace;
  #again = null; // the card of signing in again, once it was needed
  #account = null; // the module of the account's menu, once it is there
  #putBack = null; // puts the views back after a sign-in over the page
  #session = null;
  #lastActive = Date.now();
  #leaving = false;
  #wasLive = false;

  /** @param {object} page what readPage gives */
  constructor(page) {
    this.#page = page;
    // other paths of this origin may be other instances
    const scope = [...(BASE ? [BASE] : []), page.server.name, page.user];
    const [local, own] = [storageOf("localStorage"), storageOf("sessionStorage")];
    this.#preferences = new Preferences(new Memory(local));
    this.#drafts = new DraftStore({ tab: own, browser: local }[page.settings.drafts] ?? null, ...scope);
    this.#client = new Client({
      url: page.socket,
      bytesMax: page.settings.bytesMax,
      pace: page.settings.pace,
      belongs: (session) => this.#isMine(session),
    });
    this.#workspace = new Workspace({
      client: this.#client,
      page,
      preferences: this.#preferences,
      drafts: this.#drafts,
      lists: { window: new Memory(own, ...scope), browser: new Memory(local, ...scope) },
      settings: this.#viewSettings(),
    });
    this.#sidebar = new Sidebar({
      client: this.#client,
      preferences: this.#preferences,
      memory: new Memory(local, ...scope),
    });
    this.#density();
    setHome(() => this.#workspace.focus());
    this.#listen();
  }

  /** Begin: connect, and show what the address or the last visit asks for. */
  start() {
    this.#workspace.connection = this.#client.situation;
    this.#client.start();
    const page = this.#page;
    const asked = readNamespace(location) ?? this.#typedNamespace();
    this.#workspace.restore(asked);
    const wanted = this.#workspace.current?.namespace ?? asked ?? page.namespace;
    this.#sidebar.start(wanted, page.settings.demo ? "SAMPLES" : null);
  }

  /** The namespace that was typed at the sign-in that led here: once, it comes before what is remembered. */
  #typedNamespace() {
    const attempt = new Memory(storageOf("sessionStorage"), "sign-in");
    const typed = attempt.get("namespace");
    attempt.set("namespace", null);
    return typed ? this.#page.namespace : null;
  }

  #listen() {
    const { client, workspace, sidebar } = { client: this.#client, workspace: this.#workspace, sidebar: this.#sidebar };
    client.addEventListener("state", ({ detail }) => this.#connection(detail));
    client.addEventListener("unanswered", ({ detail }) => {
      workspace.waiting = detail;
    });
    client.addEventListener("session", ({ detail }) => {
      this.#session = detail;
      this.#showSession();
    });
    client.addEventListener("sessionExpiring", ({ detail }) => this.#expiring(detail));
    sidebar.addEventListener("open", ({ detail }) => workspace.open(detail));
    sidebar.addEventListener("namespace", ({ detail }) => workspace.namespaceChosen(detail.namespace));
    sidebar.addEventListener("tableMenu", ({ detail }) => this.#tableMenu(detail));
    workspace.addEventListener("current", ({ detail }) => {
      if (detail.current) sidebar.choose(detail.current.namespace);
      sidebar.mark(detail);
    });
    workspace.addEventListener("palette", () => this.#palette());
    workspace.addEventListener("export", async ({ detail }) => (await import("./export.js")).openExport(detail));
    this.#preferences.addEventListener("change", () => this.#density());
    document.addEventListener("click", (event) => this.#click(event));
    document.addEventListener("keydown", (event) => this.#key(event));
    for (const type of ["pointerdown", "keydown", "wheel"]) {
      addEventListener(
        type,
        () => {
          this.#lastActive = Date.now();
        },
        { capture: true, passive: true },
      );
    }
    for (const type of SIGNS) addEventListener(type, this.#fetchLater, { capture: true, passive: true });
    addEventListener("beforeunload", (event) => {
      // What is being typed becomes an unsaved edit, which a reload keeps; what a column refuses would be gone.
      const refused = workspace.tabs.filter(({ view }) => view && !view.commit()).length > 0;
      const lost =
        refused ||
        (this.#page.settings.drafts !== "browser" && workspace.pending.total > 0) ||
        workspace.tabs.some(({ view }) => view?.drafts.full);
      if (!this.#leaving && (lost || client.unanswered > 0)) event.preventDefault();
    });
  }

  #fetchLater = () => {
    for (const type of SIGNS) removeEventListener(type, this.#fetchLater, { capture: true });
    // What cannot be fetched now is fetched when it is used, and missed only then.
    for (const load of LATER) load().catch(() => undefined);
    this.#accountModule().catch(() => undefined);
  };

  async #accountModule() {
    this.#account ??= await import("./account.js");
    return this.#account;
  }

  #isMine(session) {
    const user = session.user ?? session.username;
    const server = typeof session.server === "object" ? session.server?.name : session.server;
    return (
      (user === undefined || user === this.#page.user) && (server === undefined || server === this.#page.server.name)
    );
  }

  #connection(situation) {
    const { state, why, blocked } = situation;
    this.#workspace.connection = situation;
    const { dataset } = document.querySelector(".app");
    // Told once, not with every attempt.
    if (state === "away" && dataset.connection === "live" && !blocked)
      announce([T.why[why], T.willReconnect, T.keptEdits(this.#client.unanswered)].filter(Boolean).join(" "));
    dataset.connection = state;
    if (state === "signedOut") return this.#veil(why);
    if (state !== "live") return;
    if (this.#putBack) {
      this.#putBack();
      this.#putBack = null;
      this.#workspace.veiled = false;
      this.#workspace.focus();
      bringBackDialogs();
    }
    if (this.#wasLive) announce(T.backAgain);
    this.#workspace.resume(this.#wasLive);
    this.#sidebar.resume(this.#wasLive);
    this.#wasLive = true;
  }

  #veil(why) {
    if (!this.#putBack) {
      this.#workspace.settle();
      this.#putBack = takeOut(part("views"));
      putAwayDialogs();
    }
    this.#workspace.veiled = true;
    part("toasts").replaceChildren();
    this.#signInAgain(why);
  }

  async #signInAgain(why) {
    const { SignInAgain } = await import("./reauth.js");
    this.#again ??= new SignInAgain(this.#page, () => this.#client.signedIn());
    if (this.#client.state !== "signedOut") return;
    this.#again.show({
      why,
      pending: this.#workspace.pending.total,
      namespace: this.#sidebar.namespace,
      readOnly: this.#page.server.readOnly,
      other: why === "otherUser" ? this.#session : null,
    });
  }

  #showSession() {
    part("read-only").hidden = !(this.#page.server.readOnly || this.#session?.readOnly === true);
  }

  /** One notice; a person who is at work is not asked at all. */
  #expiring({ secondsLeft }) {
    const extend = () => this.#client.send("keepAlive").catch(() => undefined);
    if (Date.now() - this.#lastActive < PRESENT_FOR) return extend();
    const remove = toast(T.endsSoon(secondsLeft), {
      kind: "warning",
      lasting: true,
      key: "expiring",
      actions: [{ label: T.stay, run: extend }],
    });
    const active = () => {
      for (const type of ["pointerdown", "keydown"]) removeEventListener(type, active, true);
      remove();
      if (this.#client.state === "live") extend();
    };
    for (const type of ["pointerdown", "keydown"]) addEventListener(type, active, true);
  }

  #viewSettings() {
    const preferences = this.#preferences;
    const { settings, server } = this.#page;
    // Read when needed, so that a changed preference counts at once in every open table.
    return {
      ...settings,
      readOnly: server.readOnly,
      server: server.label,
      get autosave() {
        return !settings.production && preferences.get("saving") === "auto";
      },
      get reviewFirst() {
        return settings.production || preferences.get("saving") === "review";
      },
      get decimal() {
        return decimalSign(preferences.get("decimal"));
      },
      get density() {
        return preferences.get("density");
      },
    };
  }

  #density() {
    const density = this.#preferences.get("density");
    if (density === "normal") delete document.documentElement.dataset.density;
    else document.documentElement.dataset.density = density;
    dispatchEvent(new CustomEvent("densitychange", { detail: density }));
  }

  #click(event) {
    const button = event.target.closest?.("[data-action]");
    if (!button) return;
    switch (button.dataset.action) {
      case "sidebar":
        return this.#sidebar.toggle();
      case "palette":
        return this.#palette();
      case "help":
        return openHelp();
      case "namespace":
        return this.#sidebar.openNamespaces(button);
      case "server":
        return this.#serverMenu(button);
      case "account":
        return this.#accountMenu(button);
    }
  }

  async #accountMenu(anchor) {
    const { accountItems } = await this.#accountModule();
    const { user, server, settings } = this.#page;
    const items = accountItems({
      user,
      server: server.label,
      version: settings.version,
      preferences: this.#preferences,
      leave: () => this.#leave(),
    });
    openMenu(anchor, items, { label: user, end: true });
  }

  #serverMenu(anchor) {
    const { server, user } = this.#page;
    const readOnly = server.readOnly || this.#session?.readOnly === true;
    const items = [
      { note: true, label: `${server.label}${readOnly ? ` · ${T.readOnly.replace(".", "").toLowerCase()}` : ""}` },
      { note: true, label: T.signedInAs(user) },
      null,
      { label: T.anotherServer, icon: "database", run: () => this.#leave() },
    ];
    openMenu(anchor, items, { label: server.label });
  }

  async #leave() {
    const { signOut } = await this.#accountModule();
    return signOut({
      url: this.#page.logout,
      pending: this.#workspace.pending,
      forget: () => {
        this.#leaving = true;
        this.#workspace.forget();
        this.#drafts.end();
        this.#client.stop();
      },
    });
  }

  #tableMenu({ namespace, table, anchor, x, y }) {
    openMenu(
      anchor,
      [
        {
          label: T.open,
          icon: "table-2",
          hint: "Enter",
          run: () => {
            this.#workspace.open({ namespace, table });
            this.#sidebar.leave();
          },
        },
        {
          label: T.openBehind,
          icon: "plus",
          hint: "Ctrl+Enter",
          run: () => this.#workspace.open({ namespace, table, background: true }),
        },
        { label: T.copyLink, icon: "link", run: () => copyText(location.origin + address({ namespace, table })) },
        { label: T.copyName, icon: "copy", run: () => copyText(table) },
      ],
      { label: table, at: { x, y } },
    );
  }

  #palette() {
    if (document.querySelector("dialog[open]")) return;
    const { namespace } = this.#sidebar;
    const system = this.#preferences.get("system");
    const recent = this.#workspace.recent.filter((table) => !this.#workspace.tabs.some((tab) => sameTable(tab, table)));
    const shownAlready = [...this.#workspace.tabs, ...recent];
    openPalette(
      () => [
        ...this.#workspace.tabs.map((tab) => ({
          label: tab.table,
          icon: "table-2",
          hint: `${T.openTabs} · ${tab.namespace}`,
          group: T.openTabs,
          boost: 40,
          run: () => this.#workspace.open(tab),
        })),
        ...recent.map(({ namespace: other, table }) => ({
          label: table,
          icon: "history",
          hint: `${T.recent} · ${other}`,
          group: T.recent,
          boost: 30,
          run: (background) => this.#workspace.open({ namespace: other, table, background }),
        })),
        ...this.#sidebar.tables
          .filter(
            ({ kind, full }) =>
              (system || kind !== "system") &&
              !shownAlready.some((known) => sameTable(known, { namespace, table: full })),
          )
          .map(({ full, kind, description }) => ({
            label: full,
            icon: kind === "view" ? "eye" : "table-2",
            hint: description.split("\n")[0] || namespace,
            group: T.tables,
            run: (background) => this.#workspace.open({ namespace, table: full, background }),
          })),
        ...this.#sidebar.tablesElsewhere
          .filter(
            ({ kind, full, namespace: other }) =>
              (system || kind !== "system") &&
              !shownAlready.some((known) => sameTable(known, { namespace: other, table: full })),
          )
          .map(({ full, kind, namespace: other }) => ({
            label: full,
            icon: kind === "view" ? "eye" : "table-2",
            hint: other,
            group: T.tables,
            boost: -50,
            run: (background) => this.#workspace.open({ namespace: other, table: full, background }),
          })),
        ...this.#sidebar.namespaces.map((name) => ({
          label: name,
          icon: "database",
          hint: T.switchTo(name),
          group: T.namespaces,
          boost: -100,
          run: () => this.#sidebar.choose(name),
        })),
        ...this.#commands(),
      ],
      T.nothingFound,
      (draw) => this.#sidebar.readElsewhere(draw),
    );
  }

  #commands() {
    const table = (label, action, symbol, hint) => ({
      label,
      icon: symbol,
      hint,
      run: () => this.#workspace.run(action),
    });
    const ofTable = this.#workspace.current
      ? [
          table(T.refresh, "refresh", "refresh-cw", "F5"),
          table(T.newRow, "insertRow", "plus", "Alt+Insert"),
          table(T.filterRow, "showFilters", "list-filter", "Ctrl+F"),
          table(T.columnsTitle, "showColumns", "columns-3"),
          table(T.reviewTip, "showReview", "list-checks"),
          table(T.save, "save", "save", "Ctrl+S"),
          table(T.discard, "discard", "undo-2"),
          table(T.exportTitle, "export", "download"),
          { label: T.closeTab, icon: "x", run: () => this.#workspace.close(this.#workspace.current) },
        ]
      : [];
    this.#accountModule().catch(() => undefined); // there with the next letter, unless it is there already
    const ofPage = (this.#account?.accountItems ?? (() => []))({
      user: "",
      server: "",
      version: "",
      preferences: this.#preferences,
      leave: () => this.#leave(),
    })
      .filter((item) => item && !item.note)
      .map(({ label, icon, run }) => ({ label, icon, run }));
    return [
      ...ofTable,
      { label: T.reloadTables, icon: "refresh-cw", run: () => this.#sidebar.reload() },
      { label: T.foldSidebar, icon: "panel-left", hint: "Ctrl+B", run: () => this.#sidebar.toggle() },
      { label: T.help, icon: "keyboard", hint: "F1", run: openHelp },
      ...ofPage,
    ].map((item) => ({ ...item, group: T.commands, boost: -200 }));
  }

  #key(event) {
    if (event.defaultPrevented || (this.#again?.shown && event.key === "F5")) return;
    const { key } = event;
    const control = isControl(event);
    const plain = !control && !event.altKey;
    let run = null;
    if (control && !event.altKey && !event.shiftKey) {
      const letter = letterOf(event);
      run = {
        k: () => this.#palette(),
        b: () => this.#sidebar.toggle(),
        s: () => this.#workspace.run("save"),
        f: () => this.#workspace.current && this.#workspace.run("showFilters"),
      }[letter];
      if (letter === "f" && !this.#workspace.current) run = null;
    } else if (control && !event.altKey && event.shiftKey && letterOf(event) === "f" && this.#workspace.current)
      run = () => this.#workspace.run("clearFilters");
    else if (key === "F1" && plain) run = openHelp;
    else if (key === "?" && plain && !isTyping(event.target) && !event.target.closest("[role=grid], [role=treegrid]"))
      run = openHelp;
    else if (key === "F5" && plain && this.#workspace.current) run = () => this.#workspace.run("refresh");
    else if (key === "F6" && plain) run = () => this.#nextRegion(event.shiftKey ? -1 : 1);
    if (!run) return this.#forward(event);
    // In a dialog they do nothing, rather than what the browser would do with them.
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) run();
  }

  /** Keys of the rows count where the focus is elsewhere, or nowhere because what had it is gone. */
  #forward(event) {
    const { view } = this.#workspace.current ?? {};
    if (!view || document.querySelector("dialog[open]") || document.querySelector("[role=menu]")) return;
    const lost = !document.activeElement || document.activeElement === document.body;
    if (lost && (event.key === "Tab" || MODIFIERS.has(event.key))) return;
    if (!event.target.closest?.("[role=grid], [role=treegrid]"))
      view.key(event, { typing: isTyping(event.target), lost });
  }

  #nextRegion(step) {
    const regions = [
      [part("tree").closest(".side"), () => this.#sidebar.focus()],
      [part("tabs"), () => this.#workspace.focusTabs()],
      [part("tools"), () => this.#workspace.focusToolbar()],
      [part("views"), () => this.#workspace.focus()],
    ].filter(([region], index) => (this.#workspace.current || index === 0 ? region : false));
    const at = regions.findIndex(([region]) => region.contains(document.activeElement));
    regions.at((at + step + regions.length) % regions.length)[1]();
  }
}
