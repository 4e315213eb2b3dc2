// Collects what the stream sends while the board is paused, merged by row, so that a long pause does not fill memory.

import { serverNow } from "../frame/clock.js";

const ENDED_SHOWN_MS = 10_000;

export class Backlog {
  constructor() {
    this.rows = new Map();
    this.gone = new Set();
    this.changed = new Set();
    this.isSnapshot = false;
    this.rest = {};
  }

  // Returns how many calls will change when the board resumes.
  get size() {
    return this.changed.size;
  }

  add(message, isSnapshot) {
    if (isSnapshot) this.reset(message);
    for (const row of message.rows) {
      if (!isSnapshot || isChanged(row)) this.changed.add(row.id);
      this.rows.set(row.id, row);
      this.gone.delete(row.id);
    }
    for (const key of message.gone ?? []) this.remove(key);
    this.rest = { ...this.rest, more: message.more, ...(message.counters !== undefined && { counters: message.counters }) };
    this.dropEnded();
  }

  // Returns everything as one message.
  get merged() {
    return { ...this.rest, rows: [...this.rows.values()], gone: [...this.gone] };
  }

  reset(message) {
    this.isSnapshot = true;
    this.rows.clear();
    this.gone.clear();
    this.changed.clear();
    const listed = new Set(message.rows.map((row) => `call-${row.id}`));
    for (const shown of document.querySelectorAll("#calls > tr:not([data-over], .is-gone)")) {
      if (!listed.has(shown.id)) this.changed.add(Number(shown.id.slice("call-".length)));
    }
  }

  remove(key) {
    this.rows.delete(key);
    if (isOnPage(key)) {
      this.gone.add(key);
      this.changed.add(key);
    } else {
      this.changed.delete(key);
    }
  }

  // Drops calls that began and ended during the pause.
  dropEnded() {
    for (const [key, row] of this.rows) {
      if (row.over && serverNow() - Date.parse(row.over) >= ENDED_SHOWN_MS && !isOnPage(key)) this.remove(key);
    }
  }
}

const isOnPage = (key) => document.getElementById(`call-${key}`) !== null;

// Returns true if a row of a snapshot differs from the row that is shown.
function isChanged({ id, status, over }) {
  const shown = document.getElementById(`call-${id}`);
  return !shown || shown.dataset.status !== status || Boolean(over) !== Boolean(shown.dataset.over);
}
