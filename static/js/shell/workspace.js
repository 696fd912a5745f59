// The open tables: a tab and a view each, the address in the browser, and what the toolbar and the status bar show of
// them.

import { TableView } from "../table/view.js";
import { CommandError } from "../net/command-error.js";
import { T, edits } from "../texts.js";
import { confirm } from "../ui/dialog.js";
import { el, icon, part } from "../ui/dom.js";
import { address, namespaceAddress, readAddress, sameTable } from "./location.js";
import { openMenu } from "../ui/menu.js";
import { NoticeBar, Notices, OfflineBar } from "./notices.js";
import { takeFirstRows } from "./page.js";
import { StatusBar } from "./status-bar.js";
import { Tabs } from "./tabs.js";
import { announce, copyText, toast } from "../ui/toasts.js";
import { Toolbar } from "./toolbar.js";

/** Changes of filters and sort within this many milliseconds are one step of the history: a filter being typed. */
const STEP = 1000;

const RECENT = 8;
/** What the demo has to look at first. */
const TO_TRY = ["Sample.Person", "Sample.Employee", "Cinema.Film"].map((table) => ({ namespace: "SAMPLES", table }));

/** Emits "current" ({current, staged}) whenever either changes, "export", and "palette" when a table is to be found. */
export class Workspace extends EventTarget {
  #needs;
  #host;
  #tabs;
  #toolbar;
  #status;
  #notices = new NoticeBar(part("notices"));
  #offline = new OfflineBar(part("offline"), () => this.run("retry"));
  #welcome;
  #keepTimer = null;
  #followed = -Infinity; // when the address last followed what is on screen
  #kept = []; // drafts of tables that are not open

  /**
   * @param {{client: object, page: object, preferences: object, drafts: object, lists: {window: object, browser:
   * object}, settings: object}} needs
   */
  constructor(needs) {
    super();
    this.#needs = needs;
    this.#host = part("views");
    this.#tabs = new Tabs(part("tabs"));
    this.#toolbar = new Toolbar(part("tools"));
    this.#status = new StatusBar(part("status"), needs.page);
    this.#welcome = el("div", { class: "welcome" });
    this.#host.replaceChildren(this.#welcome);
    this.#tabs.addEventListener("select", ({ detail }) => this.#select(detail.tab, { focus: !detail.keep }));
    this.#tabs.addEventListener("close", ({ detail }) => this.close(detail.tab));
    this.#tabs.addEventListener("moved", ({ detail: { tab } }) => this.#moved(tab));
    this.#tabs.addEventListener("menu", ({ detail }) => this.#menu(detail));
    this.#toolbar.addEventListener("do", ({ detail }) => this.run(detail.action));
    this.#toolbar.addEventListener("lost", () => document.querySelector("dialog[open]") ?? this.focus());
    for (const host of [part("status"), part("notices").parentElement])
      host.addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault());
    this.#status.addEventListener("do", ({ detail }) => this.run(detail.action));
    addEventListener("pagehide", () => {
      this.#note(this.current);
      if (this.current) this.#keep();
    });
    addEventListener("popstate", () => this.#goTo(readAddress(location)));
  }

  get current() {
    return this.#tabs.current;
  }

  get tabs() {
    return this.#tabs.all;
  }

  /** Show how the connection is. */
  set connection(situation) {
    this.#status.connection(situation);
    this.#offline.situation = situation;
  }

  /** How many edits are on their way to the server. */
  set waiting(count) {
    this.#status.waiting = count;
    this.#offline.count(this.pending.total, count);
  }

  /** Say nothing of any row, as long as nobody is signed in. */
  set veiled(veiled) {
    this.#status.veiled = veiled;
    this.#notices.show(veiled ? null : (this.current?.notices ?? null));
  }

  /** All staged edits, also of tables that are not open: {changed, inserted, deleted, total}. */
  get pending() {
    const sum = { changed: 0, inserted: 0, deleted: 0, total: 0 };
    for (const { pending } of this.#staged()) {
      for (const kind of ["changed", "inserted", "deleted"]) {
        sum[kind] += pending[kind];
        sum.total += pending[kind];
      }
    }
    return sum;
  }

