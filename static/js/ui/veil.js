// Rows leave the page while nobody is signed in: out of the document, not only out of sight.

/** Take an element out of the document; gives a function that puts it back as it was, scrolled as it was. */
export function takeOut(element) {
  const scrolled = [];
  for (const inner of [element, ...element.querySelectorAll("*")]) {
    if (inner.scrollTop || inner.scrollLeft) scrolled.push([inner, inner.scrollTop, inner.scrollLeft]);
  }
  const place = document.createComment("");
  element.replaceWith(place);
  return () => {
    place.replaceWith(element);
    for (const [inner, top, left] of scrolled) inner.scrollTo(left, top);
  };
}
