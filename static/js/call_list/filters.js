// The row of filters: long menus are searched as one types, what is ticked stays so and is named on the closed menu
// before it is applied, what is empty stays out of the address, and the focus is where it was once the filters are
// applied.

const FOCUS = "filters-focus";
const form = document.querySelector("[data-filters]");
// Of the options of a long menu, by name and value, which are ticked; while all of them are read, more may be.
const ticks = new Map();

function typed(box) {
  const list = box.closest("[data-options]");
  const wanted = box.value.trim().toLowerCase();
  let found = 0;
  for (const option of list.querySelectorAll("label.dropdown-item")) {
    option.hidden = !option.textContent.toLowerCase().includes(wanted);
    if (!option.hidden) found += 1;
  }
  list.querySelector("[data-options-none]").hidden = found > 0;
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-options-typed]")) typed(event.target);
});

const key = (box) => `${box.name}=${box.value}`;

// What is ticked in a menu, on its button.
function say(menu) {
  const words = menu?.querySelector("[data-chosen]");
  if (!words) return;
  const chosen = [...menu.querySelectorAll("input[type=checkbox]:checked")];
  words.textContent = chosen.map((box) => box.closest("label").textContent.trim()).join(", ") || words.dataset.any;
}

document.addEventListener("change", (event) => say(event.target.closest("[data-menu].choices")));

document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  if (!target.matches(".options")) return;
  for (const box of target.querySelectorAll("input[type=checkbox]")) ticks.set(key(box), box.checked);
});

document.addEventListener("htmx:afterSwap", () => {
  for (const box of document.querySelectorAll("[data-options] input[type=checkbox]")) {
    if (ticks.has(key(box))) box.checked = ticks.get(key(box));
  }
  ticks.clear();
});

// Enter takes the first one that is found.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("[data-options-typed]") || !event.target.value) return;
  event.preventDefault();
  const first = event.target.closest("[data-options]").querySelector("label:not([hidden]) input[type=checkbox]");
  if (first && !first.checked) first.click();
});

document.addEventListener("htmx:afterSettle", (event) => {
  const menu = event.target.closest?.("[data-menu][open]");
  if (menu?.classList.contains("choices")) menu.querySelector("[data-options-typed]")?.focus();
});

form?.addEventListener("formdata", (event) => {
  for (const name of new Set(event.formData.keys())) {
    const given = event.formData.getAll(name).filter((value) => value.trim());
    event.formData.delete(name);
    for (const value of given) event.formData.append(name, value);
  }
});

form?.addEventListener("submit", () => {
  const focused = document.activeElement;
  const kept = focused?.closest("[data-menu]")?.querySelector("summary") ?? focused;
  if (kept?.id && form.contains(kept)) sessionStorage.setItem(FOCUS, kept.id);
});

if (sessionStorage.getItem(FOCUS)) document.getElementById(sessionStorage.getItem(FOCUS))?.focus({ preventScroll: true });
sessionStorage.removeItem(FOCUS);
