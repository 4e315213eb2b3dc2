// Swaps parts of the page without losing the focus in them.

const CAN_HAVE_FOCUS = "a[href], button, input:not([type=hidden]), select, summary, [tabindex]";

// Returns the elements of `html`, not yet part of the page.
export function parseHtml(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.children];
}

// Replaces `old` with `fresh`; the focus moves to the matching element in `fresh`, or else to `orElse`.
export function swap(old, fresh, orElse = null) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const at = focused && focusable(old).indexOf(focused);
  old.replaceWith(fresh);
  window.htmx?.process(fresh);
  if (!focused) return;
  const same = focused.id ? document.getElementById(focused.id) : focusable(fresh)[at];
  (same ?? orElse)?.focus({ preventScroll: true });
}

// Replaces the children of `part` that differ from `html`, after `fill` has completed the new ones.
export function swapInside(part, html, fill) {
  const fresh = parseHtml(html);
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
