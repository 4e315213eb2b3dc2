// The row of filters: long menus are searched as one types, what is empty stays out of the address, and the focus is
// where it was once the filters are applied.

const FOCUS = "filters-focus";
const form = document.querySelector("[data-filters]");

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

// Enter takes the first one that is found.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("[data-options-typed]") || !event.target.value) return;
  event.preventDefault();
  event.target.closest("[data-options]").querySelector("label:not([hidden]) input[type=checkbox]")?.click();
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
