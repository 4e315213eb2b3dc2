// Swaps parts of the page for others without losing anybody's place in them.

const CAN_HAVE_FOCUS = "a[href], button, input:not([type=hidden]), select, summary, [tabindex]";

// The elements that `html` draws, of no page yet.
export function drawn(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.children];
}

// Puts `fresh` in the place of `old`; the focus stays on what is the same there, else goes to `orElse`.
export function swap(old, fresh, orElse = null) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const at = focused && focusable(old).indexOf(focused);
  old.replaceWith(fresh);
  window.htmx?.process(fresh);
  if (!focused) return;
  const same = focused.id ? document.getElementById(focused.id) : focusable(fresh)[at];
  (same ?? orElse)?.focus({ preventScroll: true });
}

// Brings what is inside `part` to what `html` draws, element by element.
export function swapInside(part, html, fill) {
  const fresh = drawn(html);
  if (fresh.length !== part.children.length) {
    for (const one of fresh) fill(one);
    part.replaceChildren(...fresh);
    return;
  }
  [...part.children].forEach((old, at) => {
    fill(fresh[at]);
    if (!old.isEqualNode(fresh[at])) swap(old, fresh[at]);
  });
}

const focusable = (part) => [...part.querySelectorAll(CAN_HAVE_FOCUS)];
