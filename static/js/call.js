// Reads the page of one call again when the stream tells of it: once for many changes, and never while its hang-up is
// armed. The markup says how (hx-get); folds.js keeps what is folded open.

const CHANGED = "live:changed";
let isReading = false;
let isDue = false;
let snapshots = 0;

const call = () => document.getElementById("call");

function read() {
  isDue = true;
  if (isReading || call().querySelector("[data-armed]")) return;
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

// One that was under way when the question was armed is read again after it.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target !== call() || !call().querySelector("[data-armed]")) return;
  detail.shouldSwap = false;
  isDue = true;
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig.triggeringEvent?.type !== CHANGED) return;
  isReading = false;
  if (isDue) read();
});

document.addEventListener("hangup:disarmed", () => isDue && read());
document.addEventListener("htmx:afterSwap", () => isDue && read());
