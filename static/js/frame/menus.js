// Keeps what an open menu shows within the window, wherever its button stands.

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

// Opening does not bubble.
document.addEventListener("toggle", fitOpen, true);
document.addEventListener("htmx:afterSettle", fitOpen);
addEventListener("resize", fitOpen);
