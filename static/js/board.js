// Marks the rows that are new since the last reading, and says in batches what began and ended.

const SAYS_EVERY = 15000;
const board = document.getElementById("board");
let rows = ids();
let began = 0;
let ended = 0;

function ids() {
  return new Set([...board.querySelectorAll("tbody tr")].map((row) => row.id));
}

const calls = (count) => (count === 1 ? "1 call" : `${count} calls`);

board.addEventListener("htmx:afterSwap", () => {
  const now = ids();
  for (const id of now) {
    if (rows.has(id)) continue;
    document.getElementById(id).classList.add("is-new");
    began += 1;
  }
  for (const id of rows) if (!now.has(id)) ended += 1;
  rows = now;
});

setInterval(() => {
  if (!began && !ended) return;
  const words = [began && `${calls(began)} began`, ended && `${calls(ended)} ended`].filter(Boolean);
  document.getElementById("announcements").textContent = words.join(", ");
  began = ended = 0;
}, SAYS_EVERY);
