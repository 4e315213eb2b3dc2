// Submits a form with data-once only once: disables its button until the answer comes. The server enforces this too.

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-once]");
  if (!form) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  // setTimeout: a button that is disabled now would not be part of the submitted form.
  setTimeout(() => {
    for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = true;
    for (const note of form.querySelectorAll(".when-sent")) note.hidden = false;
  });
});

// After Back, the form may be submitted again; the server recognizes a repeated request by its id.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = false;
    for (const note of form.querySelectorAll(".when-sent")) note.hidden = true;
  }
});
