// Shows the live board: the calls in progress from the stream, filtered, and paused on request.

import { count } from "../frame/announce.js";
import { fill, fillRow } from "./hydrate-rows.js";
import { isFiltered, isOnlyMine, isShown, listen } from "./board-filter.js";
import { Backlog } from "./pause.js";
import { Rows } from "./rows.js";
import { swapInside } from "../frame/swap.js";

const counters = document.querySelector(".counters");
const pause = document.getElementById("pause");
let backlog = null;
const rows = new Rows(document.getElementById("calls"), { fill: fillRow, isShown, changed: showSummary });

function receive(message, isSnapshot) {
  if (!backlog) return show(message, isSnapshot);
  backlog.add(message, isSnapshot);
  showPaused();
}

function show(message, isSnapshot) {
  if (message.counters !== undefined) swapInside(counters, message.counters, fill);
  showMore(message.more);
  count(rows.apply(message, isSnapshot));
  document.dispatchEvent(new CustomEvent("live:shown"));
}

// Shows how many calls are shown and hidden, or why there are none.
function showSummary() {
  const calls = rows.inProgress();
  const shown = calls.filter(isShown).length;
  const hidden = calls.length - shown;
  const kept = hidden ? ` · ${hidden} hidden by the filter` : "";
  const all = calls.length === 1 ? "1 call" : `${calls.length} calls`;
  set(document.querySelector("[data-showing]"), isFiltered() ? `Showing ${shown} of ${calls.length}${kept}` : all);
  document.querySelector("#showing [data-asks]").hidden = !isFiltered();
  const isEmpty = ![...rows.body.rows].some((row) => !row.hidden);
  const why = !isEmpty ? null : !calls.length ? "none" : isOnlyMine() ? "mine" : "filter";
  document.getElementById("in-progress").hidden = isEmpty;
  for (const empty of document.querySelectorAll("[data-empty]")) empty.hidden = empty.dataset.empty !== why;
}

function showMore(more) {
  document.getElementById("more").hidden = !more;
  set(document.querySelector("[data-more]"), String(more));
}

function set(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function showPaused() {
  const number = backlog?.size ?? 0;
  const words = number === 1 ? "1 change waits" : `${number} changes wait`;
  set(document.querySelector("[data-waits]"), backlog ? (number ? `Paused · ${words}` : "Paused") : "");
}

pause.addEventListener("click", () => {
  const held = backlog;
  backlog = held ? null : new Backlog();
  rows.isPaused = Boolean(backlog);
  document.body.toggleAttribute("data-paused", rows.isPaused);
  showPaused();
  if (held && (held.isSnapshot || held.rest.more !== undefined)) show(held.merged, held.isSnapshot);
});

document.addEventListener("live:snapshot", (event) => receive(event.detail, true));
document.addEventListener("live:calls", (event) => receive(event.detail, false));
listen(() => rows.refilter());
rows.refilter();
