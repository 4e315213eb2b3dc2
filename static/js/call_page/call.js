// Reloads the part of the page that shows the call when the stream reports a change: once for many changes, and never
// while its hang-up is armed, something in it is being pressed (the click would be lost) or a request is under way.
// The markup defines the request (hx-get); folds.js keeps open folds open. Text that is being typed stays, and so does
// the result of a check with Sift until it is read. The form for notes is outside this part.

import { isPressed } from "../frame/pressed.js";

const CHANGED = "live:changed";
let isReloading = false;
let isDue = false;
let snapshots = 0;
let restoreTyped = null;

const call = () => document.getElementById("call");
const isBusy = () => isPressed(call()) || Boolean(call().querySelector("[data-armed], .htmx-request"));

function reload() {
  isDue = true;
  if (isReloading || isBusy()) return;
  isDue = false;
  isReloading = true;
  window.htmx.trigger(call(), CHANGED);
}

document.addEventListener("live:calls", ({ detail: { rows, others } }) => {
  const id = call().dataset.call;
  // Without `others`, too many calls changed to list them: this may be one.
  if (!others || others.includes(id) || rows.some((row) => row.call === id)) reload();
});

// A call may have changed before a snapshot; one that is over cannot have changed before the first.
document.addEventListener("live:snapshot", () => {
  if (snapshots++ || call().hasAttribute("data-in-progress")) reload();
});

// Discard a reload that was under way when the question was armed or a request was sent, and reload later.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target !== call() || !isBusy()) return;
  detail.shouldSwap = false;
  isDue = true;
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  restoreTyped = detail.target === call() && detail.shouldSwap ? saveTyped() : null;
});
document.addEventListener("htmx:afterSwap", () => {
  restoreTyped?.();
  restoreTyped = null;
});

// Saves typed text, its selection and the note. Returns a function that restores them after the swap.
function saveTyped() {
  const typed = [...call().querySelectorAll("input[id]:not([type=hidden])")].filter((field) => field.value !== field.defaultValue);
  const at = typed.map((field) => [field.id, field.value, field === document.activeElement, field.selectionStart, field.selectionEnd]);
  const note = call().querySelector(".controls-note");
  return () => {
    for (const [id, value, hadFocus, start, end] of at) {
      const field = document.getElementById(id);
      if (!field) continue;
      field.value = value;
      if (!hadFocus) continue;
      field.focus({ preventScroll: true });
      field.setSelectionRange(start, end);
    }
    if (note && !call().querySelector(".controls-note")) call().querySelector(".controls")?.append(note);
  };
}

// A reload requested before a part of the call changed may be older than that part and undo it: reload once more.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (isReloading && detail.target !== call() && call().contains(detail.target)) isDue = true;
});

// After a tag was added or removed, close the menu and keep the focus next to the tags.
document.addEventListener("htmx:afterSwap", ({ detail: { requestConfig, xhr } }) => {
  if (requestConfig.target.id !== "call-tags" || xhr.status >= 400) return;
  document.getElementById("tag-menu").open = false;
  document.getElementById("tag-menu-open").focus({ preventScroll: true });
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig.triggeringEvent?.type === CHANGED) isReloading = false;
  if (isDue) reload();
});

for (const event of ["hangup:disarmed", "press:ended", "htmx:afterSwap"]) document.addEventListener(event, () => isDue && reload());
