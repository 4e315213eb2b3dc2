// Reloads the error page as soon as the dashboard is ready again.
const PAUSE_MS = 5000;

async function check() {
  const answer = await fetch("/readyz", { cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.replace(location.href);
  else setTimeout(check, PAUSE_MS);
}

setTimeout(check, PAUSE_MS);
