// Keeps the server's time, and updates durations and "4 s ago" once a second.
//
// <time data-clock data-since="ISO">   the time since then, as 42:10 or 1:02:10
// <time data-ago="ISO">                4 s ago, 3 min ago, 2 h ago, 5 days ago
// [data-server-now="ISO"]              the server's time when this part of the page was made

const UNITS = [[86400, "days"], [3600, "h"], [60, "min"]];
let ahead = 0;

// Milliseconds since 1970, as the server counts them.
export const serverNow = () => Date.now() + ahead;

export function setServerNow(iso) {
  const now = Date.parse(iso);
  if (Number.isFinite(now)) ahead = now - Date.now();
}

// Updates the times in a part of the page, or in all of it. Durations stop while the page receives no updates.
export function tick(part = document) {
  const isCurrent = !["lost", "ended", "resting"].includes(document.body.dataset.connection);
  if (isCurrent) for (const time of part.querySelectorAll("[data-clock]")) show(time, duration(secondsSince(time.dataset.since)));
  for (const time of part.querySelectorAll("[data-ago]")) show(time, ago(secondsSince(time.dataset.ago)));
}

function duration(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

function ago(seconds) {
  const fitting = UNITS.find(([size]) => seconds >= 2 * size);
  return fitting ? `${Math.floor(seconds / fitting[0])} ${fitting[1]} ago` : `${seconds} s ago`;
}

function secondsSince(iso) {
  return Math.max(0, Math.floor((serverNow() - Date.parse(iso)) / 1000));
}

function show(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function setByPage() {
  const times = [...document.querySelectorAll("[data-server-now]")].map((part) => Date.parse(part.dataset.serverNow));
  const latest = Math.max(...times.filter(Number.isFinite));
  // A part of the page that was rendered earlier does not set the clock back.
  if (latest > setByPage.latest) setServerNow(new Date((setByPage.latest = latest)).toISOString());
}
setByPage.latest = 0;

function tickEachSecond() {
  tick();
  setTimeout(tickEachSecond, 1000 - (serverNow() % 1000));
}

setByPage();
document.addEventListener("htmx:afterSwap", () => {
  setByPage();
  tick();
});
tickEachSecond();
