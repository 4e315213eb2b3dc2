// Shows the wallboard: as many rows as fit on the screen, the time of day, and full screen on request.

import { serverNow } from "../frame/clock.js";
import { fill } from "./hydrate-rows.js";
import { hourAndMinute } from "../frame/moments.js";
import { Rows } from "./rows.js";
import { swapInside } from "../frame/swap.js";

const counters = document.querySelector(".wall-counters");
const list = document.querySelector(".wall-list");
const time = document.querySelector("[data-time-of-day]");
const fullscreenButton = document.querySelector("[data-whole-screen]");
let notListed = Number(document.querySelector("[data-more]").textContent);
const rows = new Rows(document.getElementById("calls"), { fill, changed: fit });

function show(message, isSnapshot) {
  if (message.counters !== undefined) swapInside(counters, message.counters, fill);
  notListed = message.more;
  rows.apply(message, isSnapshot);
}

// Hides the rows beyond the end of the screen and shows their number.
function fit() {
  const shown = [...rows.body.rows];
  for (const row of shown) row.classList.remove("is-beyond");
  const end = list.getBoundingClientRect().bottom;
  const beyond = isFitted() ? shown.filter((row) => row.getBoundingClientRect().bottom > end + 1) : [];
  for (const row of beyond) row.classList.add("is-beyond");
  const more = notListed + rows.inProgress().filter((row) => beyond.includes(row)).length;
  document.getElementById("more").hidden = !more;
  document.querySelector("[data-more]").textContent = String(more);
  document.querySelector(".wall-nothing").hidden = shown.length > 0;
}

// On a phone the list scrolls instead.
const isFitted = () => getComputedStyle(list).overflowY === "hidden";

function showTime() {
  const words = hourAndMinute(serverNow());
  if (time.textContent !== words) time.textContent = words;
  setTimeout(showTime, 1000);
}

document.addEventListener("live:snapshot", (event) => show(event.detail, true));
document.addEventListener("live:calls", (event) => show(event.detail, false));
new ResizeObserver(fit).observe(list);
showTime();

if (document.fullscreenEnabled) {
  fullscreenButton.hidden = false;
  fullscreenButton.addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()));
}
