// Reads the page of one call again when the stream tells of it: once for many changes, and never while its hang-up is
// armed, something in it is being pressed (the click would be lost) or waits for its answer. The markup says how
// (hx-get); folds.js keeps what is folded open. What is being typed in it stays, and what was found out by asking Sift
// until it was read; what is written to the call stands beside it and is not touched.

import { isPressed } from "../frame/pressed.js";

const CHANGED = "live:changed";
let isReading = false;
let isDue = false;
let snapshots = 0;
let kept = null;

const call = () => document.getElementById("call");
const isBusy = () => isPressed(call()) || Boolean(call().querySelector("[data-armed], .htmx-request"));

function read() {
  isDue = true;
  if (isReading || isBusy()) return;
  isDue = false;
  isReading = true;
  window.htmx.trigger(call(), CHANGED);
}

document.addEventListener("live:calls", ({ detail: { rows, others } }) => {
  const id = call().dataset.call;
  // Too many to name: any may have changed.
  if (!others || others.includes(id) || rows.some((row) => row.call === id)) read();
});

// While nothing was heard anything may have happened; to a call that is over, only since the first snapshot.
document.addEventListener("live:snapshot", () => {
  if (snapshots++ || call().hasAttribute("data-in-progress")) read();
});

// One that was under way when the question was armed, or something was asked for, is read again after it.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target !== call() || !isBusy()) return;
  detail.shouldSwap = false;
  isDue = true;
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  kept = detail.target === call() && detail.shouldSwap ? keep() : null;
});
document.addEventListener("htmx:afterSwap", () => {
  kept?.();
  kept = null;
});

// Takes note of what only this page knows; to be called once the new reading of the call is in its place.
function keep() {
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

// What was asked for before a part of the call changed may be older than that part, and undo it: it is read once more.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (isReading && detail.target !== call() && call().contains(detail.target)) isDue = true;
});

// A tag was put on or taken off: the menu is done with, and the focus stays beside the tags.
document.addEventListener("htmx:afterSwap", ({ detail: { requestConfig, xhr } }) => {
  if (requestConfig.target.id !== "call-tags" || xhr.status >= 400) return;
  document.getElementById("tag-menu").open = false;
  document.getElementById("tag-menu-open").focus({ preventScroll: true });
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig.triggeringEvent?.type === CHANGED) isReading = false;
  if (isDue) read();
});

for (const event of ["hangup:disarmed", "press:ended", "htmx:afterSwap"]) document.addEventListener(event, () => isDue && read());
