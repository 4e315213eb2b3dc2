// Completes the rows that the server renders once for everybody: marks the person's own calls, removes controls that
// they may not use, and writes times in their zone. The server checks permissions; this only decides what is shown.

import { serverNow, tick } from "../frame/clock.js";
import { clock, dayOf, full, near, stamp } from "../frame/moments.js";

const { me, steers } = document.body.dataset;
const token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"];
const WRITTEN = { near, clock, full };
let day = dayOf(serverNow());

// Completes a row of the board.
export function fillRow(row) {
  row.toggleAttribute("data-mine", isMine(row));
  if (steers === "none") {
    for (const part of row.querySelectorAll(".c-controls, .dial")) part.remove();
  } else if (steers === "own" && !row.hasAttribute("data-mine")) {
    for (const part of row.querySelectorAll(".controls > :not(.controls-problem, .controls-note)")) part.remove();
  }
  if (steers !== "all") for (const part of row.querySelectorAll("[data-steers-all]")) part.remove();
  for (const form of row.querySelectorAll("form")) fillForm(form);
  for (const controls of row.querySelectorAll(".controls")) dropSpace(controls);
  fill(row);
}

// Completes the times in any part of the page.
export function fill(part) {
  for (const time of part.querySelectorAll("time[data-when]")) writeTime(time);
  for (const time of part.querySelectorAll("time[data-ago]")) time.title = stamp(Date.parse(time.dataset.ago));
  tick(part);
}

function isMine(row) {
  const { operator, onTheLine } = row.dataset;
  return Boolean(me) && (operator === me || onTheLine.split(" ").includes(me));
}

function fillForm(form) {
  const id = form.querySelector("[name=request_id]");
  if (id) id.value = "";
  if (!token || form.querySelector("[name=csrfmiddlewaretoken]")) return;
  const field = Object.assign(document.createElement("input"), { type: "hidden", name: "csrfmiddlewaretoken" });
  field.value = token;
  form.prepend(field);
}

// Removes white space, so that controls rendered for one person equal those that were reduced here.
function dropSpace(controls) {
  for (const node of [...controls.childNodes]) if (node.nodeType === Node.TEXT_NODE) node.remove();
}

function writeTime(time) {
  const moment = Date.parse(time.dateTime);
  const words = WRITTEN[time.dataset.when](moment);
  if (time.textContent !== words) time.textContent = words;
  time.title = full(moment);
}

// After midnight, Today becomes Yesterday.
document.addEventListener("live:heartbeat", () => {
  const now = dayOf(serverNow());
  if (now === day) return;
  day = now;
  for (const time of document.querySelectorAll("time[data-when=near]")) writeTime(time);
});
