// Tabs change places by dragging: past the middle of its neighbour a tab takes that one's place.

/** A hand that shakes this many pixels does not drag. */
const SHAKE = 5;

/**
 * Let tabs be dragged along their strip.
 *
 * @param {HTMLElement} strip
 * @param {{all: () => object[], move: (tab: object, to: number) => void, dropped: (tab: object) => void}} tabs
 *   a tab is {button}; `move` puts it at a place, `dropped` is told when it has been left at another one
 */
export function dragTabs(strip, { all, move, dropped }) {
  strip.addEventListener("pointerdown", (down) => {
    const tab = all().find(({ button }) => button.contains(down.target));
    // a finger pans the strip
    if (!tab || down.button !== 0 || down.pointerType === "touch" || down.target.closest(".tab-x")) return;
    const { button } = tab;
    const from = all().indexOf(tab);
    let dragging = false;
    const follow = ({ clientX }) => {
      if (!dragging && Math.abs(clientX - down.clientX) < SHAKE) return;
      if (!dragging) button.setPointerCapture(down.pointerId);
      dragging = true;
      button.dataset.dragged = "";
      move(tab, place(all(), tab, clientX));
      button.scrollIntoView({ block: "nearest", inline: "nearest" });
    };
    const end = (event) => {
      if (event.type === "keydown" && event.key !== "Escape") return;
      for (const [type, listener] of listeners) removeEventListener(type, listener, true);
      if (!dragging) return;
      delete button.dataset.dragged;
      if (event.type === "pointerup") swallowClick();
      else move(tab, from);
      if (event.type === "keydown") event.preventDefault();
      if (all().indexOf(tab) !== from) dropped(tab);
    };
    /** @type {[string, (event: any) => void][]} */
    const listeners = [
      ["pointermove", follow],
      ["pointerup", end],
      ["pointercancel", end],
      ["keydown", end],
    ];
    for (const [type, listener] of listeners) addEventListener(type, listener, true);
  });
}

/** Where a tab goes whose pointer is at `x`: past every neighbour whose middle the pointer has passed. */
function place(tabs, dragged, x) {
  const from = tabs.indexOf(dragged);
  const middle = ({ button }) => {
    const { left, width } = button.getBoundingClientRect();
    return left + width / 2;
  };
  let to = from;
  while (to + 1 < tabs.length && x > middle(tabs[to + 1])) to += 1;
  while (to > 0 && to <= from && x < middle(tabs[to - 1])) to -= 1;
  return to;
}

/** The click that ends a drag selects nothing. */
function swallowClick() {
  const swallow = (event) => event.stopPropagation();
  addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", swallow, true));
}
