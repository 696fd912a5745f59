// The review panel: every staged edit with its old and new value, what is in its way, and the SQL that saving would
// run.

import { writeText } from "../ui/clipboard.js";
import { el, icon, iconButton } from "../ui/dom.js";
import { record, recordOf } from "../data/json.js";
import { kindOf } from "../data/values.js";
import { withValues } from "../data/sql-text.js";
import { saveOrder } from "../data/save-order.js";
import { invalidIn } from "../data/staged.js";
import { errorText, goneText, invalidText, theirsText } from "../grid/cell-painter.js";
import { valueNodes } from "../grid/cell-nodes.js";
import { readTheirs } from "./value.js";
import { missingIn } from "../data/staged.js";
import { T } from "../grid/texts.js";

const LINES_SHOWN = 400;
const SQL_DELAY = 300;
const SAVING_PAUSE = 250;
const SQL_ROWS = 100;

const ORDER = { error: 0, conflict: 1, gone: 1, unknown: 2, saving: 3, staged: 4 };

/** The panel over the grid's right half. */
export class Review {
  #drawing = null;
  #sqlTimer = null;
  #doubtTimer = null; // draws again when a new row of unknown outcome may be inserted again
  #asked = 0;
  #most = LINES_SHOWN;

  constructor(view, close) {
    this.view = view;
    this.closeButton = iconButton("x", { label: T.close, title: `${T.close} (Esc)`, click: close, class: "push" });
    this.summary = el("span", { class: "dim" });
    this.list = el("ul", { class: "panel-body", tabindex: "0", "aria-label": T.review });
    this.sqlHead = el("span");
    this.sql = el("pre");
    this.foot = el("div", { class: "panel-foot" });
    const copy = iconButton("copy", { label: T.copySql, click: () => this.#copySql(), class: "push" });
    this.element = el(
      "aside",
      {
        class: "panel float review",
        "aria-label": T.review,
        on: { keydown: (event) => event.key === "Escape" && close() },
      },
      el("div", { class: "panel-head" }, el("h2", {}, T.review), this.summary, this.closeButton),
      this.list,
      el(
        "div",
        { class: "sql", tabindex: "0", role: "region", "aria-label": "SQL" },
        el("div", { class: "sql-head" }, this.sqlHead, copy),
        this.sql,
      ),
      this.foot,
    );
  }

  async #copySql() {
    const copied = await writeText(this.sql.textContent);
    this.view.announce(copied ? T.sqlCopied : T.copyRefused, copied ? undefined : "error");
  }

  focus() {
    this.list.focus();
  }

  drawSoon() {
    if (this.#drawing) return;
    const draw = () => {
      this.#drawing = null;
      if (this.element.isConnected) this.draw();
    };
    // While rows are being saved one after another, some times a second are enough.
    this.#drawing = this.view.saving.busy ? setTimeout(draw, SAVING_PAUSE) : requestAnimationFrame(draw);
  }

  draw() {
    const { staged, tableName } = this.view.table;
    const entries = [...staged.entries.values()].sort((a, b) => ORDER[a.state] - ORDER[b.state]);
    this.summary.textContent = entries.length ? T.reviewSummary(staged.counts, tableName) : T.reviewEmpty;
    const inside = this.list.contains(document.activeElement);
    const key = document.activeElement?.dataset?.key;
    const shown = this.#first(entries);
    this.list.replaceChildren(...shown.map((entry) => this.#entry(entry)));
    if (entries.length > shown.length) this.list.append(this.#rest(entries.length - shown.length));
    // A link that did its work is gone: the focus stays in the list, where the keys go on.
    if (inside) ((key && this.list.querySelector(`[data-key="${CSS.escape(key)}"]`)) || this.list).focus();
    this.#drawFoot(entries);
    clearTimeout(this.#sqlTimer);
    this.#sqlTimer = setTimeout(() => this.#drawSql(), SQL_DELAY);
  }

  /** As many rows as make a list that is drawn at once: rows may have hundreds of columns. */
  #first(entries) {
    let lines = 0;
    const end = entries.findIndex(({ kind, values }, index) => {
      lines += kind === "delete" ? 1 : Object.keys(values).length + 1;
      return index > 0 && lines > this.#most;
    });
    return end < 0 ? entries : entries.slice(0, end);
  }

  #rest(count) {
    const more = () => {
      this.#most *= 2;
      this.draw();
    };
    return el(
      "li",
      { class: "change" },
      el("span"),
      el(
        "div",
        {},
        `${T.moreRows(count)} `,
        el("button", { class: "link", type: "button", data: { key: "more" }, on: { click: more } }, T.showMore),
      ),
    );
  }

  #drawFoot(entries) {
    const { view } = this;
    const { savable, undecided } = view.table.staged;
    const focused = this.foot.contains(document.activeElement);
    const conflicts = undecided.filter((entry) => entry.state === "conflict");
    const bulk = (label, choice) =>
      el("button", { class: "link", type: "button", on: { click: () => this.#decideAll(conflicts, choice) } }, label);
    this.foot.replaceChildren(
      ...(undecided.length ? [el("span", {}, T.needFirst(undecided.length))] : []),
      ...(conflicts.length > 1 ? [bulk(T.keepMineAll, "mine"), bulk(T.takeTheirsAll, "theirs")] : []),
      el(
        "span",
        { class: "push" },
        el(
          "button",
          {
            class: "button",
            type: "button",
            "aria-disabled": String(!entries.length),
            on: { click: () => entries.length && this.#discard() },
          },
          T.revertAll,
        ),
        el(
          "button",
          {
            class: "button button-primary",
            type: "button",
            "aria-disabled": String(!savable.length),
            on: { click: () => savable.length && view.save() },
          },
          T.saveRows(savable.length),
        ),
      ),
    );
    if (focused) this.list.focus();
  }

  async #discard() {
    const { changed, inserted, deleted } = this.view.table.staged.counts;
    const what = [changed && T.edited(changed), inserted && T.inserted(inserted), deleted && T.marked(deleted)]
      .filter(Boolean)
      .join(", ");
    if (await this.view.ask({ title: T.discardTitle, text: T.discardText(what), go: T.discardGo })) this.view.discard();
  }

  async #decideAll(conflicts, choice) {
    const read = await Promise.all(conflicts.map((entry) => readTheirs(this.view, entry)));
    const entries = conflicts.filter((entry, index) => read[index] && this.view.table.staged.get(entry.id) === entry);
    this.view.table.batch(() => {
      for (const entry of entries)
        this.view.rowWork.resolve(entry.id, recordOf(Object.keys(entry.conflict ?? {}).map((name) => [name, choice])));
    });
  }

  #entry(entry) {
    const { view } = this;
    const label = rowLabel(view, entry);
    const lines = this.#lines(entry);
    return el(
      "li",
      { class: "change" },
      mark(entry),
      el(
        "div",
        {},
        el("h3", {}, el("span", {}, label.title), el("span", { class: "dim", dir: "auto" }, label.text)),
        lines.length ? el("dl", {}, ...lines) : null,
        entry.kind === "delete" ? el("p", { class: "why" }, T.deletes) : null,
        ...this.#why(entry),
      ),
      iconButton("undo-2", {
        label: T.revertRow(label.title),
        click: () => view.rowWork.revert(entry),
        data: { key: `revert ${entry.id}` },
      }),
    );
  }

  #lines(entry) {
    const { view } = this;
    if (entry.kind === "delete") return [];
    const { columns } = view.table.schema;
    const known = new Set(columns.map(({ name }) => name));
    const gone = Object.keys(entry.values)
      .filter((name) => !known.has(name))
      .map((name) => ({ name, gone: true }));
    const changed = [...columns.filter(({ name }) => name in entry.values), ...gone];
    const lines = changed.flatMap((column) => {
      const { name } = column;
      const after = el("ins", { dir: "auto" }, ...valueNodes(entry.values[name], column));
      const revert = iconButton("undo-2", {
        label: `${T.revertOne}: ${name}`,
        title: T.revertOne,
        click: () => view.rowWork.revert(entry, name),
        small: true,
        class: "revert-one",
        data: { key: `${entry.id} ${name}` },
      });
      const before =
        entry.kind === "insert"
          ? []
          : [
              el("del", { dir: "auto" }, ...valueNodes(entry.base[name] ?? null, column)),
              el("span", { class: "dim", role: "img", "aria-label": T.becomes }, "→"),
            ];
      return [
        el("dt", {}, name),
        el("dd", {}, ...before, after, column.gone ? el("span", { class: "why-error" }, T.noColumn) : null, revert),
      ];
    });
    if (entry.kind === "insert")
      lines.push(el("dt", {}, T.others), el("dd", {}, el("span", { class: "v-default" }, T.othersBecome)));
    return lines;
  }

  #why(entry) {
    const { view } = this;
    const link = (text, run) => el("button", { class: "link", type: "button", on: { click: run } }, text);
    const go = link(T.goToCell, () =>
      view.places.showCell(entry.id, entry.error?.field ?? Object.keys(entry.values)[0] ?? null),
    );
    if (entry.state === "error") return [el("p", { class: "why why-error" }, errorText(entry.error), " ", go)];
    if (entry.state === "conflict") {
      const [name] = Object.keys(entry.conflict ?? {});
      const text = name ? T.becameBy(entry.by, theirsText(entry.conflict[name])) : errorText(entry.error);
      return [
        el(
          "p",
          { class: "why why-conflict" },
          `${text}. `,
          link(T.compare, () => view.panels.decide(entry.id)),
        ),
      ];
    }
    if (entry.state === "gone") {
      const again = entry.outside ? [] : [link(T.insertAgain, () => view.rowWork.insertAgain(entry.id)), " "];
      return [
        el(
          "p",
          { class: "why why-conflict" },
          `${goneText(entry)} `,
          ...again,
          link(T.dropEdits, () => view.rowWork.revert(entry)),
        ),
      ];
    }
    const [wrong] = invalidIn(entry);
    if (wrong !== undefined)
      return [
        el(
          "p",
          { class: "why why-error" },
          invalidText(entry, wrong),
          " ",
          link(T.goToCell, () => view.places.showCell(entry.id, wrong)),
        ),
      ];
    if (entry.state === "unknown" && entry.kind === "insert") {
      const look = link(T.lookForIt, () => view.places.lookFor(entry));
      const drop = link(T.dropRow, () => view.rowWork.revert(entry));
      const left = view.table.staged.doubtLeft(entry);
      if (left) {
        // Inserted again now, the row could be there twice.
        clearTimeout(this.#doubtTimer);
        this.#doubtTimer = setTimeout(() => this.drawSoon(), left + 1);
        return [
          el("p", { class: "why why-error" }, `${T.unknownInsertWait(Math.ceil(left / 1000))} `, look, " ", drop),
        ];
      }
      return [
        el(
          "p",
          { class: "why why-error" },
          `${T.unknownInsert} `,
          look,
          " ",
          link(T.insertAgain, () => view.table.staged.sendAnew(entry.id)),
          " ",
          drop,
        ),
      ];
    }
    if (entry.state === "unknown") return [el("p", { class: "why why-error" }, T.unknownOutcome)];
    const missing = entry.kind === "insert" ? missingIn(entry, view.table) : [];
    if (missing.length)
      return [
        el(
          "p",
          { class: "why why-error" },
          T.missing(missing),
          " ",
          link(T.goToCell, () => view.places.showCell(entry.id, missing[0])),
        ),
      ];
    return [];
  }

  /** The statements as the server would run them, with their values. */
  async #drawSql() {
    if (!this.element.isConnected) return;
    const { view } = this;
    const { staged, namespace, tableName } = view.table;
    const entries = staged.savable;
    this.sqlHead.textContent = T.sqlHead(staged.undecided.length);
    if (!entries.length) return this.sql.replaceChildren();
    const asked = ++this.#asked;
    if (!this.sql.textContent) this.sql.textContent = T.sqlWaits;
    const { order } = saveOrder(entries, view.table.schema);
    const changes = staged.preview(order.slice(0, SQL_ROWS), view.table.writable);
    try {
      const { payload } = await view.client.send("previewChanges", {
        namespace,
        tableName,
        changes,
        order: "given",
      });
      if (asked !== this.#asked) return;
      const text = payload.statements.map(({ sql, values, error }) => {
        if (!sql) return errorText(error).replace(/^/gm, "-- "); // why it would not be sent
        return `${withValues(sql, values ?? [])};`;
      });
      if (entries.length > SQL_ROWS) text.push(`-- ${T.sqlMore(entries.length - SQL_ROWS)}`);
      this.sql.textContent = text.join("\n");
    } catch (error) {
      if (asked === this.#asked) this.sql.textContent = `-- ${error.message}`;
    }
  }
}

function mark(entry) {
  const state =
    entry.state === "error" || entry.state === "conflict" || entry.state === "gone" || entry.state === "unknown"
      ? entry.state
      : entry.kind;
  if (state === "error" || invalidIn(entry).length)
    return icon("circle-alert", { label: T.state.error, class: "icon-c-error" });
  if (state === "unknown") return icon("circle-help", { label: T.state.unknown, class: "icon-c-error" });
  if (state === "conflict" || state === "gone")
    return icon("arrow-right-left", { label: T.state[state], class: "icon-c-conflict" });
  if (state === "insert") return icon("plus", { label: T.state.new, class: "icon-c-new" });
  if (state === "delete") return icon("minus", { label: T.state.deleted, class: "icon-c-deleted" });
  return el("span", { class: "staged", role: "img", "aria-label": T.state.changed });
}

/** How a person recognises a row: by its ID, and its first text. */
export function rowLabel(view, entry) {
  const values = record(entry.row, entry.values);
  const written = view.table.schema.columns.filter(
    ({ name }) => typeof values[name] === "string" && values[name] !== "",
  );
  const column = written.find((each) => kindOf(each) === "text") ?? written[0];
  return {
    title: entry.kind === "insert" ? T.newRowTitle : T.rowTitle(entry.id),
    text: column ? String(values[column.name]).split("\n")[0].slice(0, 60) : "",
  };
}
