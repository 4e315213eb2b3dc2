// Formats times in the person's zone (body[data-zone]), as the server does.

import { serverNow } from "./clock.js";

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const { zone, zoneNames } = document.body.dataset;
const timeZone = zone || undefined;
const inParts = new Intl.DateTimeFormat("en-GB", {
  timeZone,
  hourCycle: "h23",
  weekday: "long",
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const withName = new Intl.DateTimeFormat("en-GB", { timeZone, timeZoneName: "short" });
const DAY = 86_400_000;
// The zone's names by minutes ahead of UTC: 60=CET 120=CEST.
const names = new Map((zoneNames ?? "").split(" ").map((pair) => pair.split("=")));

// 14:02:11
export function clock(moment) {
  const at = local(moment);
  return `${at.hour}:${at.minute}:${at.second}`;
}

// 14:02
export const hourAndMinute = (moment) => clock(moment).slice(0, 5);

// Today 14:02:11, Yesterday 09:12, 12 Nov 16:55, 12 Nov 2025 16:55
export function near(moment) {
  const at = local(moment);
  const now = local(serverNow());
  const days = (midnight(now) - midnight(at)) / DAY;
  if (days === 0) return `Today ${clock(moment)}`;
  if (days === 1) return `Yesterday ${hourAndMinute(moment)}`;
  const year = at.year === now.year ? "" : ` ${at.year}`;
  return `${Number(at.day)} ${MONTHS[at.month - 1].slice(0, 3)}${year} ${hourAndMinute(moment)}`;
}

// Tuesday 24 November 2026, 14:02:11 CET
export function full(moment) {
  const at = local(moment);
  return `${at.weekday} ${Number(at.day)} ${MONTHS[at.month - 1]} ${at.year}, ${clock(moment)} ${name(moment, at)}`;
}

// 2026-11-24 14:02:11 CET
export function stamp(moment) {
  const at = local(moment);
  const two = (number) => number.padStart(2, "0");
  return `${at.year}-${two(at.month)}-${two(at.day)} ${clock(moment)} ${name(moment, at)}`;
}

// 2026-11-24
export const dayOf = (moment) => stamp(moment).slice(0, 10);

function local(moment) {
  return Object.fromEntries(inParts.formatToParts(moment).map((part) => [part.type, part.value]));
}

const midnight = (at) => Date.UTC(at.year, at.month - 1, at.day);

function name(moment, at) {
  const wall = midnight(at) + (at.hour * 3600 + at.minute * 60 + Number(at.second)) * 1000;
  const ahead = Math.round((wall - moment) / 60_000);
  return names.get(String(ahead)) ?? withName.formatToParts(moment).find((part) => part.type === "timeZoneName").value;
}
