// What ends a call takes two steps, in place: the first arms and puts Keep under the pointer, Yes does it. Esc, Keep,
// or five seconds disarm; then the document hears hangup:disarmed. What is armed is not swapped away by a page that
// reads itself again.
//
// form[data-two-step] has [data-arm] or [data-arm-clear], .hang-up-question, [data-keep], and data-doing: the words
// while it is done.

const ARMED_FOR = 5000;
const waiting = new WeakMap();
const hungUp = new Set();
// What went wrong, by the controls where it was asked for: it stays until it was read, whatever is swapped.
const unread = new Map();
const alarms = document.getElementById("alarms");

const armOf = (form) => form.querySelector("[data-arm], [data-arm-clear]");

function arm(form) {
  for (const other of document.querySelectorAll("[data-armed]:not(.htmx-request)")) disarm(other);
  form.dataset.armed = "yes";
  const id = form.querySelector("[name=request_id]");
  if (id) id.value = newId();
  armOf(form).hidden = true;
  form.querySelector(".hang-up-question").hidden = false;
  form.querySelector("[data-keep]").focus({ preventScroll: true });
  waiting.set(form, setTimeout(() => disarm(form), ARMED_FOR));
}

function disarm(form) {
  clearTimeout(waiting.get(form));
  const hadFocus = form.contains(document.activeElement);
  delete form.dataset.armed;
  const id = form.querySelector("[name=request_id]");
  if (id) id.value = "";
  form.querySelector(".hang-up-question").hidden = true;
  const button = armOf(form);
  button.hidden = false;
  if (hadFocus) button.focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent("hangup:disarmed"));
}

// A UUID, by which a second click is known. The browser's own randomUUID is missing on plain http.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function doing(form) {
  clearTimeout(waiting.get(form));
  const controls = form.closest(".controls");
  if (form.matches("[data-hang-up]")) hungUp.add(controls.id);
  // What became of the time before is not what becomes of this one.
  unread.delete(controls.id);
  controls.querySelector(".controls-problem")?.remove();
  alarms.textContent = "";
  form.dataset.byKey = document.activeElement?.matches(":focus-visible") ? "yes" : "";
  const words = Object.assign(document.createElement("span"), { className: "hanging-up", textContent: form.dataset.doing });
  form.querySelector(".hang-up-question").hidden = true;
  form.append(words);
  words.tabIndex = -1;
  words.focus({ preventScroll: true });
}

// The answer never came, or was none: nothing is known but that.
function failed(form, words) {
  const { id } = form.closest(".controls");
  if (form.matches("[data-two-step]")) disarm(form);
  form.querySelector(".hanging-up")?.remove();
  // What was held back while it was armed may stand in its place by now.
  const controls = document.getElementById(id);
  controls.querySelector(".controls-note")?.remove();
  const note = Object.assign(document.createElement("span"), { className: "controls-note text-bad", textContent: words });
  controls.append(note);
  unread.set(id, note);
  alarm(words);
}

function alarm(words) {
  if (alarms.textContent !== words) alarms.textContent = words;
}

// The controls are new: who came by keys keeps their place, and what was found out is said as well as shown.
function answered(form, controls) {
  if (form.dataset.byKey) controls.closest("tr")?.querySelector("a[href]")?.focus({ preventScroll: true });
  const note = controls.querySelector(".controls-note");
  if (note) document.getElementById("announcements").textContent = note.textContent.trim();
}

// Sift's refusal of a hang-up that was asked for on this page, wherever it is told first.
function sayRefusals() {
  for (const id of hungUp) {
    const controls = document.getElementById(id);
    const problem = controls?.querySelector(".controls-problem");
    if (problem) alarm(problem.textContent.trim());
    if (problem || !controls) hungUp.delete(id);
  }
}

document.addEventListener("click", (event) => {
  const form = event.target.closest("[data-two-step]");
  const read = event.target.closest("[data-read]")?.closest(".controls-note");
  unread.delete(read?.closest(".controls").id);
  read?.remove();
  if (!form) return;
  if (event.target.closest("[data-arm], [data-arm-clear]")) {
    event.preventDefault();
    arm(form);
  } else if (event.target.closest("[data-keep]")) {
    disarm(form);
  } else if (event.target.closest("[data-yes]") && event.detail > 1) {
    // The second half of a double click.
    event.preventDefault();
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const form of document.querySelectorAll("[data-armed]:not(.htmx-request)")) disarm(form);
});

const isOld = () => document.body.hasAttribute("data-stale") || document.body.dataset.connection !== "up";

document.addEventListener("htmx:configRequest", (event) => {
  const { elt, parameters } = event.detail;
  // What is shown may be old: the call is looked at again before anything is done to it.
  if (elt.matches("[data-hang-up]")) parameters.stale = isOld() ? "1" : "";
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, requestConfig } = event.detail;
  if (requestConfig.verb === "get" && elt.querySelector("[data-armed]")) event.preventDefault();
  if (elt.matches("[data-two-step]")) doing(elt);
});

document.addEventListener("htmx:responseError", ({ detail: { elt, xhr } }) => {
  if (elt.matches("[data-two-step], [data-check]")) failed(elt, `The dashboard answered ${xhr.status}; nothing is known of it. Look at the call.`);
});
for (const event of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(event, ({ detail: { elt } }) => {
    if (elt.matches("[data-two-step], [data-check]")) failed(elt, "The dashboard did not answer: it may or may not have been done.");
  });
}
document.addEventListener("htmx:afterSwap", ({ detail: { requestConfig, elt } }) => {
  const form = requestConfig.elt;
  for (const [id, note] of unread) if (!note.isConnected) document.getElementById(id)?.append(note);
  if (form.matches("[data-two-step], [data-check]")) answered(form, elt);
  sayRefusals();
});
document.addEventListener("live:shown", sayRefusals);
