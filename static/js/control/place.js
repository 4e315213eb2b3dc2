// Keeps typed text in the form that places a call or sends a routine when the server's check of it is swapped in,
// and names the callee on the button.

const form = document.querySelector("form.place");
const checked = document.getElementById("checked");
let typed = new Map();

function labelButton() {
  const words = form.querySelector("[data-button-words]");
  const callee = form.querySelector("#whom strong");
  words.textContent = callee ? `${form.dataset.namesButton} ${callee.textContent}` : form.dataset.namesButton;
}

checked?.addEventListener("htmx:beforeSwap", () => {
  typed = new Map([...checked.querySelectorAll("input[type=text], input[type=tel], input:not([type])")].map((field) => [field.id, field.value]));
});

checked?.addEventListener("htmx:afterSwap", () => {
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field) field.value = value;
  }
  if (form.dataset.namesButton) labelButton();
});
