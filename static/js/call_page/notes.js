// Closes the form that changes a note on Cancel and Esc, and restores the focus after a note is written or changed.

const slot = () => document.getElementById("note-change");

// Closes the form and focuses the note that it was changing.
function leave() {
  const { note } = slot().dataset;
  const empty = document.createElement("div");
  empty.id = "note-change";
  slot().replaceWith(empty);
  document.getElementById(`note-${note}-change`)?.focus();
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-leave-note]")) return;
  event.preventDefault();
  leave();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing && event.target.closest(".note-change")) leave();
});

// A form that was already sent is returned with status 409 and the typed text: show it.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.xhr.status !== 409 || detail.requestConfig.elt.id !== "note-form") return;
  detail.shouldSwap = true;
  detail.isError = false;
});

// After a success, move the focus; a form that was refused is still in use.
document.addEventListener("htmx:afterSwap", ({ detail: { requestConfig, xhr } }) => {
  const form = requestConfig.elt;
  if (xhr.status >= 400) return;
  if (form.id === "note-form") document.getElementById("note-text").focus();
  if (form.matches(".note-change")) document.getElementById(`note-${form.dataset.note}-change`)?.focus();
});
