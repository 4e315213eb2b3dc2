// The form that places a call or sends a routine, while it is filled in: what is typed stays typed when the server's
// reading of it comes, and the button says whom it calls.

const form = document.querySelector("form.place");
const checked = document.getElementById("checked");
let typed = new Map();

function name() {
  const words = form.querySelector("[data-button-words]");
  const whom = form.querySelector("#whom strong");
  words.textContent = whom ? `${form.dataset.namesButton} ${whom.textContent}` : form.dataset.namesButton;
}

checked?.addEventListener("htmx:beforeSwap", () => {
  typed = new Map([...checked.querySelectorAll("input[type=text], input[type=tel], input:not([type])")].map((field) => [field.id, field.value]));
});

checked?.addEventListener("htmx:afterSwap", () => {
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field) field.value = value;
  }
  if (form.dataset.namesButton) name();
});
