// The page's one connection to /events/ (body[data-events]): opens it, watches over it, and never gives up.
//
// What is told goes on as events of the document: live:snapshot, live:calls, live:heartbeat, with the data as
// detail. body[data-connection] says how it stands, and live:connection when that changes:
//
//   opening   not yet
//   resting   not any more, since the page is hidden; detail.since says since when
//   up        the snapshot came, and something was heard since
//   lost      broken; detail.since says since when; tried again and again
//   ended     signed out, or the link was revoked; not opened again

import { serverNow, setServerNow } from "../frame/clock.js";

const TOLD = ["snapshot", "calls", "heartbeat"];
// The server says something every 15 s.
const SILENT_FOR = 35_000;
const LOOKED_AFTER_EVERY = 5_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;
// A server that is started anew is back within this: nobody has to be told. One that does not answer is not waited for.
const GRACE = 1_000;
const PATIENCE = 5_000;
const address = document.body.dataset.events;
let source = null;
let heardAt = 0;
let tries = 0;
let again = 0;
let losing = null;
let restedAt = 0;

const state = () => document.body.dataset.connection;

function become(connection, detail = {}) {
  clearTimeout(losing?.timer);
  losing = null;
  if (state() === connection) return;
  document.body.dataset.connection = connection;
  tell("connection", { connection, ...detail });
}

// Says so if it is not up again in time; the soonest of several counts.
function loseIn(pause, since) {
  const at = Date.now() + pause;
  if (state() === "lost" || losing?.at <= at) return;
  clearTimeout(losing?.timer);
  losing = { at, timer: setTimeout(() => become("lost", { since: losing.since }), pause), since: losing?.since ?? since };
}

function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(`live:${name}`, { detail }));
}

function open() {
  clearTimeout(again);
  if (source || document.hidden || state() === "ended") return;
  heardAt = Date.now();
  if (state() === "resting") loseIn(GRACE, restedAt);
  else loseIn(PATIENCE, serverNow());
  source = new EventSource(address);
  for (const name of TOLD) source.addEventListener(name, (event) => hear(name, JSON.parse(event.data)));
  source.addEventListener("bye", end);
  source.addEventListener("error", () => broken(serverNow()));
}

function hear(name, told) {
  heardAt = Date.now();
  if (name !== "calls") setServerNow(told.now);
  if (name === "snapshot") {
    tries = 0;
    become("up");
  }
  tell(name, told);
}

function close() {
  source?.close();
  source = null;
}

function end() {
  close();
  become("ended");
}

// The browser's own way to try again neither backs off nor knows who is signed out: each try is a new connection.
async function broken(since) {
  const wasRefused = source?.readyState === EventSource.CLOSED;
  close();
  loseIn(GRACE, since);
  if (wasRefused && (await isForbidden())) end();
  else if (!document.hidden) {
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** tries++);
    again = setTimeout(open, pause * (0.5 + Math.random() / 2));
  }
}

// An answer that is no stream: only a question shows which.
async function isForbidden() {
  const asked = { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) };
  const answer = await fetch(address, asked).catch(() => null);
  return answer?.status === 401;
}

// A hidden page lets go: the next snapshot brings everything.
function letGo() {
  close();
  clearTimeout(again);
  if (["opening", "ended"].includes(state())) return;
  if (state() === "up") restedAt = serverNow();
  become("resting", { since: restedAt });
}

function tryNow() {
  tries = 0;
  open();
}

if (address) {
  // Not before the other modules listen.
  addEventListener("DOMContentLoaded", open);
  document.addEventListener("visibilitychange", () => (document.hidden ? letGo() : tryNow()));
  addEventListener("pagehide", letGo);
  addEventListener("pageshow", (event) => event.persisted && tryNow());
  addEventListener("online", tryNow);
  addEventListener("offline", () => source && broken(serverNow()));
  setInterval(() => {
    const silent = Date.now() - heardAt;
    if (source && silent > SILENT_FOR) broken(serverNow() - silent);
  }, LOOKED_AFTER_EVERY);
}
