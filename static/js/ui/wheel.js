// What a turn of the wheel moves, in pixels.

const LINE = 26; // pixels
const PIXELS = 0;
const LINES = 1;

/**
 * The movement of a wheel event in pixels, {x, y}; `page` is the size of what is scrolled. With Shift it goes sideways.
 */
export function wheelPixels({ deltaX, deltaY, deltaMode = PIXELS, shiftKey = false }, page) {
  const unit = deltaMode === PIXELS ? 1 : deltaMode === LINES ? LINE : page;
  if (shiftKey && !deltaX) return { x: deltaY * unit, y: 0 };
  return { x: deltaX * unit, y: deltaY * unit };
}
