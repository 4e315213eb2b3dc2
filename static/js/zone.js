// Offers the browser's own time zone where the person's is another: one click, and times are shown in it.

const offer = document.getElementById("own-zone");
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;

if (own && own !== offer.dataset.zone) {
  offer.elements.time_zone.value = own;
  for (const button of offer.elements) {
    if (button.type !== "submit") continue;
    button.querySelector("[data-zone-name]").textContent = own;
    button.hidden = false;
  }
  offer.hidden = false;
}
