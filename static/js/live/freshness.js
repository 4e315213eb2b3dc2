// Says how fresh the page is: the mark in the frame, and on pages with calls a note. It is computed from how the
// stream stands (stream.js), what the server says is away, and how the sync does; never decorative.
//
// body[data-stale] is there while calls may not be as they are shown; forms that act on one then say so.

import { serverNow } from "../frame/clock.js";
import { fill } from "./hydrate-rows.js";
import { clock } from "../frame/moments.js";
import { swapInside } from "../frame/swap.js";

const LATE = ["late", "failing", "paused"];
const mark = document.querySelector("[data-mark]");
const own = document.querySelector("[data-own-mark]");
const note = document.querySelector("[data-note]");
const alarms = document.getElementById("alarms");
let since = null;
let stale = null;

const connection = () => document.body.dataset.connection;
const health = () => mark.querySelector("[data-health]").dataset.health;

function take(told) {
  if (told.stale && !stale) sound(told.stale.words);
  stale = told.stale;
  if (told.mark) swapInside(mark, told.mark, fill);
  show();
}

function show() {
  const words = ownWords();
  document.body.dataset.health = health();
  document.body.toggleAttribute("data-stale", isStale());
  mark.hidden = Boolean(words);
  own.hidden = !words;
  set(own.querySelector("[data-words]"), words);
  const isLive = connection() === "up" && !stale && health() === "fresh";
  const lead = mark.querySelector("[data-lead]");
  set(lead, isLive ? `Live · ${lower(lead.dataset.lead)}` : lead.dataset.lead);
  if (note) showNote();
}

// What the browser knows better than the server's mark.
function ownWords() {
  if (connection() === "ended") return own.dataset.ended;
  if (connection() === "lost") return `Reconnecting… since ${clock(since)}`;
  if (stale) return `Stale since ${clock(Date.parse(stale.since))}`;
  return "";
}

const isStale = () => ["lost", "ended"].includes(connection()) || Boolean(stale) || LATE.includes(health());

function showNote() {
  const words = noteWords();
  note.hidden = !words;
  set(note.querySelector("[data-words]"), words);
}

function noteWords() {
  if (connection() === "ended") return "";
  if (connection() === "lost") return `The dashboard does not answer. ${note.dataset.shown} at ${clock(since)}.`;
  if (stale) return stale.words;
  if (!LATE.includes(health())) return "";
  return `${mark.textContent.trim()}. ${note.dataset.shown} then.`;
}

// Said once, to whoever does not see it.
function sound(words) {
  if (alarms) set(alarms, words);
}

const lower = (words) => words[0].toLowerCase() + words.slice(1);

function set(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

document.addEventListener("live:snapshot", (event) => take(event.detail));
document.addEventListener("live:heartbeat", (event) => take(event.detail));
document.addEventListener("live:connection", (event) => {
  since = event.detail.since ?? serverNow();
  const isLost = connection() === "lost";
  sound(isLost ? "The dashboard does not answer. Reconnecting." : connection() === "ended" ? own.dataset.ended : "");
  show();
});
