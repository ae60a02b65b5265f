// Selecting several lines of a list: x selects the line with the focus, ? shows the keys.
"use strict";

const picks = () => [...document.querySelectorAll("[data-pick]")];

function showPicked() {
  const bulk = document.querySelector("[data-bulk]");
  if (!bulk) return;
  const count = picks().filter((pick) => pick.checked).length;
  const all = bulk.querySelector("[data-pick-all]");
  const words = bulk.querySelector("[data-pick-count]");
  all.checked = count > 0 && count === picks().length;
  all.indeterminate = count > 0 && !all.checked;
  words.textContent = count ? `${words.dataset.one} ${count}` : "";
  bulk.querySelectorAll("button[name=action]").forEach((button) => (button.disabled = !count));
  bulk.querySelector("[data-keys-open]").hidden = false;
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-all]")) picks().forEach((pick) => (pick.checked = event.target.checked));
  if (event.target.matches("[data-pick-all], [data-pick]")) showPicked();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys-open]")) document.getElementById("keys").showModal();
});

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("textarea, select, [contenteditable], input:not([type=checkbox])");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "?") document.getElementById("keys").showModal();
  else if (event.key === "x") document.activeElement.closest("[data-step]")?.querySelector("[data-pick]")?.click();
});

// An act on several lines takes them away, and the focus with them: a keyboard goes on with the first that is left.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "worklist" || document.activeElement !== document.body) return;
  const first = document.querySelector("#worklist [data-step]");
  if (first) (first.querySelector("[data-step-focus]") || first).focus({ preventScroll: true });
});

document.addEventListener("htmx:load", showPicked);
showPicked();
