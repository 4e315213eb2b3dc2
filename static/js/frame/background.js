// Marks the requests that a page makes by itself: they do not show that the person is present or extend the session.

document.addEventListener("htmx:configRequest", (event) => {
  const { elt, headers } = event.detail;
  if (elt.matches("[hx-trigger^='every '], [hx-trigger^='live:']")) headers["X-Background"] = "yes";
});
