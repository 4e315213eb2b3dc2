// Prevents a swap of what is being pressed, because the click would be lost; dispatches `press:ended` afterwards.

export const isPressed = (part) => part.matches(":active");

// setTimeout: after the click event that ends a press.
for (const end of ["pointerup", "pointercancel", "dragend", "keyup"]) {
  document.addEventListener(end, () => setTimeout(() => document.dispatchEvent(new Event("press:ended"))));
}

// A part that reloads at an interval waits for its next turn.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.requestConfig.elt.matches("[hx-trigger^='every ']") && isPressed(detail.target)) detail.shouldSwap = false;
});
