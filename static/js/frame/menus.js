// Keeps an open menu within the window, wherever its button is.

const EDGE = 8;

function fit(menu) {
  const shown = menu.querySelector(":scope > .dropdown-menu");
  shown.style.translate = "";
  const { left, right } = shown.getBoundingClientRect();
  const over = right + EDGE - document.documentElement.clientWidth;
  const by = left < EDGE ? EDGE - left : -Math.max(0, over);
  if (by) shown.style.translate = `${by}px`;
}

function fitOpen() {
  for (const menu of document.querySelectorAll("main [data-menu][open]")) fit(menu);
}

// The toggle event does not bubble.
document.addEventListener("toggle", fitOpen, true);
document.addEventListener("htmx:afterSettle", fitOpen);
addEventListener("resize", fitOpen);
