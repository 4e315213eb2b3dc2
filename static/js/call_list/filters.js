// Improves the row of filters: searches a long menu as the person types, names the ticked options on the closed menu,
// omits empty fields from the address, and restores the focus after the filters are applied.

const FOCUS = "filters-focus";
const form = document.querySelector("[data-filters]");
// The ticked state of options, by name and value: a person may tick some while the full list is loading.
const ticks = new Map();

function filterOptions(box) {
  const list = box.closest("[data-options]");
  const query = box.value.trim().toLowerCase();
  let found = 0;
  for (const option of list.querySelectorAll("label.dropdown-item")) {
    option.hidden = !option.textContent.toLowerCase().includes(query);
    if (!option.hidden) found += 1;
  }
  list.querySelector("[data-options-none]").hidden = found > 0;
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-options-typed]")) filterOptions(event.target);
});

const key = (box) => `${box.name}=${box.value}`;

// Names the ticked options of a menu on its button.
function showChosen(menu) {
  const words = menu?.querySelector("[data-chosen]");
  if (!words) return;
  const chosen = [...menu.querySelectorAll("input[type=checkbox]:checked")];
  words.textContent = chosen.map((box) => box.closest("label").textContent.trim()).join(", ") || words.dataset.any;
}

document.addEventListener("change", (event) => showChosen(event.target.closest("[data-menu].choices")));

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

// Enter ticks the first option that matches.
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
