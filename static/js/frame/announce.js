// Announces to screen readers, in batches, how many calls began, ended and failed.

const ANNOUNCE_INTERVAL_MS = 15_000;
const CLEAR_AFTER_MS = 5_000;
const region = document.getElementById("announcements");
const counts = { began: 0, ended: 0, failed: 0 };

// Adds the visible rows of `news` ({ began, ended, failed }) to the next announcement.
export function count(news) {
  for (const what of Object.keys(counts)) counts[what] += news[what].filter((row) => !row.hidden).length;
}

const calls = (number) => (number === 1 ? "1 call" : `${number} calls`);

setInterval(() => {
  const words = Object.entries(counts).filter(([, number]) => number).map(([what, number]) => `${calls(number)} ${what}`);
  for (const what of Object.keys(counts)) counts[what] = 0;
  if (!words.length) return;
  region.textContent = words.join(", ");
  // So that the same words are announced again next time.
  setTimeout(() => (region.textContent = ""), CLEAR_AFTER_MS);
}, ANNOUNCE_INTERVAL_MS);
