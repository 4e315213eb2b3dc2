// Selects rows for tagging: one by one, the whole page, or a range with Shift. Shows their number in the bar.
// The boxes and the bar also work without scripts.

const bar = document.getElementById("bulk");
const boxes = () => [...document.querySelectorAll("input[type=checkbox][name=call][form=bulk]")];
const alls = () => [...document.querySelectorAll("[data-select-all]")];
let last = null;

function show() {
  const all = boxes();
  const chosen = all.filter((box) => box.checked).length;
  const isWhole = chosen > 0 && chosen === all.length;
  bar.toggleAttribute("data-any", chosen > 0);
  bar.querySelector("[data-selected-count]").textContent = `${chosen} of ${all.length} on this page`;
  for (const one of alls()) {
    one.checked = isWhole;
    one.indeterminate = chosen > 0 && !isWhole;
  }
  for (const box of all) box.closest("tr")?.classList.toggle("is-selected", box.checked);
  // Offer the calls on other pages only if the whole page is selected.
  const scope = bar.querySelector("[data-scope]");
  scope.hidden = !isWhole || !document.querySelector(".pager a");
  if (scope.hidden) scope.querySelector("[value=selected]").checked = true;
}

// Sets the boxes from the last one that was clicked to this one to the state of this one.
function range(to) {
  const all = boxes();
  const [from, until] = [all.indexOf(last), all.indexOf(to)].sort((one, other) => one - other);
  if (from < 0) return;
  for (const box of all.slice(from, until + 1)) box.checked = to.checked;
}

function choose(isChosen) {
  for (const box of boxes()) box.checked = isChosen;
  last = null;
  show();
}

if (bar) {
  document.addEventListener("click", chosen);
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) choose(event.target.checked);
  });
  // After Back, the browser restores the ticks.
  addEventListener("pageshow", show);
  show();
}

function chosen(event) {
  const box = event.target.closest("input[name=call][form=bulk]");
  if (box) {
    if (event.shiftKey && last) range(box);
    last = box;
    show();
  } else if (event.target.closest("[data-select-none]")) {
    choose(false);
    document.querySelector("main tbody a[href]")?.focus();
  }
}
