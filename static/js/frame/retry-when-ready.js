// Opens the page that could not be shown as soon as the dashboard can show it.
const PAUSE_MS = 5000;

async function look() {
  const answer = await fetch("/readyz", { cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.replace(location.href);
  else setTimeout(look, PAUSE_MS);
}

setTimeout(look, PAUSE_MS);
