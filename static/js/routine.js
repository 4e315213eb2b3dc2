// The routine editor: keeps the JSON where it was scrolled to and folds as they were when the server writes them
// anew, and asks before what was typed is lost.

const form = document.querySelector("[data-routine]");
const open = new Set();
let scrolled = 0;
let unsaved = false;

document.addEventListener("htmx:beforeOnLoad", () => {
  scrolled = document.getElementById("json").scrollTop;
  open.clear();
  for (const fold of form.querySelectorAll("details[id][open]")) open.add(fold.id);
});

document.addEventListener("htmx:afterRequest", () => {
  document.getElementById("json").scrollTop = scrolled;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
});

form.addEventListener("input", () => (unsaved = true));
form.addEventListener("click", (event) => {
  if (event.target.closest("button[hx-post]")) unsaved = true;
});
form.addEventListener("submit", () => (unsaved = false));
addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});
