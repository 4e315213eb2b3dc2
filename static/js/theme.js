// Sets the theme before the first paint: the person's own, else the system's. A classic script, so that it blocks.
(() => {
  const root = document.documentElement;
  const chosen = document.currentScript.dataset.theme || root.dataset.theme;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function apply() {
    const wanted = chosen === "light" || chosen === "dark" ? chosen : dark.matches ? "dark" : "light";
    root.dataset.bsTheme = wanted;
  }

  root.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
})();
