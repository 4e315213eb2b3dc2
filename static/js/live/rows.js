// Keeps a table's rows as the stream tells them. Cells that changed are swapped, never the table. A new row enters
// where its age puts it, nearly always at the bottom; one that is over stays ten seconds.
//
// No row moves under the pointer, the focus or an armed question: whatever would move one of these rows waits until
// they have left. Somebody who did nothing for a minute does not hold up the others; a row that has the focus by keys stays.

import { serverNow, tick } from "../frame/clock.js";
import { isPressed } from "../frame/pressed.js";
import { drawn, swap } from "../frame/swap.js";

const STAYS = 10_000;
const IDLE = 60_000;
const NEW_FOR = 2_500;
const LOOKED_AFTER_EVERY = 250;

export class Rows {
  // `body` is the table's; `fill` completes a row that was drawn for everybody, `isShown` is the filter's say on it,
  // and `changed` is called after rows came, left, appeared or disappeared.
  constructor(body, { fill, isShown = () => true, changed = () => {} }) {
    Object.assign(this, { body, fill, isShown, changed });
    this.missing = new Set();
    this.held = new Map();
    this.isPaused = false;
    this.pointer = { row: null, x: 0, y: 0 };
    this.actedAt = Date.now();
    this.watchPerson();
    for (const row of body.rows) fill(row);
    setInterval(() => this.settle(), LOOKED_AFTER_EVERY);
  }

  // Takes in rows that are new or changed, and keys of rows that are gone; of a whole board, all others are gone as
  // well. Returns the rows that began, ended and failed by it.
  take(told, isWhole) {
    const news = { began: [], ended: [], failed: [] };
    tick(this.body);
    const fresh = drawn(told.rows.map((row) => row.html).join(""));
    const arrivals = fresh.filter((row) => !this.update(row, news));
    for (const row of arrivals.sort(longestFirst)) this.arrive(row, news);
    for (const key of told.gone ?? []) this.miss(document.getElementById(`call-${key}`));
    if (isWhole) this.missOthers(told.rows, news);
    this.settle();
    this.changed();
    return news;
  }

  // Shows what the filter lets through, at once: the person asked for it.
  refilter() {
    for (const row of this.body.rows) row.hidden = !this.isShown(row);
    this.changed();
  }

  // The calls in progress, shown or hidden.
  inProgress() {
    return [...this.body.rows].filter((row) => !row.dataset.over && !this.missing.has(row));
  }

  update(fresh, news) {
    const row = document.getElementById(fresh.id);
    if (!row) return false;
    const wasOver = this.isOver(row);
    this.fill(fresh);
    this.missing.delete(row);
    row.classList.remove("is-gone");
    takeData(row, fresh);
    for (const cell of [...fresh.cells]) this.takeCell(row, cell);
    if (!wasOver && this.isOver(row)) news[row.dataset.status === "failed" ? "failed" : "ended"].push(row);
    return true;
  }

  takeCell(row, cell) {
    const old = row.querySelector(`:scope > .${cell.classList[0]}`);
    const key = `${row.id} ${cell.classList[0]}`;
    this.held.delete(key);
    if (old.isEqualNode(cell)) return;
    if (isInUse(old)) {
      this.held.set(key, { old, cell });
      return;
    }
    // What was found out stays until it was read.
    const note = old.querySelector(".controls-note");
    if (note && !cell.querySelector(".controls-note")) cell.querySelector(".controls")?.append(note);
    swap(old, cell, row.querySelector("a[href]"));
  }

  arrive(row, news) {
    this.fill(row);
    row.hidden = !this.isShown(row);
    this.body.insertBefore(row, this.placeFor(row));
    window.htmx?.process(row);
    if (this.isOver(row)) return;
    row.classList.add("is-new");
    setTimeout(() => row.classList.remove("is-new"), NEW_FOR);
    news.began.push(row);
  }

  // The row that a new one comes before: the first younger one, unless a row that must stay would move.
  placeFor(row) {
    const rows = [...this.body.rows];
    const before = rows[rows.findLastIndex((one) => longestFirst(one, row) <= 0) + 1] ?? null;
    return before && isAbove(before, this.guards()) ? null : before;
  }

