// Sets the theme before the first paint: the person's own, else the system's. A classic script, so that it blocks.
// A button of [data-themes] changes it at once; its form saves it.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = document.currentScript.dataset.theme || root.dataset.theme;

  function apply() {
    const theme = chosen === "light" || chosen === "dark" ? chosen : dark.matches ? "dark" : "light";
    root.dataset.bsTheme = theme;
  }

  root.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-themes] button");
    if (!button) return;
    chosen = button.value;
    apply();
    for (const one of document.querySelectorAll("[data-themes] button")) {
      one.setAttribute("aria-pressed", String(one.value === chosen));
    }
  });
})();
