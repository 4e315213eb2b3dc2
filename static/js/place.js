// The button of the form says whom it calls, as the server reads what was typed.

const form = document.querySelector("form[data-names-button]");

if (form) {
  const words = form.querySelector("[data-button-words]");
  document.addEventListener("htmx:afterSwap", () => {
    const whom = form.querySelector("#whom strong");
    words.textContent = whom ? `${form.dataset.namesButton} ${whom.textContent}` : form.dataset.namesButton;
  });
}
