// A long press opens the menu that the right button opens, on every system: some send no `contextmenu`, some send it
// late.

const HOLD = 550; // milliseconds: later than the browsers that send `contextmenu` themselves
const SLOP = 10; // pixels that a resting finger moves

/**
 * Send `contextmenu` to what a finger rests on below `root`, unless the browser did; fields keep the browser's own
 * menu.
 */
export function watchLongPress(root) {
  let timer = null;
  let press = null; // the `pointerdown` of a finger
  let opened = false; // by this press
  const stop = () => clearTimeout(timer);
  const listen = (type, listener) => root.addEventListener(type, listener, true);
  listen("pointerdown", (event) => {
    stop();
    opened = false;
    press = event.pointerType === "touch" && event.isPrimary && !event.target.closest("input, textarea") ? event : null;
    if (!press) return;
    const { target, clientX, clientY } = press;
    const menu = () =>
      new MouseEvent("contextmenu", { bubbles: true, cancelable: true, composed: true, clientX, clientY, button: 2 });
    timer = setTimeout(() => target.isConnected && target.dispatchEvent(menu()), HOLD);
  });
  listen("pointermove", ({ clientX, clientY, pointerId }) => {
    if (pointerId === press?.pointerId && Math.hypot(clientX - press.clientX, clientY - press.clientY) > SLOP) stop();
  });
  for (const type of ["pointerup", "pointercancel"]) listen(type, stop);
  listen("keydown", () => {
    press = null;
  });
  listen("contextmenu", (event) => {
    stop();
    if (press && opened) swallow(event); // the browser's, after ours
    opened = press !== null;
  });
  listen("click", (event) => {
    if (press && opened) swallow(event); // the finger that opened the menu leaves
    press = null;
  });
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}
