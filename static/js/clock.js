// Ticks durations and "4 s ago" once a second, by the server's clock.
//
// <time data-clock data-since="ISO">   how long since then, as 42:10 or 1:02:10
// <time data-ago="ISO">                4 s ago, 3 min ago, 2 h ago, 5 days ago
// [data-server-now="ISO"]              the server's time when this part of the page was made

const UNITS = [[86400, "days"], [3600, "h"], [60, "min"]];
let ahead = 0;

function setByServer() {
  const times = [...document.querySelectorAll("[data-server-now]")].map((part) => Date.parse(part.dataset.serverNow));
  const latest = Math.max(...times.filter(Number.isFinite));
  if (Number.isFinite(latest)) ahead = latest - Date.now();
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
  return Math.max(0, Math.floor((Date.now() + ahead - Date.parse(iso)) / 1000));
}

function show(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function tick() {
  for (const time of document.querySelectorAll("[data-clock]")) show(time, duration(secondsSince(time.dataset.since)));
  for (const time of document.querySelectorAll("[data-ago]")) show(time, ago(secondsSince(time.dataset.ago)));
}

function tickEachSecond() {
  tick();
  setTimeout(tickEachSecond, 1000 - ((Date.now() + ahead) % 1000));
}

setByServer();
document.addEventListener("htmx:afterSwap", () => {
  setByServer();
  tick();
});
tickEachSecond();