  /** The tables with staged edits: what their tabs say, for the others what was kept of them. */
  #staged() {
    const open = this.#tabs.all
      .map((tab) => ({ namespace: tab.namespace, table: tab.table, pending: pendingOf(tab) }))
      .filter(({ pending }) => pending);
    const kept = this.#kept.filter(({ namespace, table }) => !open.some((tab) => sameTable(tab, { namespace, table })));
    return [...open, ...kept].filter(({ pending }) => edits(pending));
  }

  /** Tables that were on screen, the latest first: {namespace, table}. */
  get recent() {
    return this.#needs.lists.browser.get("recent") ?? [];
  }

  #noteRecent({ namespace, table }) {
    const others = this.recent.filter((other) => !sameTable(other, { namespace, table }));
    this.#needs.lists.browser.set("recent", [{ namespace, table }, ...others].slice(0, RECENT));
  }

  /** What stands where no table is open: those of late, or of the demo, and how to find others. */
  #drawWelcome() {
    const { recent } = this;
    const tables = recent.length ? recent : this.#needs.page.settings.demo ? TO_TRY : [];
    const open = (table) =>
      el(
        "li",
        {},
        el(
          "button",
          { class: "button", type: "button", on: { click: () => this.open(table) } },
          icon("table-2"),
          el("span", { class: "label" }, table.table),
          el("span", { class: "menu-hint" }, table.namespace),
        ),
      );
    const find = el(
      "button",
      { class: "button button-outline", type: "button", on: { click: () => this.dispatchEvent(new Event("palette")) } },
      icon("search"),
      T.goTo,
      el("kbd", {}, "Ctrl+K"),
    );
    this.#welcome.replaceChildren(
      el("h2", {}, T.welcome),
      el("p", {}, T.welcomeText),
      find,
      tables.length ? el("h3", {}, recent.length ? T.recentTables : T.tablesToTry) : "",
      tables.length ? el("ul", {}, ...tables.map(open)) : "",
      el("p", {}, T.welcomeNext),
    );
  }

  /** The tabs of the last visit, then what the address asks for; not over a namespace that was asked for. */
  restore(asked = null) {
    const { window: own, browser } = this.#needs.lists;
    const { tabs = [], current = null } = own.get("tabs") ?? browser.get("tabs") ?? {};
    this.#kept = this.#needs.drafts.all;
    for (const { namespace, table, state } of tabs) {
      if (this.#tabs.find(namespace, table)) continue;
      const tab = this.#add(namespace, table, state ?? null);
      tab.pending = this.#kept.find((draft) => sameTable(draft, tab))?.pending ?? null;
      this.#tabs.mark(tab);
    }
    const wanted = readAddress(location);
    if (wanted) this.#goTo(wanted);
    else {
      const last = current && this.#tabs.find(current.namespace, current.table);
      if (last && (asked === null || last.namespace.toUpperCase() === asked.toUpperCase()))
        this.#select(last, { history: "replace", focus: true });
      else {
        this.#changed();
        this.focus();
      }
    }
  }

  /** Open a table, or show its tab. `view`: {filters, sort, search}, if it is to be looked at in a certain way. */
  open({ namespace, table, view = null, background = false }) {
    const known = this.#tabs.find(namespace, table);
    const tab = known ?? this.#add(namespace, table, view);
    if (known?.view && view) known.view.apply?.(view);
    if (background) this.#keep();
    else this.#select(tab, { focus: true });
    return tab;
  }

  /** Close a tab. Its staged edits stay as a draft; where drafts are off, it asks. */
  async close(tab) {
    const text = edits(pendingOf(tab) ?? {});
    if (text && this.#needs.page.settings.drafts === "off") {
      if (!(await confirm({ title: T.leaveNoDrafts(tab.table), text: T.leaveNoDraftsText(text), go: T.discardAnyway })))
        return;
    }
    tab.view?.close();
    tab.panel.remove();
    this.#kept = this.#needs.drafts.all;
    const next = this.#tabs.remove(tab);
    if (text && this.#needs.page.settings.drafts !== "off") toast(T.closed(tab.table, text));
    if (tab === this.current) {
      this.#tabs.select(null);
      if (next) this.#select(next, { focus: true });
      else {
        history.pushState(null, "", namespaceAddress(tab.namespace));
        this.focus();
      }
    }
    this.#changed();
  }

  /** Do what a button or a key of the frame asks of the table on screen. */
  async run(action) {
    if (action === "retry") return this.#needs.client.retry();
    const tab = this.current;
    if (!tab?.view) return;
    const { view } = tab;
    switch (action) {
      case "export":
        return this.dispatchEvent(
          new CustomEvent("export", { detail: { tab, anchor: this.#toolbar.button("export") } }),
        );
      case "discard":
        if (
          await confirm({
            title: T.discardTitle(tab.table),
            text: T.discardText(edits(pendingOf(tab) ?? {})),
            go: T.discardAnyway,
          })
        )
          view.discard();
        return;
      case "save":
        return view.dispatchSave();
      case "refresh":
        return view.refresh().catch(() => undefined); // what went wrong stands in the view
      default:
        view[METHODS[action] ?? action]?.();
    }
  }

  /** What is being typed becomes a staged edit: before the rows leave the page. */
  settle() {
    for (const { view } of this.#tabs.all) view?.commit();
  }

  /** The connection is live: read what could not be read; after a drop, all rows again, each tab's when it is shown. */
  resume(again) {
    if (again) for (const tab of this.#tabs.all) tab.stale = Boolean(tab.view);
    this.#freshen();
  }

  focus() {
    if (this.current?.view) this.current.view.focus();
    else part("tree-filter").focus();
  }

  /** Another namespace was chosen while no table is on screen: the address says so. */
  namespaceChosen(namespace) {
    if (!this.current) history.replaceState(null, "", namespaceAddress(namespace));
  }

  focusTabs() {
    this.#tabs.focus();
  }

  focusToolbar() {
    part("tools").querySelector("[tabindex='0']")?.focus();
  }

  /** Forget what this window remembers: at sign-out. */
  forget() {
    this.#needs.lists.window.set("tabs", null); // with filters; the names of the tables come back with the account
  }

  #add(namespace, table, state) {
    const panel = el("div", { class: "view", hidden: true });
    this.#host.append(panel);
    return this.#tabs.add({
      namespace,
      table,
      panel,
      state,
      view: null,
      status: {},
      pending: null,
      notices: new Notices(),
      stale: false,
      opened: null,
    });
  }

  #select(tab, { history: step = "push", focus = false } = {}) {
    this.#note(this.current);
    if (tab !== this.current) {
      this.current?.notices.acted("leave");
      this.#status.message(null);
    }
    this.#followed = -Infinity;
    this.#tabs.select(tab);
    for (const other of this.#tabs.all) other.panel.hidden = other !== tab;
    if (!tab.view) this.#mount(tab);
    else this.#freshen();
    this.#write(step);
    this.#noteRecent(tab);
    this.#changed();
    if (focus) this.#enter(tab);
  }

  /** Into the rows: also into those that are still to come, unless the person has gone elsewhere meanwhile. */
  async #enter(tab) {
    const before = document.activeElement;
    tab.view.focus();
    await tab.opened;
    const idle = document.activeElement === before || document.activeElement === document.body;
    if (idle && tab === this.current && !document.querySelector("dialog[open]")) tab.view.focus();
  }

  #mount(tab) {
    const { client, page, drafts, settings } = this.#needs;
    const view = new TableView({
      host: tab.panel,
      client,
      namespace: tab.namespace,
      tableName: tab.table,
      settings,
      nonce: page.nonce,
      firstRows: takeFirstRows(tab),
      store: drafts,
      announce: (...said) => this.#say(tab, ...said),
      acted: (what) => {
        tab.notices.acted(what);
        if (tab === this.current) this.#notices.show(tab.notices);
      },
    });
    tab.view = view;
    view.addEventListener("status", ({ detail }) => this.#show(tab, detail));
    view.addEventListener("unfollowed", () => {
      tab.stale = true;
      this.#freshen();
    });
    view.addEventListener("named", () => this.#named(tab));
    view.addEventListener("openTable", ({ detail }) =>
      this.open({
        namespace: detail.namespace ?? tab.namespace,
        table: detail.tableName ?? detail.table,
        view: detail.view ?? { filters: detail.filters ?? [] },
      }),
    );
    // What went wrong in reading stands in the view itself; all else is an error of the page.
    tab.opened = view.open(tab.state ?? undefined).catch((error) => {
      tab.stale = error.code === "AWAY";
      if (!(error instanceof CommandError)) reportError(error);
    });
  }

  /**
   * What a table says goes to the screen reader; what it did also to the status bar, what failed or is to be known
   * to the bar above its rows. `more`: {topic, holds, until, actions} of a notice; without a text the topic is
   * settled.
   */
  #say(tab, text, kind = "info", { topic = "edit", ...more } = {}) {
    if (text) announce(text);
    if (kind === "spoken") return;
    if (kind === "info") tab.notices.end(topic);
    else tab.notices.add({ text, kind, topic, ...more });
    if (tab !== this.current) return;
    this.#notices.show(tab.notices);
    if (text) this.#status.message(kind === "info" ? text : null);
  }

  #freshen() {
    const tab = this.current;
    if (!tab?.view || !tab.stale || this.#needs.client.state !== "live") return;
    tab.stale = false;
    Promise.resolve(tab.view.refresh()).catch((error) => {
      if (error.code === "AWAY") tab.stale = true;
    });
  }

  #show(tab, status) {
    tab.status = status;
    const before = edits(tab.pending ?? {});
    tab.pending = status.pending ?? null;
    if (edits(tab.pending ?? {}) !== before) this.#tabs.mark(tab);
    if (tab === this.current) this.#follow();
    this.#changed({ keep: false });
  }

  #changed({ keep = true } = {}) {
    const tab = this.current;
    if (this.#welcome.hidden !== Boolean(tab) || !this.#welcome.childElementCount) {
      this.#welcome.hidden = Boolean(tab);
      if (!tab) this.#drawWelcome();
    }
    part("heading").textContent = tab ? tab.table : T.tables;
    document.title = tab ? `${tab.table} · ${tab.namespace} · ${T.app}` : T.app;
    this.#toolbar.show(
      tab?.view
        ? {
            status: tab.status,
            can: (action) => EVERYWHERE.has(action) || typeof tab.view[METHODS[action] ?? action] === "function",
          }
        : null,
    );
    this.#status.table(tab);
    this.#offline.count(this.pending.total);
    tab?.notices.check();
    this.#notices.show(tab?.notices ?? null);
    this.#why(tab?.status.readOnly ?? null);
    this.dispatchEvent(new CustomEvent("current", { detail: { current: tab, staged: this.#staged() } }));
    if (keep) this.#keep();
  }

  /** Why editing is off, in a line above the rows. */
  #why(readOnly) {
    const bar = part("why");
    bar.hidden = !readOnly?.reason;
    if (bar.hidden || bar.dataset.reason === readOnly.reason) return;
    bar.dataset.reason = readOnly.reason;
    const copy = el(
      "button",
      { class: "link", type: "button", on: { click: () => copyText(readOnly.reason) } },
      T.copyMessage,
    );
    bar.replaceChildren(el("p", {}, el("strong", {}, T.readOnly), ` ${readOnly.reason}`), copy);
  }

  /** Remember how a tab is looked at. */
  #note(tab) {
    if (tab?.view) tab.state = tab.view.state ?? tab.state;
  }

  /** The table on screen is looked at in another way, perhaps: the address says so at once. */
  #follow() {
    const again = performance.now() - this.#followed < STEP;
    if (this.#write(again ? "replace" : "push", { keep: false })) this.#followed = performance.now();
    clearTimeout(this.#keepTimer);
    this.#keepTimer = setTimeout(() => {
      this.#note(this.current);
      this.#keep();
    }, STEP);
  }

  /** The table of a tab is written otherwise in IRIS. */
  #named(tab) {
    Object.assign(tab, { namespace: tab.view.namespace, table: tab.view.tableName });
    this.#tabs.label();
    this.#tabs.mark(tab);
    if (tab === this.current) this.#write("replace");
    this.#changed();
  }

  /** Bring the address in step with the tab; true where it was not. */
  #write(step, { keep = true } = {}) {
    const tab = this.current;
    if (!tab) return false;
    this.#note(tab);
    const to = address({ namespace: tab.namespace, table: tab.table, view: tab.state ?? {} });
    const other = to !== location.pathname + location.search;
    if (other) history[step === "push" ? "pushState" : "replaceState"](null, "", to);
    if (keep) this.#keep();
    return other;
  }

  /** Show what an address of the history names; one without a table leaves the tabs as they are. */
  #goTo(wanted) {
    if (!wanted) return;
    const { namespace, table, view } = wanted;
    const known = this.#tabs.find(namespace, table);
    const tab = known ?? this.#add(namespace, table, view);
    const same = address({ namespace, table, view }) === address({ namespace, table, view: tab.state ?? {} });
    if (!same) {
      tab.state = { ...tab.state, filters: [], sort: [], search: "", ...view };
      tab.view?.apply?.(tab.state);
    }
    this.#select(tab, { history: "none", focus: true });
  }

  #keep() {
    const { window: own, browser } = this.#needs.lists;
    const current = this.current && { namespace: this.current.namespace, table: this.current.table };
    const names = this.#tabs.all.map(({ namespace, table }) => ({ namespace, table }));
    // Filters may hold what stands in rows, so they stay in this window's storage.
    own.set("tabs", {
      current,
      tabs: this.#tabs.all.map(({ namespace, table, state }) => ({ namespace, table, state })),
    });
    browser.set("tabs", { current, tabs: names });
  }

  #moved(tab) {
    const all = this.#tabs.all;
    tab.button.scrollIntoView({ block: "nearest", inline: "nearest" });
    announce(T.tabMoved(tab.table, all.indexOf(tab) + 1, all.length));
    this.#keep();
  }

  #menu({ tab, x, y }) {
    const link =
      location.origin +
      address({ namespace: tab.namespace, table: tab.table, view: tab.view?.state ?? tab.state ?? {} });
    const all = this.#tabs.all;
    const others = all.filter((other) => other !== tab);
    const move = (label, hint, by, last) => ({
      label,
      hint,
      disabled: tab === last,
      run: () => this.#tabs.move(tab, by),
    });
    openMenu(
      tab.button,
      [
        { label: T.copyLink, icon: "link", run: () => copyText(link) },
        null,
        move(T.moveTabLeft, "Shift+Left", -1, all[0]),
        move(T.moveTabRight, "Shift+Right", 1, all.at(-1)),
        null,
        { label: T.closeTab, icon: "x", hint: "Delete", run: () => this.close(tab) },
        {
          label: T.closeOthers,
          disabled: !others.length,
          run: async () => {
            for (const other of others) await this.close(other);
          },
        },
        {
          label: T.closeAll,
          run: async () => {
            for (const each of this.#tabs.all) await this.close(each);
          },
        },
      ],
      { label: tab.table, at: { x, y } },
    );
  }
}

/** The unsaved edits of a tab now; what it shows of them may be a frame behind. */
const pendingOf = ({ view, pending }) => (view?.table.sheet ? view.pending : pending);

const METHODS = { count: "countExactly", stopCounting: "stopCounting" };
const EVERYWHERE = new Set(["export"]);
