// Keeps the state of the routine editor: the scroll position of the JSON and the open folds when the server renders
// them again, and what was typed: warns before it is lost, and restores it after the session ended.

const STORED = `routine ${location.pathname}`;
const KEPT = ["revision", "name", "description", "used_by", "note", "json"];
const form = document.querySelector("[data-routine]");
const open = new Set();
let scrolled = 0;
let unsaved = false;

document.addEventListener("htmx:beforeOnLoad", () => {
  scrolled = form.elements.json.scrollTop;
  open.clear();
  for (const fold of form.querySelectorAll("details[id][open]")) open.add(fold.id);
});

document.addEventListener("htmx:afterRequest", () => {
  form.elements.json.scrollTop = scrolled;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
});

function keep() {
  const typed = KEPT.map((name) => [name, form.elements[name].value]);
  sessionStorage.setItem(STORED, JSON.stringify(Object.fromEntries(typed)));
}

function restore() {
  for (const [name, value] of Object.entries(JSON.parse(sessionStorage.getItem(STORED)))) form.elements[name].value = value;
  form.querySelector("[data-brought-back]").hidden = false;
  form.elements.json.dispatchEvent(new Event("input", { bubbles: true }));
}

form.addEventListener("htmx:configRequest", (event) => {
  // htmx adds the button that was clicked last; checking the form again must not publish it a second time.
  if (event.detail.elt === form) delete event.detail.parameters.do;
});

form.addEventListener("input", () => (unsaved = true));
form.addEventListener("click", (event) => {
  if (event.target.closest("button[hx-post]")) unsaved = true;
});
form.addEventListener("submit", () => {
  keep();
  unsaved = false;
});
addEventListener("beforeunload", (event) => {
  if (!unsaved) return;
  keep();
  event.preventDefault();
});

const cameFromSignIn = document.referrer && new URL(document.referrer).pathname.startsWith("/accounts/login/");
if (cameFromSignIn && sessionStorage.getItem(STORED)) addEventListener("load", restore);
addEventListener("load", () => sessionStorage.removeItem(STORED));
