// Scrolling over what has no scroll bar of its own: the frozen columns and the head. All else is the browser's.

import { wheelPixels } from "../ui/wheel.js";

const SLOP = 8; // pixels before a finger on the screen pans
const GLIDE = 0.3; // pixels a millisecond: a finger that leaves faster lets the columns glide on
const GLIDE_FOR = 250; // milliseconds

/**
 * Pan a sheet by wheel and touch. The frozen columns scroll up and down natively, and the others follow them
 * (Sheet#followFrozen); what is left is moving sideways over them, and both directions over the head.
 */
export class Panning {
  #finger = null; // {id, x, left, panning, at, velocity}

  constructor(sheet) {
    this.sheet = sheet;
    const container = sheet.getContainerNode();
    container.addEventListener("wheel", this.#wheel, { passive: true });
    container.addEventListener("pointerdown", this.#down);
    container.addEventListener("pointermove", this.#move);
    for (const type of ["pointerup", "pointercancel"]) container.addEventListener(type, this.#up);
    // A pen selects by dragging. It hovers before it touches, which is when the browser decides what a drag does.
    container.addEventListener("pointerover", ({ pointerType }) =>
      container.classList.toggle("by-pen", pointerType === "pen"),
    );
  }

  get #columns() {
    return this.sheet.scroller;
  }

  #isOurs(target) {
    return !this.#columns.contains(target);
  }

  #wheel = (event) => {
    if (event.ctrlKey || event.metaKey || !this.#isOurs(event.target)) return; // with Ctrl it zooms
    const { x, y } = wheelPixels(event, this.#columns.clientHeight);
    this.#columns.scrollLeft += x;
    if (!event.target.closest(".slick-viewport")) this.#columns.scrollTop += y;
  };

  #down = ({ pointerType, pointerId, clientX, timeStamp, target }) => {
    this.#finger = null;
    if (pointerType !== "touch" || !this.#isOurs(target) || target.closest(".slick-resizable-handle")) return;
    this.#finger = {
      id: pointerId,
      x: clientX,
      left: this.#columns.scrollLeft,
      panning: false,
      at: timeStamp,
      velocity: 0,
      last: clientX,
    };
  };

  #move = ({ pointerId, clientX, timeStamp }) => {
    const finger = this.#finger;
    if (finger?.id !== pointerId) return;
    finger.panning ||= Math.abs(clientX - finger.x) > SLOP;
    if (!finger.panning) return;
    this.#columns.scrollLeft = finger.left - (clientX - finger.x);
    const time = timeStamp - finger.at;
    if (time > 0) finger.velocity = (clientX - finger.last) / time;
    Object.assign(finger, { at: timeStamp, last: clientX });
  };

  #up = ({ type, pointerId, timeStamp }) => {
    const finger = this.#finger;
    if (finger?.id !== pointerId) return;
    this.#finger = null;
    const glides =
      type === "pointerup" && finger.panning && Math.abs(finger.velocity) > GLIDE && timeStamp - finger.at < 60;
    if (!glides || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.#columns.scrollBy({ left: -finger.velocity * GLIDE_FOR, behavior: "smooth" });
  };
}
