// Building elements without markup: text is always text.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = new URL("../../icons.svg", import.meta.url).href;

/**
 * Make an element. `properties` may hold attributes, `class`, `data` (dataset), `on` ({event: listener}) and `aria`
 * ({name: value}); null, undefined and false leave an attribute out. Children are nodes, texts, or nothing.
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "data") Object.assign(element.dataset, value);
    else if (name === "on")
      for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (name === "aria")
      for (const [key, text] of Object.entries(value)) {
        if (text !== null && text !== undefined) element.setAttribute(`aria-${key}`, text);
      }
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An icon of the sprite; decoration unless `label` is given. */
export function icon(name, { small = false, label = null, class: more = "" } = {}) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", ["icon", small && "icon-s", more].filter(Boolean).join(" "));
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else {
    svg.setAttribute("aria-hidden", "true");
  }
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${ICONS}#${name}`);
  svg.append(use);
  return svg;
}

/**
 * A button that shows an icon alone. Its tooltip is the label unless `title` is given; `more` are further properties.
 */
export function iconButton(name, { label, click, title = label, small = false, class: extra = "", ...more }) {
  return el(
    "button",
    {
      class: ["button button-icon", extra].filter(Boolean).join(" "),
      type: "button",
      title,
      "aria-label": label,
      on: { click },
      ...more,
    },
    icon(name, { small }),
  );
}

/** The element marked data-part="name". */
export function part(name, root = document) {
  return root.querySelector(`[data-part="${name}"]`);
}

/** Where keys are text: a field, an area, or a cell being edited. */
export function isTyping(target) {
  return Boolean(
    target?.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]"),
  );
}
