// Keys for moving about, which can be switched off; and menus that close on Esc or a click elsewhere.

const GO = { l: ".side-link[href='/']", h: ".side-link[href='/calls/']", r: ".side-link[href='/routines/']" };
const WAITS_FOR_SECOND = 1200;
const SWITCH = "keys";
const help = document.getElementById("keys");
let going = 0;

const isOn = () => localStorage.getItem(SWITCH) !== "off";
const isTyping = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

function closeMenus(except) {
  for (const menu of document.querySelectorAll("[data-menu][open]")) if (menu !== except) menu.open = false;
}

function backOut(target) {
  const menu = target.closest("[data-menu][open]") ?? document.querySelector("[data-menu][open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (isTyping(target)) {
    target.blur();
  }
}

// Arms the focused row's Hang up, or the page's only one; it hangs up nobody by itself.
function armHangUp() {
  const row = document.activeElement?.closest("tr");
  const arms = [...(row ?? document).querySelectorAll("[data-arm]")];
  if (arms.length === 1) arms[0].click();
}

function act(event) {
  if (Date.now() - going < WAITS_FOR_SECOND && GO[event.key]) {
    document.querySelector(GO[event.key])?.click();
  } else if (event.key === "/") {
    event.preventDefault();
    document.getElementById("search").focus();
  } else if (event.key === "c") {
    document.querySelector(".top-place")?.click();
  } else if (event.key === "h") {
    armHangUp();
  } else if (event.key === "?") {
    help.showModal();
  }
  going = event.key === "g" ? Date.now() : 0;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") backOut(event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isOn() && !isTyping(event.target) && !help.open) act(event);
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
use.addEventListener("change", () => localStorage.setItem(SWITCH, use.checked ? "on" : "off"));
document.documentElement.classList.toggle("keys-on", isOn());
use.addEventListener("change", () => document.documentElement.classList.toggle("keys-on", isOn()));
