// Ends a call in two steps, in place: the first button arms the form and puts Keep under the pointer, Yes submits it.
// Esc, Keep, or five seconds disarm it; then hangup:disarmed is dispatched on the document. A page that reloads itself
// does not replace an armed form.
//
// form[data-two-step] has [data-arm] or [data-arm-clear], .hang-up-question, [data-keep], and data-doing: the words
// shown during the request.

const ARMED_MS = 5000;
const timers = new WeakMap();
const hungUp = new Set();
// Error notes by the id of their controls: a note stays until it is read, even if the controls are swapped.
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
  timers.set(form, setTimeout(() => disarm(form), ARMED_MS));
}

function disarm(form) {
  clearTimeout(timers.get(form));
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

// Returns a UUID that identifies a repeated click. The browser's own randomUUID is missing on plain http.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function showProgress(form) {
  clearTimeout(timers.get(form));
  const controls = form.closest(".controls");
  if (form.matches("[data-hang-up]")) hungUp.add(controls.id);
  // Discard the result of an earlier attempt.
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

// Shows that there was no usable answer: the action may or may not have been done.
function showFailure(form, words) {
  const { id } = form.closest(".controls");
  if (form.matches("[data-two-step]")) disarm(form);
  form.querySelector(".hanging-up")?.remove();
  // disarm() lets controls that were held back be swapped in.
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

// Restores the focus of a person who uses keys after the controls were swapped, and announces the note in them.
function showResult(form, controls) {
  if (form.dataset.byKey) controls.closest("tr")?.querySelector("a[href]")?.focus({ preventScroll: true });
  const note = controls.querySelector(".controls-note");
  if (note) document.getElementById("announcements").textContent = note.textContent.trim();
}

// Alerts the person to Sift's refusal of a hang-up requested on this page, whichever update shows it first.
function alertRefusals() {
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
    // The second click of a double click.
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
  // The page may be out of date: the server then checks the call before it hangs up.
  if (elt.matches("[data-hang-up]")) parameters.stale = isOld() ? "1" : "";
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, requestConfig } = event.detail;
  if (requestConfig.verb === "get" && elt.querySelector("[data-armed]")) event.preventDefault();
  if (elt.matches("[data-two-step]")) showProgress(elt);
});

document.addEventListener("htmx:responseError", ({ detail: { elt, xhr } }) => {
  if (elt.matches("[data-two-step], [data-check]")) showFailure(elt, `The dashboard answered ${xhr.status}; nothing is known of it. Look at the call.`);
});
for (const event of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(event, ({ detail: { elt } }) => {
    if (elt.matches("[data-two-step], [data-check]")) showFailure(elt, "The dashboard did not answer: it may or may not have been done.");
  });
}
document.addEventListener("htmx:afterSwap", ({ detail: { requestConfig, elt } }) => {
  const form = requestConfig.elt;
  for (const [id, note] of unread) if (!note.isConnected) document.getElementById(id)?.append(note);
  if (form.matches("[data-two-step], [data-check]")) showResult(form, elt);
  alertRefusals();
});
document.addEventListener("live:shown", alertRefusals);
