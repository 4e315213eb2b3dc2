// The board's filter: mine or all, and words or a number that must stand in a row. It is in the address, and applies
// while it is typed; without this module the form asks the server.
//
// What may be a number is read by the server, which knows how people write them in each country.

const TYPED_FOR = 100;
const ANSWERED_WITHIN = 1_000;
const PIECE_OF_NUMBER = /^[\d+().\-/]*\d[\d+().\-/]*$/;
const DIGIT = /\p{Nd}/u;
const form = document.getElementById("filter");
const asked = { mine: false, q: "" };
// One of these must hold: of each of its lists, one text stands in the row.
let ways = [];
let changed = () => {};
let typing = 0;

export const isAsked = () => asked.mine || ways.length > 0;
export const isOnlyMine = () => asked.mine && !ways.length;

// The same rule as the server's.
export function isShown(row) {
  if (asked.mine && !row.hasAttribute("data-mine")) return false;
  const stands = (text) => row.dataset.find.includes(text);
  return !ways.length || ways.some((way) => way.every((texts) => texts.some(stands)));
}

// Begins to listen; `then` is called whenever something else is asked for.
export function listen(then) {
  changed = then;
  read();
  const typed = () => ask({ q: form.elements.q.value });
  form.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(typed, TYPED_FOR);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    typed();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-asks]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.dataset.asks === "everything") askForEverything();
    else ask({ mine: link.dataset.asks === "mine" });
  });
}

// The field as the address has it, whatever the browser remembers of it.
function read() {
  const query = new URLSearchParams(location.search);
  form.elements.q.value = query.get("q") ?? "";
  Object.assign(asked, { mine: query.get("mine") === "1", q: form.elements.q.value });
  ways = JSON.parse(form.dataset.ways);
}

function askForEverything() {
  form.elements.q.value = "";
  ask({ mine: false, q: "" });
  form.elements.q.focus();
}

async function ask(news) {
  const isTyped = news.q !== undefined && news.q !== asked.q;
  Object.assign(asked, news);
  write();
  if (isTyped) {
    const { q } = asked;
    const read = DIGIT.test(q) ? await waysOf(q) : wordsOf(q);
    if (q !== asked.q) return;
    ways = read;
  }
  changed();
}

// As the server reads it; by its words alone where the server does not answer.
async function waysOf(q) {
  try {
    const address = `${location.pathname}?${new URLSearchParams({ ways: 1, q })}`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(ANSWERED_WITHIN) });
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

// Into the address, and into the links and the field that would ask the server.
function write() {
  const address = addressOf(asked);
  history.replaceState(null, "", address);
  form.elements.mine.disabled = !asked.mine;
  for (const link of document.querySelectorAll("[data-asks=all], [data-asks=mine]")) {
    const mine = link.dataset.asks === "mine";
    link.href = addressOf({ ...asked, mine });
    link.classList.toggle("active", asked.mine === mine);
    if (asked.mine === mine) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

function addressOf({ mine, q }) {
  const query = new URLSearchParams();
  if (mine) query.set("mine", "1");
  if (q.trim()) query.set("q", q.trim());
  return query.size ? `?${query}` : location.pathname;
}
