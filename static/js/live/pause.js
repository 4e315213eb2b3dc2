// What the stream tells while the board is paused, merged by row, so that it does not grow however long that is.

import { serverNow } from "../frame/clock.js";

const STAYS = 10_000;

export class Waiting {
  constructor() {
    this.rows = new Map();
    this.gone = new Set();
    this.changed = new Set();
    this.isWhole = false;
    this.rest = {};
  }

  // How many calls would change if it went on.
  get size() {
    return this.changed.size;
  }

  add(told, isWhole) {
    if (isWhole) this.beginAnew(told);
    for (const row of told.rows) {
      if (!isWhole || isNews(row)) this.changed.add(row.id);
      this.rows.set(row.id, row);
      this.gone.delete(row.id);
    }
    for (const key of told.gone ?? []) this.leave(key);
    this.rest = { ...this.rest, more: told.more, ...(told.counters !== undefined && { counters: told.counters }) };
    this.forgetOver();
  }

  // As one event that brings all of it.
  get merged() {
    return { ...this.rest, rows: [...this.rows.values()], gone: [...this.gone] };
  }

  beginAnew(told) {
    this.isWhole = true;
    this.rows.clear();
    this.gone.clear();
    this.changed.clear();
    const there = new Set(told.rows.map((row) => `call-${row.id}`));
    for (const shown of document.querySelectorAll("#calls > tr:not([data-over], .is-gone)")) {
      if (!there.has(shown.id)) this.changed.add(Number(shown.id.slice("call-".length)));
    }
  }

  leave(key) {
    this.rows.delete(key);
    if (isThere(key)) {
      this.gone.add(key);
      this.changed.add(key);
    } else {
      this.changed.delete(key);
    }
  }

  // Calls that came and went while nobody was shown them.
  forgetOver() {
    for (const [key, row] of this.rows) {
      if (row.over && serverNow() - Date.parse(row.over) >= STAYS && !isThere(key)) this.leave(key);
    }
  }
}

const isThere = (key) => document.getElementById(`call-${key}`) !== null;

// Whether a row of the whole board is not as it is shown.
function isNews({ id, status, over }) {
  const shown = document.getElementById(`call-${id}`);
  return !shown || shown.dataset.status !== status || Boolean(over) !== Boolean(shown.dataset.over);
}
