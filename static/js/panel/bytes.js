// The dialog of a binary value: what it is, a picture of it, a file to keep and a file to put in its place.

import { openDialog } from "../ui/dialog.js";
import { el } from "../ui/dom.js";
import { kindOfBytes } from "../data/bytes.js";
import { sizeText } from "../data/values.js";
import { T } from "../grid/texts.js";

const START = 64; // bytes that tell what a file is
const PICTURE = { width: 480, height: 320 };

/**
 * Show a binary value and ask what to do with it.
 *
 * @param {Blob | null} blob null is NULL
 * @param {{table: string, column: string, id: string, readOnly: boolean}} place
 * @returns {Promise<{answer: string, file: File | null}>} "put" with a file, "null", or ""
 */
export async function askForBytes(blob, { table, column, id, readOnly }) {
  const kind = blob ? kindOfBytes(new Uint8Array(await blob.slice(0, START).arrayBuffer())) : null;
  const name = `${table}-${column}-${id}.${kind?.ending ?? "bin"}`.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-");
  const facts = blob ? [sizeText(blob.size, "bytes"), kind && !kind.picture && kind.name] : ["NULL"];
  const picture = kind?.picture ? await pictureOf(blob, kind) : [];
  const input = el("input", { type: "file", class: "input", id: "value-file" });
  const note = el("p", { class: "field-note", role: "status" }, T.valueDirect);
  const change = [el("label", { for: "value-file" }, T.valueFile), input, note];
  const actions = [{ label: T.close, value: "" }];
  if (!readOnly) actions.push({ label: T.setNull, value: "null" }, { label: T.valueUpload, value: "put" });
  if (blob) actions.push({ label: T.valueDownload(name), value: "get", primary: true });
  for (;;) {
    const answer = await openDialog({
      title: T.valueTitle(column),
      text: facts.filter(Boolean).join(" · "),
      class: "small-dialog bytes-dialog",
      body: [...picture, ...(readOnly ? [] : [el("div", { class: "field" }, ...change)])],
      actions,
    });
    if (answer === "get") saveFile(blob, name);
    if (answer !== "put" || input.files[0]) return { answer, file: input.files[0] ?? null };
    note.textContent = T.valueNoFile;
    input.setAttribute("aria-invalid", "true");
  }
}

/** A picture drawn by the page itself: bytes of somebody else are never loaded as a document. */
async function pictureOf(blob, kind) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([blob], { type: kind.type }));
  } catch {
    return [el("p", { class: "field-note" }, T.valueBroken(kind.name))];
  }
  const text = T.valuePicture(kind.name, bitmap.width, bitmap.height);
  const scale = Math.min(1, PICTURE.width / bitmap.width, PICTURE.height / bitmap.height);
  const canvas = el("canvas", {
    width: Math.max(1, Math.round(bitmap.width * scale)),
    height: Math.max(1, Math.round(bitmap.height * scale)),
    role: "img",
    "aria-label": text,
  });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return [canvas, el("p", { class: "field-note" }, text)];
}

function saveFile(blob, name) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
