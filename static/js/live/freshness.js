// Shows how fresh the page is: a mark in the frame and, on pages with calls, a note. Both follow from the state of the
// stream (stream.js), the outages that the server reports, and the health of the sync.
//
// body[data-stale] is set while the calls that are shown may be out of date; forms that act on one then send this.

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

function update(message) {
  if (message.stale && !stale) announce(message.stale.words);
  stale = message.stale;
  if (message.mark) swapInside(mark, message.mark, fill);
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

// Returns what the browser knows better than the server's mark, or an empty string.
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

// Announces `words` once to screen readers.
function announce(words) {
  if (alarms) set(alarms, words);
}

const lower = (words) => words[0].toLowerCase() + words.slice(1);

function set(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

document.addEventListener("live:snapshot", (event) => update(event.detail));
document.addEventListener("live:heartbeat", (event) => update(event.detail));
document.addEventListener("live:connection", (event) => {
  since = event.detail.since ?? serverNow();
  const isLost = connection() === "lost";
  announce(isLost ? "The dashboard does not answer. Reconnecting." : connection() === "ended" ? own.dataset.ended : "");
  show();
});
