// Adds keyboard shortcuts, which can be switched off, and closes menus on Esc or a click elsewhere.
// No shortcut works while a person types or a dialog is open, and none acts on a call without a confirmation.

const GO = {
  l: ".side-link[href='/']",
  h: ".side-link[href='/calls/']",
  r: ".side-link[href='/routines/']",
  k: ".side-link[href='/contacts/']",
  s: ".side-link[href='/sync/']",
};
const SECOND_KEY_MS = 1200;
const SWITCH = "keys";
const TYPES_IN = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]:not([contenteditable=false])";
const help = document.getElementById("keys");
let goPressedAt = 0;

const isOn = () => localStorage.getItem(SWITCH) !== "off";
const isTyping = (target) => Boolean(target.closest(TYPES_IN));
const isDialogOpen = () => Boolean(document.querySelector("dialog[open]"));
const focusedRow = () => document.activeElement?.closest("tr");

function closeMenus(except) {
  for (const menu of document.querySelectorAll("[data-menu][open]")) if (menu !== except) menu.open = false;
}

// Esc on an armed hang-up only disarms it (hangup.js).
function backOut(target) {
  const menu = target.closest("[data-menu][open]") ?? document.querySelector("[data-menu][open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (isTyping(target) || (focusedRow() && !target.closest("[data-armed]"))) {
    target.blur();
  }
}

// Focuses the next row's link, or the previous one's; Enter opens it, like any link.
function move(step) {
  const links = [...document.querySelectorAll("main tbody tr")].map((row) => row.querySelector("a[href]"));
  const seen = links.filter((link) => link?.getClientRects().length);
  const at = seen.findIndex((link) => link.closest("tr") === focusedRow());
  const next = at < 0 ? 0 : Math.min(Math.max(at + step, 0), seen.length - 1);
  seen[next]?.focus();
}

// Arms the focused row's Hang up, or the page's only one; this alone does not hang up.
function armHangUp() {
  const arms = [...(focusedRow() ?? document).querySelectorAll("[data-arm]")];
  if (arms.length === 1) arms[0].click();
}

function act(event) {
  if (Date.now() - goPressedAt < SECOND_KEY_MS && GO[event.key]) {
    document.querySelector(GO[event.key])?.click();
  } else if (event.key === "/") {
    event.preventDefault();
    document.getElementById("search").focus();
  } else if (event.key === "j" || event.key === "k") {
    move(event.key === "j" ? 1 : -1);
  } else if (event.key === "c") {
    document.querySelector(".top-place")?.click();
  } else if (event.key === "h") {
    armHangUp();
  } else if (event.key === "x") {
    focusedRow()?.querySelector("[name=call]")?.click();
  } else if (event.key === "p" || event.key === "n") {
    document.querySelector(`a[data-key="${event.key}"]`)?.click();
  } else if (event.key === "?") {
    help.showModal();
  }
  goPressedAt = event.key === "g" ? Date.now() : 0;
}

// Sets aria-keyshortcuts only while the shortcuts are on.
function show() {
  document.documentElement.classList.toggle("keys-on", isOn());
  for (const element of document.querySelectorAll("[data-key]")) {
    if (isOn()) element.setAttribute("aria-keyshortcuts", element.dataset.key);
    else element.removeAttribute("aria-keyshortcuts");
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isDialogOpen()) return;
  if (event.key === "Escape") backOut(event.target);
  else if (isOn() && !isTyping(event.target)) act(event);
});

document.addEventListener("click", (event) => {
  closeMenus(event.target.closest("[data-menu]"));
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    closeMenus();
    document.getElementById(opener.dataset.opens).showModal();
  }
});

const use = help.querySelector("[data-keys-on]");
use.checked = isOn();
use.addEventListener("change", () => {
  localStorage.setItem(SWITCH, use.checked ? "on" : "off");
  show();
});
show();
