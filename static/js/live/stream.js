// Opens the page's one connection to /events/ (body[data-events]), monitors it, and reconnects when it breaks.
//
// Each message is dispatched on the document as live:snapshot, live:calls or live:heartbeat, with the data as detail.
// body[data-connection] holds the state, and live:connection is dispatched when it changes:
//
//   opening   not connected yet
//   resting   closed while the page is hidden; detail.since is the time of closing
//   up        connected: the snapshot arrived, and messages continue
//   lost      broken; detail.since is the time it broke; retried until it is up
//   ended     signed out, or the link was revoked; not opened again

import { serverNow, setServerNow } from "../frame/clock.js";

const MESSAGES = ["snapshot", "calls", "heartbeat"];
const SILENCE_MS = 35_000; // the server sends a heartbeat every 15 s
const CHECK_INTERVAL_MS = 5_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
const GRACE_MS = 1_000; // a restarted server is back by then, so that nothing need be shown
const TIMEOUT_MS = 5_000;
const address = document.body.dataset.events;
let source = null;
let receivedAt = 0;
let tries = 0;
let retryTimer = 0;
let losing = null;
let restedAt = 0;

const state = () => document.body.dataset.connection;

function become(connection, detail = {}) {
  clearTimeout(losing?.timer);
  losing = null;
  if (state() === connection) return;
  document.body.dataset.connection = connection;
  dispatch("connection", { connection, ...detail });
}

// Sets the state to lost unless it is up again within `pause` ms; the earliest of several deadlines counts.
function loseIn(pause, since) {
  const at = Date.now() + pause;
  if (state() === "lost" || losing?.at <= at) return;
  clearTimeout(losing?.timer);
  losing = { at, timer: setTimeout(() => become("lost", { since: losing.since }), pause), since: losing?.since ?? since };
}

function dispatch(name, detail) {
  document.dispatchEvent(new CustomEvent(`live:${name}`, { detail }));
}

function open() {
  clearTimeout(retryTimer);
  if (source || document.hidden || state() === "ended") return;
  receivedAt = Date.now();
  if (state() === "resting") loseIn(GRACE_MS, restedAt);
  else loseIn(TIMEOUT_MS, serverNow());
  source = new EventSource(address);
  for (const name of MESSAGES) source.addEventListener(name, (event) => receive(name, JSON.parse(event.data)));
  source.addEventListener("bye", end);
  source.addEventListener("error", () => broken(serverNow()));
}

function receive(name, message) {
  receivedAt = Date.now();
  if (name !== "calls") setServerNow(message.now);
  if (name === "snapshot") {
    tries = 0;
    become("up");
  }
  dispatch(name, message);
}

function close() {
  source?.close();
  source = null;
}

function end() {
  close();
  become("ended");
}

// Each retry is a new connection, because the browser's own retry neither backs off nor notices a sign-out.
async function broken(since) {
  const wasRefused = source?.readyState === EventSource.CLOSED;
  close();
  loseIn(GRACE_MS, since);
  if (wasRefused && (await isForbidden())) end();
  else if (!document.hidden) {
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries++);
    retryTimer = setTimeout(open, pause * (0.5 + Math.random() / 2));
  }
}

// EventSource does not expose the status of a refused connection: request it.
async function isForbidden() {
  const options = { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) };
  const answer = await fetch(address, options).catch(() => null);
  return answer?.status === 401;
}

// Closes the connection of a hidden page; the next snapshot brings everything.
function rest() {
  close();
  clearTimeout(retryTimer);
  if (["opening", "ended"].includes(state())) return;
  if (state() === "up") restedAt = serverNow();
  become("resting", { since: restedAt });
}

function tryNow() {
  tries = 0;
  open();
}

if (address) {
  // After the other modules have started listening.
  addEventListener("DOMContentLoaded", open);
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : tryNow()));
  addEventListener("pagehide", rest);
  addEventListener("pageshow", (event) => event.persisted && tryNow());
  addEventListener("online", tryNow);
  addEventListener("offline", () => source && broken(serverNow()));
  setInterval(() => {
    const silent = Date.now() - receivedAt;
    if (source && silent > SILENCE_MS) broken(serverNow() - silent);
  }, CHECK_INTERVAL_MS);
}
