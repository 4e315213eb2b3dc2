// Shows and hides the columns of a list as they are chosen; htmx sends the choice to the server, which saves it.

document.addEventListener("change", (event) => {
  const menu = event.target.closest("[data-columns]");
  if (!menu) return;
  const hidden = [...menu.elements.shown].filter((box) => !box.checked).map((box) => box.value);
  for (const list of document.querySelectorAll("[data-hides]")) list.dataset.hides = hidden.join(" ");
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.elt.matches("[data-columns]")) return;
  event.detail.elt.querySelector("[data-not-kept]").hidden = event.detail.successful;
});
