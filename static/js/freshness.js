// Says so when the dashboard itself does not answer, and takes it back when it does. Polling never stops.

const LOST = ["htmx:sendError", "htmx:timeout", "htmx:responseError"];

function set(connection) {
  if (document.body.dataset.connection === connection) return;
  document.body.dataset.connection = connection;
  document.getElementById("alarms").textContent =
    connection === "lost" ? "The dashboard does not answer. Reconnecting." : "";
}

for (const event of LOST) document.addEventListener(event, () => set("lost"));
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) set("up");
});
