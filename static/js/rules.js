// Puts a placeholder where the cursor was last. Without it the placeholders are copied by hand.
"use strict";

let last = null;

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-text]")) last = event.target;
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button) return;
  const shown = [...document.querySelectorAll("[data-text]")].filter((field) => field.offsetParent);
  const field = last && last.offsetParent ? last : shown.find((one) => one.matches("textarea"));
  if (!field) return;
  field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
