// Keeps a table's rows up to date with the stream. Swaps the cells that changed, never the table. Inserts a new row by
// its age, nearly always at the bottom; keeps one that is over for ten seconds.
//
// No row moves under the pointer, the focus or an armed question: a change that would move such a row waits until they
// are gone. After a minute without activity only an armed question delays others; a row focused by keys still stays.

import { serverNow, tick } from "../frame/clock.js";
import { isPressed } from "../frame/pressed.js";
import { parseHtml, swap } from "../frame/swap.js";

const ENDED_SHOWN_MS = 10_000;
const IDLE_MS = 60_000;
const NEW_MS = 2_500;
const CHECK_INTERVAL_MS = 250;

export class Rows {
  // `body` is the table's; `fill` completes a row that was rendered for everybody, `isShown` returns true if the filter
  // includes a row, and `changed` is called after rows were added, removed, shown or hidden.
  constructor(body, { fill, isShown = () => true, changed = () => {} }) {
    Object.assign(this, { body, fill, isShown, changed });
    this.missing = new Set();
    this.held = new Map();
    this.isPaused = false;
    this.pointer = { row: null, x: 0, y: 0 };
    this.actedAt = Date.now();
    this.watchPerson();
    for (const row of body.rows) fill(row);
    setInterval(() => this.settle(), CHECK_INTERVAL_MS);
  }

  // Applies rows that are new or changed, and keys of rows that are gone; after a snapshot, all others are gone too.
  // Returns the rows that began, ended and failed.
  apply(message, isSnapshot) {
    const news = { began: [], ended: [], failed: [] };
    tick(this.body);
    const fresh = parseHtml(message.rows.map((row) => row.html).join(""));
    const arrivals = fresh.filter((row) => !this.update(row, news));
    for (const row of arrivals.sort(longestFirst)) this.arrive(row, news);
    for (const key of message.gone ?? []) this.miss(document.getElementById(`call-${key}`));
    if (isSnapshot) this.missOthers(message.rows, news);
    this.settle();
    this.changed();
    return news;
  }

  // Applies the filter at once, because the person changed it.
  refilter() {
    for (const row of this.body.rows) row.hidden = !this.isShown(row);
    this.changed();
  }

  // Returns the rows of calls in progress, shown or hidden.
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
    copyDataset(row, fresh);
    for (const cell of [...fresh.cells]) this.updateCell(row, cell);
    if (!wasOver && this.isOver(row)) news[row.dataset.status === "failed" ? "failed" : "ended"].push(row);
    return true;
  }

  updateCell(row, cell) {
    const old = row.querySelector(`:scope > .${cell.classList[0]}`);
    const key = `${row.id} ${cell.classList[0]}`;
    this.held.delete(key);
    if (old.isEqualNode(cell)) return;
    if (isInUse(old)) {
      this.held.set(key, { old, cell });
      return;
    }
    // The result of a check stays until it is read.
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
    setTimeout(() => row.classList.remove("is-new"), NEW_MS);
    news.began.push(row);
  }

  // Returns the row to insert a new one before: the first younger one, or null if a row that must stay would move.
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

  missOthers(rows, news) {
    const listed = new Set(rows.map((row) => `call-${row.id}`));
    for (const row of this.body.rows) {
      if (listed.has(row.id) || this.isOver(row)) continue;
      this.miss(row);
      news.ended.push(row);
    }
  }

  isOver(row) {
    return Boolean(row.dataset.over) || this.missing.has(row);
  }

  isDue(row) {
    return this.missing.has(row) || serverNow() - Date.parse(row.dataset.over) >= ENDED_SHOWN_MS;
  }

  // Removes rows that are due, and applies the filter, where no row that must stay would move.
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

  // Returns the rows that must stay where they are.
  guards() {
    const armed = [...this.body.querySelectorAll("[data-armed]")].map((form) => form.closest("tr"));
    if (this.isIdle()) return armed;
    return [...armed, this.focused(), this.pointer.row].filter((row) => row?.isConnected && !row.hidden);
  }

  // Returns the row that was focused by keys or, in the last minute, by a click.
  focused() {
    const element = document.activeElement;
    if (!this.body.contains(element)) return null;
    return !this.isIdle() || element.matches(":focus-visible") ? element.closest("tr") : null;
  }

  isIdle() {
    return Date.now() - this.actedAt > IDLE_MS;
  }

  // Returns true if adding or removing `row` would move one of `guards`: one below it, or any if the page's end rises.
  moves(row, guards) {
    if (!guards.length) return false;
    const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
    const isAtEnd = scrollTop > 0 && scrollHeight - scrollTop - clientHeight < row.offsetHeight;
    return isAtEnd || isAbove(row, guards);
  }

  watchPerson() {
    const moved = ({ target, screenX, screenY }) => {
      // The browser also sends events for a resting pointer when the page moves below it.
      if (screenX !== this.pointer.x || screenY !== this.pointer.y) this.actedAt = Date.now();
      this.pointer = { row: target.closest("tr"), x: screenX, y: screenY };
    };
    const acted = () => (this.actedAt = Date.now());
    this.body.addEventListener("pointermove", moved);
    this.body.addEventListener("pointerover", moved);
    this.body.addEventListener("pointerleave", () => (this.pointer.row = null));
    this.body.addEventListener("focusin", acted);
    document.addEventListener("keydown", acted);
    for (const event of ["hangup:disarmed", "press:ended", "htmx:afterSwap"]) document.addEventListener(event, () => this.applyHeldCells());
  }

  applyHeldCells() {
    for (const [key, { old, cell }] of this.held) {
      if (isInUse(old)) continue;
      this.held.delete(key);
      if (old.isConnected) this.updateCell(old.closest("tr"), cell);
    }
  }
}

// Returns true if one of `others` is the row itself or below it.
const isAbove = (row, others) => others.some((other) => other === row || row.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING);
const isInUse = (cell) => isPressed(cell) || Boolean(cell.querySelector("[data-armed]"));

// Copies the data attributes; the class and the hidden state of the row belong to the page.
function copyDataset(row, fresh) {
  for (const name of Object.keys(row.dataset)) if (!(name in fresh.dataset)) delete row.dataset[name];
  for (const [name, value] of Object.entries(fresh.dataset)) if (row.dataset[name] !== value) row.dataset[name] = value;
}

function longestFirst(one, other) {
  const since = (row) => Date.parse(row.querySelector("[data-clock]")?.dataset.since ?? row.dataset.over);
  return since(one) - since(other);
}
