// What is being pressed is not swapped for another, or the click would be lost; `press:ended` tells that it may be.

export const isPressed = (part) => part.matches(":active");

// After the click that a press ends in.
for (const end of ["pointerup", "pointercancel", "dragend", "keyup"]) {
  document.addEventListener(end, () => setTimeout(() => document.dispatchEvent(new Event("press:ended"))));
}

// What is read again every second or so waits for its next turn.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.requestConfig.elt.matches("[hx-trigger^='every ']") && isPressed(detail.target)) detail.shouldSwap = false;
});
