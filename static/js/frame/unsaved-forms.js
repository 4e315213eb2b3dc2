// Keeps what was typed in a form[data-keeps] when a person must sign in again, and restores it once afterwards.
// data-keeps names the person: nobody else sees the text. Any other page that is opened discards it.

const STORED = "kept";
const TYPED = "input:not([type=hidden], [type=password], [type=file], [type=checkbox], [type=radio]), textarea, select";
const changed = new Set();

const fields = (form) => [...form.elements].filter((field) => field.name && field.matches(TYPED));
const address = (form) => new URL(form.action).pathname;

function keep() {
  const [form] = [...changed].filter((one) => one.isConnected);
  if (!form) return;
  const typed = fields(form).map((field) => [field.name, field.value]);
  sessionStorage.setItem(STORED, JSON.stringify({ person: form.dataset.keeps, form: address(form), typed }));
}

// Fills in the fields that exist; those that the server adds later are filled in when they appear.
function fill(form, typed) {
  for (const field of fields(form)) {
    if (!typed.has(field.name)) continue;
    field.value = typed.get(field.name);
    typed.delete(field.name);
    if (field.value) field.closest("details")?.setAttribute("open", "");
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

function restore(form, typed) {
  fill(form, typed);
  form.addEventListener("htmx:afterSettle", () => fill(form, typed));
  for (const note of form.querySelectorAll("[data-brought-back]")) note.hidden = false;
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-keeps]");
  if (form) changed.add(form);
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-keeps]")) changed.add(event.target);
});
addEventListener("pagehide", keep);

const kept = JSON.parse(sessionStorage.getItem(STORED));
sessionStorage.removeItem(STORED);
const cameFromSignIn = document.referrer && new URL(document.referrer).pathname.startsWith("/accounts/login/");
if (kept && cameFromSignIn) {
  const form = [...document.querySelectorAll("form[data-keeps]")].find(
    (one) => address(one) === kept.form && one.dataset.keeps === kept.person,
  );
  // On load, because the other modules of the page must be listening.
  if (form) addEventListener("load", () => restore(form, new Map(kept.typed)));
}
