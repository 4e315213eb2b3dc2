// Filters the board: mine or all, and words or a number that a row must contain. The filter is in the address, and
// applies while it is typed; without this module the form requests the page from the server.
//
// The server parses what may be a number, because it knows how people write them in each country.

const DEBOUNCE_MS = 100;
const TIMEOUT_MS = 1_000;
const PIECE_OF_NUMBER = /^[\d+().\-/]*\d[\d+().\-/]*$/;
const DIGIT = /\p{Nd}/u;
const form = document.getElementById("filter");
const filter = { mine: false, q: "" };
// A row must match one of these: it contains one text of each of its lists.
let ways = [];
let changed = () => {};
let typing = 0;

export const isFiltered = () => filter.mine || ways.length > 0;
export const isOnlyMine = () => filter.mine && !ways.length;

// The same rule as the server's.
export function isShown(row) {
  if (filter.mine && !row.hasAttribute("data-mine")) return false;
  const contains = (text) => row.dataset.find.includes(text);
  return !ways.length || ways.some((way) => way.every((texts) => texts.some(contains)));
}

// Reads the filter and starts listening; calls `onChange` whenever the filter changes.
export function listen(onChange) {
  changed = onChange;
  readAddress();
  const typed = () => setFilter({ q: form.elements.q.value });
  form.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(typed, DEBOUNCE_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    typed();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-asks]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.dataset.asks === "everything") clearFilter();
    else setFilter({ mine: link.dataset.asks === "mine" });
  });
}

// Reads the filter from the address: the browser may have restored an older text in the field.
function readAddress() {
  const query = new URLSearchParams(location.search);
  form.elements.q.value = query.get("q") ?? "";
  Object.assign(filter, { mine: query.get("mine") === "1", q: form.elements.q.value });
  ways = JSON.parse(form.dataset.ways);
}

function clearFilter() {
  form.elements.q.value = "";
  setFilter({ mine: false, q: "" });
  form.elements.q.focus();
}

async function setFilter(changes) {
  const isTyped = changes.q !== undefined && changes.q !== filter.q;
  Object.assign(filter, changes);
  writeAddress();
  if (isTyped) {
    const { q } = filter;
    const parsed = DIGIT.test(q) ? await fetchWays(q) : wordsOf(q);
    if (q !== filter.q) return;
    ways = parsed;
  }
  changed();
}

// Returns the server's parse of `q`, or its words if the server does not answer.
async function fetchWays(q) {
  try {
    const address = `${location.pathname}?${new URLSearchParams({ ways: 1, q })}`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return (await answer.json()).ways;
  } catch {
    return wordsOf(q);
  }
}

function wordsOf(q) {
  const plain = (word) => (PIECE_OF_NUMBER.test(word) ? word.replace(/[^\d+]/g, "") : word);
  const words = q.toLowerCase().replaceAll("ς", "σ").split(/\s+/).filter(Boolean);
  return words.length ? [words.map((word) => [plain(word)])] : [];
}

// Writes the filter to the address, the links and the hidden field of the form.
function writeAddress() {
  const address = addressOf(filter);
  history.replaceState(null, "", address);
  form.elements.mine.disabled = !filter.mine;
  for (const link of document.querySelectorAll("[data-asks=all], [data-asks=mine]")) {
    const mine = link.dataset.asks === "mine";
    link.href = addressOf({ ...filter, mine });
    link.classList.toggle("active", filter.mine === mine);
    if (filter.mine === mine) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

function addressOf({ mine, q }) {
  const query = new URLSearchParams();
  if (mine) query.set("mine", "1");
  if (q.trim()) query.set("q", q.trim());
  return query.size ? `?${query}` : location.pathname;
}
