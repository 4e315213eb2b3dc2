// The live board: calls in progress as the stream tells them, filtered, and paused when somebody wants it to hold still.

import { count } from "../frame/announce.js";
import { fill, fillRow } from "./hydrate-rows.js";
import { isAsked, isOnlyMine, isShown, listen } from "./board-filter.js";
import { Waiting } from "./pause.js";
import { Rows } from "./rows.js";
import { swapInside } from "../frame/swap.js";

const counters = document.querySelector(".counters");
const pause = document.getElementById("pause");
let waiting = null;
const rows = new Rows(document.getElementById("calls"), { fill: fillRow, isShown, changed: say });

function hear(told, isWhole) {
  if (!waiting) return show(told, isWhole);
  waiting.add(told, isWhole);
  sayPaused();
}

function show(told, isWhole) {
  if (told.counters !== undefined) swapInside(counters, told.counters, fill);
  sayMore(told.more);
  count(rows.take(told, isWhole));
  document.dispatchEvent(new CustomEvent("live:shown"));
}

// How many calls are shown and hidden, and what to do where there are none.
function say() {
  const calls = rows.inProgress();
  const shown = calls.filter(isShown).length;
  const hidden = calls.length - shown;
  const kept = hidden ? ` · ${hidden} hidden by the filter` : "";
  const all = calls.length === 1 ? "1 call" : `${calls.length} calls`;
  set(document.querySelector("[data-showing]"), isAsked() ? `Showing ${shown} of ${calls.length}${kept}` : all);
  document.querySelector("#showing [data-asks]").hidden = !isAsked();
  const isEmpty = ![...rows.body.rows].some((row) => !row.hidden);
  const why = !isEmpty ? null : !calls.length ? "none" : isOnlyMine() ? "mine" : "filter";
  document.getElementById("in-progress").hidden = isEmpty;
  for (const empty of document.querySelectorAll("[data-empty]")) empty.hidden = empty.dataset.empty !== why;
}

function sayMore(more) {
  document.getElementById("more").hidden = !more;
  set(document.querySelector("[data-more]"), String(more));
}

function set(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function sayPaused() {
  const number = waiting?.size ?? 0;
  const words = number === 1 ? "1 change waits" : `${number} changes wait`;
  set(document.querySelector("[data-waits]"), waiting ? (number ? `Paused · ${words}` : "Paused") : "");
}

pause.addEventListener("click", () => {
  const held = waiting;
  waiting = held ? null : new Waiting();
  rows.isPaused = Boolean(waiting);
  document.body.toggleAttribute("data-paused", rows.isPaused);
  sayPaused();
  if (held && (held.isWhole || held.rest.more !== undefined)) show(held.merged, held.isWhole);
});

document.addEventListener("live:snapshot", (event) => hear(event.detail, true));
document.addEventListener("live:calls", (event) => hear(event.detail, false));
listen(() => rows.refilter());
rows.refilter();
