// Offers the browser's own time zone if the person's is another: one click shows times in it.

const offer = document.getElementById("own-zone");
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;

if (own && own !== offer.dataset.zone) {
  const button = [...offer.elements].find((one) => one.type === "submit");
  offer.elements.time_zone.value = own;
  button.querySelector("[data-zone-name]").textContent = own;
  button.hidden = false;
}
