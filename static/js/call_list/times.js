// Lets a date filter include a time of day, and keeps either a day in words or dates, never both.
// "To" a day means to its end, which is the next day's midnight.

const MIDNIGHT = "T00:00";
const button = document.querySelector("[data-times]");
const fields = [...document.querySelectorAll("[data-moment]")];

function dayAfter(day, days) {
  return new Date(Date.parse(`${day}T00:00Z`) + days * 86400000).toISOString().slice(0, 10);
}

function withTime(name, value) {
  if (!value || value.includes("T")) return value;
  return (name === "until" ? dayAfter(value, 1) : value) + MIDNIGHT;
}

function withoutTime(name, value) {
  const day = value.slice(0, 10);
  return name === "until" && value.endsWith(MIDNIGHT) ? dayAfter(day, -1) : day;
}

function show(times) {
  for (const field of fields) {
    const value = field.value;
    field.value = "";
    field.type = times ? "datetime-local" : "date";
    if (value) field.value = (times ? withTime : withoutTime)(field.name, value);
  }
  button.setAttribute("aria-pressed", String(times));
  button.classList.toggle("active", times);
}

if (fields.some((field) => field.type === "datetime-local")) show(true);
button.addEventListener("click", () => show(button.getAttribute("aria-pressed") !== "true"));

const words = [...document.querySelectorAll("[data-when-words]")];

for (const field of fields) {
  field.addEventListener("input", () => {
    if (field.value) words.find((one) => !one.value).checked = true;
  });
}

for (const one of words) {
  one.addEventListener("click", (event) => {
    for (const field of fields) field.value = "";
    // Submit only after a pointer click: with arrow keys, the person may be on the way to the next option.
    if (event.detail) one.form.requestSubmit();
  });
}
