// The board's filter: mine or all, and words that must stand in a row. It is in the address, and applies while it is
// typed; without this module the form asks the server.

const TYPED_FOR = 100;
const PIECE_OF_NUMBER = /^[\d+().\-/]*\d[\d+().\-/]*$/;
const form = document.getElementById("filter");
const asked = { mine: false, q: "" };
let words = [];
let changed = () => {};
let typing = 0;

export const isAsked = () => asked.mine || words.length > 0;
export const isOnlyMine = () => asked.mine && !words.length;

// The same rule as the server's.
export function isShown(row) {
  if (asked.mine && !row.hasAttribute("data-mine")) return false;
  return words.every((word) => row.dataset.find.includes(word));
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
  take({ mine: query.get("mine") === "1", q: form.elements.q.value });
}

function askForEverything() {
  form.elements.q.value = "";
  ask({ mine: false, q: "" });
  form.elements.q.focus();
}

function ask(news) {
  take(news);
  write();
  changed();
}

function take(news) {
  Object.assign(asked, news);
  const plain = (word) => (PIECE_OF_NUMBER.test(word) ? word.replace(/[^\d+]/g, "") : word);
  words = asked.q.toLowerCase().split(/\s+/).filter(Boolean).map(plain);
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
