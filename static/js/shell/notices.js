// The bars between toolbar and rows: what failed or needs the person, and that the connection is away.

import { T } from "../texts.js";
import { el, icon, iconButton } from "../ui/dom.js";
import { copyText } from "../ui/toasts.js";

/**
 * What is told of one table until it no longer holds. A notice: {text, kind: "error" | "warning", topic, holds, until,
 * actions: [{label, run}]}; `holds()` says whether it is still so, and without it the next action ends the notice;
 * `until: "move"` ends it when another cell is chosen, too. One notice for each topic.
 */
export class Notices {
  #byTopic = new Map();

  get all() {
    return [...this.#byTopic.values()];
  }

  add(notice) {
    // A cell that tells what is wrong with it says the same as the save that has just gone to it.
    if (notice.topic === "cell" && this.#byTopic.has("save")) return;
    if (notice.topic === "save") this.#byTopic.delete("cell");
    this.#byTopic.delete(notice.topic);
    this.#byTopic.set(notice.topic, notice);
  }

  end(topic) {
    this.#byTopic.delete(topic);
  }

  /** The person did something: "act" changed a cell, "move" went to another cell, "leave" went to another tab. */
  acted(what) {
    this.#drop((notice) => !notice.holds && (what !== "move" || notice.until === "move"));
  }

  /** Drop what does not hold any more. */
  check() {
    this.#drop((notice) => notice.holds && !notice.holds());
  }

  #drop(ends) {
    for (const [topic, notice] of this.#byTopic) if (ends(notice)) this.#byTopic.delete(topic);
  }
}

/** Shows the notices of the table on screen. */
export class NoticeBar {
  #root;
  #shown = [];

  constructor(root) {
    this.#root = root;
  }

  /** @param {Notices | null} notices of the table on screen */
  show(notices) {
    const list = notices?.all ?? [];
    if (list.length === this.#shown.length && list.every((notice, index) => notice === this.#shown[index])) return;
    this.#shown = list;
    this.#root.replaceChildren(
      ...list.map((notice) =>
        this.#line(notice, () => {
          notices.end(notice.topic);
          this.show(notices);
        }),
      ),
    );
  }

  #line({ text, kind, actions = [] }, dismiss) {
    const button = ({ label, run }) => el("button", { class: "link", type: "button", on: { click: run } }, label);
    return el(
      "div",
      { class: `note-bar note-${kind}`, role: "note" },
      icon(kind === "error" ? "circle-alert" : "triangle-alert"),
      el("p", { class: "said" }, text),
      ...actions.map(button),
      button({ label: T.copy, run: () => copyText(text) }),
      iconButton("x", { label: T.dismiss, click: dismiss, small: true }),
    );
  }
}

const SHOWN_AFTER = 600; // ms: a connection that is back at once moves nothing

/** Says that the connection is away, how many edits wait, and why where the person has to act. */
export class OfflineBar {
  #root;
  #retry;
  #situation = { state: "connecting", blocked: false, why: null, detail: null };
  #unsaved = 0;
  #queued = 0;
  #timer = null;

  /** @param {HTMLElement} root @param {() => void} retry */
  constructor(root, retry) {
    this.#root = root;
    this.#retry = retry;
  }

  set situation(situation) {
    const away = situation.state === "away";
    const wasAway = this.#situation.state === "away";
    this.#situation = situation;
    if (!away || situation.blocked) {
      clearTimeout(this.#timer);
      this.#timer = null;
      this.#draw();
    } else if (!wasAway) this.#timer = setTimeout(() => this.#draw(), SHOWN_AFTER);
    else if (!this.#root.hidden) this.#draw();
  }

  /** How many edits are not saved, and how many of them are on their way. */
  count(unsaved, queued = this.#queued) {
    if (unsaved === this.#unsaved && queued === this.#queued) return;
    [this.#unsaved, this.#queued] = [unsaved, queued];
    if (!this.#root.hidden) this.#draw();
  }

  #draw() {
    const { state, blocked, why, detail } = this.#situation;
    this.#root.hidden = state !== "away";
    if (this.#root.hidden) return this.#root.replaceChildren();
    const text = T.offline(this.#unsaved, this.#queued);
    const reason = blocked ? [T.why[why], detail && `(${detail})`].filter(Boolean).join(" ") : null;
    const key = `${text} ${reason}`;
    if (this.#root.dataset.key === key && this.#root.childElementCount) return;
    this.#root.dataset.key = key;
    this.#root.setAttribute("role", blocked ? "alert" : "note");
    this.#root.replaceChildren(
      icon("wifi-off"),
      el("p", { class: "said" }, [reason, text].filter(Boolean).join(" ")),
      ...(blocked ? [el("button", { class: "link", type: "button", on: { click: this.#retry } }, T.reconnect)] : []),
    );
  }
}
