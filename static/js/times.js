// Lets a date filter take a time of day as well.

const button = document.querySelector("[data-times]");
const fields = [...document.querySelectorAll("[data-moment]")];
const START_OF_DAY = { since: "T00:00", until: "T23:59" };

function withTimes(on) {
  for (const field of fields) {
    const value = field.value;
    field.type = on ? "datetime-local" : "date";
    if (value) field.value = on ? value + (value.includes("T") ? "" : START_OF_DAY[field.name]) : value.slice(0, 10);
  }
  button.setAttribute("aria-pressed", String(on));
  button.classList.toggle("active", on);
}

const hasTimes = fields.some((field) => field.type === "datetime-local");
if (hasTimes) withTimes(true);
button.addEventListener("click", () => withTimes(button.getAttribute("aria-pressed") !== "true"));
