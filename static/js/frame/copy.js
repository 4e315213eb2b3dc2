// Copies the text of a clicked [data-copy], shows a tick for a moment, and announces it.

const SHOWN_MS = 1500;

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Browsers offer the clipboard on https and localhost only.
  const field = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await copy(button.dataset.copy);
  button.focus({ preventScroll: true });
  button.classList.add("is-copied");
  document.getElementById("announcements").textContent = `Copied ${button.dataset.copy}`;
  setTimeout(() => button.classList.remove("is-copied"), SHOWN_MS);
});
