// A form with data-once is sent once: its button rests while the answer is waited for. The server holds to that too.

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-once]");
  if (!form) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  // Not at once: a disabled button is not part of what is sent.
  setTimeout(() => {
    for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = true;
    for (const note of form.querySelectorAll(".when-sent")) note.hidden = false;
  });
});

// Back from the page that followed, the form may be used again; its request is known by its id.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = false;
    for (const note of form.querySelectorAll(".when-sent")) note.hidden = true;
  }
});
