// Keeps open folds open, and the scroll positions, when a part of the page is reloaded.

const open = new Set();
const scrolled = new Map();

document.addEventListener("htmx:beforeSwap", () => {
  open.clear();
  for (const fold of document.querySelectorAll("details[id][open]")) open.add(fold.id);
  for (const part of document.querySelectorAll(".scroll[id]")) scrolled.set(part.id, part.scrollLeft);
});

document.addEventListener("htmx:afterSwap", () => {
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  for (const [id, left] of scrolled) document.getElementById(id)?.scrollTo({ left });
});
