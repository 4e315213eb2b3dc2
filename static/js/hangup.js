// Hanging up takes two steps, in place: the first arms, and puts Keep under the pointer; Yes hangs up.
// Esc, Keep, or five seconds disarm. What is armed is not swapped away by a page that reads itself again.

const ARMED_FOR = 5000;
const waiting = new WeakMap();

function arm(form) {
  for (const other of document.querySelectorAll("[data-armed]")) disarm(other);
  form.dataset.armed = "yes";
  form.querySelector("[data-arm]").hidden = true;
  form.querySelector(".hang-up-question").hidden = false;
  form.querySelector("[data-keep]").focus({ preventScroll: true });
  waiting.set(form, setTimeout(() => disarm(form), ARMED_FOR));
}

function disarm(form) {
  clearTimeout(waiting.get(form));
  const hadFocus = form.contains(document.activeElement);
  delete form.dataset.armed;
  form.querySelector(".hang-up-question").hidden = true;
  const button = form.querySelector("[data-arm]");
  button.hidden = false;
  if (hadFocus) button.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const form = event.target.closest("[data-hang-up]");
  if (!form) return;
  if (event.target.closest("[data-arm]")) {
    event.preventDefault();
    arm(form);
  } else if (event.target.closest("[data-keep]")) {
    disarm(form);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const form of document.querySelectorAll("[data-armed]")) disarm(form);
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, requestConfig } = event.detail;
  if (requestConfig.verb === "get" && elt.querySelector("[data-armed]")) event.preventDefault();
  if (elt.matches("[data-hang-up]")) {
    clearTimeout(waiting.get(elt));
    elt.querySelector(".hang-up-question").textContent = "Hanging up…";
  }
});

document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.elt.matches("[data-hang-up]")) location.reload();
});
