// Keeps what was typed in a form[data-keeps] for when its page is left for signing in, and brings it back once after.
// data-keeps names the person: nobody else is shown it. Any other page that is opened drops it.

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

// Fields that come with the server's reading of the form are filled in as they appear.
function fill(form, typed) {
  for (const field of fields(form)) {
    if (!typed.has(field.name)) continue;
    field.value = typed.get(field.name);
    typed.delete(field.name);
    if (field.value) field.closest("details")?.setAttribute("open", "");
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

function bringBack(form, typed) {
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
  // Not before the other modules of the page listen.
  if (form) addEventListener("load", () => bringBack(form, new Map(kept.typed)));
}
