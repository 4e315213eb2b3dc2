// Makes the search box a combobox: arrows move through the server's suggestions, Enter opens the chosen one, and Esc
// closes the list. Without a choice Enter searches all calls, as the form does without this module.

const box = document.getElementById("search");
const popup = document.getElementById("suggestions");
let chosen = null;

const options = () => [...popup.querySelectorAll("[role=option]")];

function choose(option) {
  chosen?.setAttribute("aria-selected", "false");
  chosen = option ?? null;
  chosen?.setAttribute("aria-selected", "true");
  chosen?.scrollIntoView({ block: "nearest" });
  if (chosen) box.setAttribute("aria-activedescendant", chosen.id);
  else box.removeAttribute("aria-activedescendant");
}

function open() {
  popup.hidden = !popup.querySelector("[data-summary]")?.children.length;
  box.setAttribute("aria-expanded", String(!popup.hidden && options().length > 0));
}

function close() {
  choose(null);
  popup.hidden = true;
  box.setAttribute("aria-expanded", "false");
}

// A step past either end returns to the box, with nothing chosen.
function move(step) {
  if (popup.hidden) open();
  const steps = [null, ...options()];
  choose(steps.at((steps.indexOf(chosen) + step) % steps.length));
}

function press(event) {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    move(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && chosen) {
    chosen.click();
  } else if (event.key === "Escape" && !popup.hidden) {
    close();
    event.stopPropagation();
  } else {
    return;
  }
  event.preventDefault();
}

box.setAttribute("role", "combobox");
box.setAttribute("aria-autocomplete", "list");
box.setAttribute("aria-controls", "suggestions-list");
close();

box.addEventListener("keydown", (event) => {
  if (!event.isComposing) press(event);
});
box.addEventListener("input", () => {
  choose(null);
  if (!box.value.trim()) {
    popup.replaceChildren();
    close();
  }
});
box.addEventListener("focus", () => {
  if (box.value.trim()) open();
});
box.addEventListener("blur", close);
// Keep the focus in the box: without it the list would close before the click.
popup.addEventListener("mousedown", (event) => event.preventDefault());

popup.addEventListener("htmx:beforeSwap", (event) => {
  if (!box.value.trim()) event.detail.shouldSwap = false;
});
popup.addEventListener("htmx:afterSwap", () => {
  choose(null);
  if (document.activeElement !== box) return;
  open();
  document.getElementById("announcements").textContent = popup.querySelector("[data-summary]").dataset.summary;
});
