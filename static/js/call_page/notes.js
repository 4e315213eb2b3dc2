// Notes on one call: Cancel and Esc leave a note's change, and who wrote or changed one goes on from where they were.

const slot = () => document.getElementById("note-change");

// Back to the note that was being changed.
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

// A form that was used before comes back with what was typed in it.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.xhr.status !== 409 || detail.requestConfig.elt.id !== "note-form") return;
  detail.shouldSwap = true;
  detail.isError = false;
});

// A form that asks its question again keeps its words, and says why; one that was taken is done with.
document.addEventListener("htmx:afterSwap", ({ detail: { requestConfig, xhr } }) => {
  const form = requestConfig.elt;
  if (xhr.status >= 400) return;
  if (form.id === "note-form") document.getElementById("note-text").focus();
  if (form.matches(".note-change")) document.getElementById(`note-${form.dataset.note}-change`)?.focus();
});
