// What a page asks for by itself says so: it does not count as the person being there, and keeps no session alive.

document.addEventListener("htmx:configRequest", (event) => {
  const { elt, headers } = event.detail;
  if (elt.matches("[hx-trigger^='every '], [hx-trigger^='live:']")) headers["X-Background"] = "yes";
});