  miss(row) {
    if (!row) return;
    row.classList.add("is-gone");
    this.missing.add(row);
  }

  missOthers(told, news) {
    const there = new Set(told.map((row) => `call-${row.id}`));
    for (const row of this.body.rows) {
      if (there.has(row.id) || this.isOver(row)) continue;
      this.miss(row);
      news.ended.push(row);
    }
  }

  isOver(row) {
    return Boolean(row.dataset.over) || this.missing.has(row);
  }

  isDue(row) {
    return this.missing.has(row) || serverNow() - Date.parse(row.dataset.over) >= STAYS;
  }

  // Takes rows off that are due, and shows and hides as the filter says, where nobody is in the way.
  settle() {
    if (this.isPaused) return;
    const guards = this.guards();
    const focused = this.focused();
    let hasChanged = false;
    for (const row of [...this.body.rows]) {
      const leaves = this.isDue(row);
      const hides = !leaves && !this.isShown(row);
      if (!leaves && row.hidden === hides) continue;
      if (row === focused) continue;
      if (!(leaves && row.hidden) && this.moves(row, guards)) continue;
      row.hidden = hides;
      if (leaves) {
        row.remove();
        this.missing.delete(row);
      }
      hasChanged = true;
    }
    if (hasChanged) this.changed();
  }

  // The rows that must stay where they are.
  guards() {
    const armed = [...this.body.querySelectorAll("[data-armed]")].map((form) => form.closest("tr"));
    if (this.isIdle()) return armed;
    return [...armed, this.focused(), this.pointer.row].filter((row) => row?.isConnected && !row.hidden);
  }

  // The row that somebody came to by keys, or a moment ago by a click.
  focused() {
    const element = document.activeElement;
    if (!this.body.contains(element)) return null;
    return !this.isIdle() || element.matches(":focus-visible") ? element.closest("tr") : null;
  }

  isIdle() {
    return Date.now() - this.actedAt > IDLE;
  }

  // Whether one of `guards` would move if `row` came or went: those below it, and all where the page's end comes up.
  moves(row, guards) {
    if (!guards.length) return false;
    const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
    const isAtEnd = scrollTop > 0 && scrollHeight - scrollTop - clientHeight < row.offsetHeight;
    return isAtEnd || isAbove(row, guards);
  }

  watchPerson() {
    const moved = ({ target, screenX, screenY }) => {
      // The browser also tells of a pointer that rests while the page moves below it.
      if (screenX !== this.pointer.x || screenY !== this.pointer.y) this.actedAt = Date.now();
      this.pointer = { row: target.closest("tr"), x: screenX, y: screenY };
    };
    const acted = () => (this.actedAt = Date.now());
    this.body.addEventListener("pointermove", moved);
    this.body.addEventListener("pointerover", moved);
    this.body.addEventListener("pointerleave", () => (this.pointer.row = null));
    this.body.addEventListener("focusin", acted);
    document.addEventListener("keydown", acted);
    for (const event of ["hangup:disarmed", "press:ended", "htmx:afterSwap"]) document.addEventListener(event, () => this.letHeldIn());
  }

  letHeldIn() {
    for (const [key, { old, cell }] of this.held) {
      if (isInUse(old)) continue;
      this.held.delete(key);
      if (old.isConnected) this.takeCell(old.closest("tr"), cell);
    }
  }
}

// Whether one of `others` is the row itself, or below it.
const isAbove = (row, others) => others.some((other) => other === row || row.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING);
const isInUse = (cell) => isPressed(cell) || Boolean(cell.querySelector("[data-armed]"));

// The row's own facts; its class and whether it is hidden are the page's.
function takeData(row, fresh) {
  for (const name of Object.keys(row.dataset)) if (!(name in fresh.dataset)) delete row.dataset[name];
  for (const [name, value] of Object.entries(fresh.dataset)) if (row.dataset[name] !== value) row.dataset[name] = value;
}

function longestFirst(one, other) {
  const since = (row) => Date.parse(row.querySelector("[data-clock]")?.dataset.since ?? row.dataset.over);
  return since(one) - since(other);
}
