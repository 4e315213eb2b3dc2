// Says in batches what began, ended and failed, for those who do not see it.

const SAYS_EVERY = 15_000;
const CLEARS_AFTER = 5_000;
const region = document.getElementById("announcements");
const counts = { began: 0, ended: 0, failed: 0 };

// `news` has the rows that began, ended and failed.
export function count(news) {
  for (const what of Object.keys(counts)) counts[what] += news[what].filter((row) => !row.hidden).length;
}

const calls = (number) => (number === 1 ? "1 call" : `${number} calls`);

setInterval(() => {
  const words = Object.entries(counts).filter(([, number]) => number).map(([what, number]) => `${calls(number)} ${what}`);
  for (const what of Object.keys(counts)) counts[what] = 0;
  if (!words.length) return;
  region.textContent = words.join(", ");
  // The same words twice are said twice.
  setTimeout(() => (region.textContent = ""), CLEARS_AFTER);
}, SAYS_EVERY);
