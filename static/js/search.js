// The search of every page: "/" or Ctrl+K opens it, the arrows choose, Enter opens what is chosen.
"use strict";

// Looked up each time: the way back through a list's filters puts a new body in place.
const searchText = () => document.getElementById("search-text");
const searchOptions = () => [...document.querySelectorAll("#search-list [role=option]")];
const chosenOption = () => document.querySelector("#search-list [aria-selected=true]");
// What the shown options were found for: Enter must not open one that belongs to half a word.
let askedFor = searchText().value;
let shownFor = askedFor;

function openSearch() {
  const dialog = document.getElementById("search-dialog");
  if (dialog && !dialog.open) dialog.showModal();
  searchText().focus();
  searchText().select();
}

function choose(option) {
  chosenOption()?.setAttribute("aria-selected", "false");
  if (!option) return searchText().removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  searchText().setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

// The field keeps the focus; the arrows go round.
function walkOptions(by) {
  const options = searchOptions();
  if (!options.length) return;
  const here = options.indexOf(chosenOption());
  choose(options[here < 0 ? (by > 0 ? 0 : options.length - 1) : (here + by + options.length) % options.length]);
}

document.addEventListener("click", (event) => {
  if (event.target.matches("#search-dialog")) event.target.close();
  if (!event.target.closest("[data-search-open]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openSearch();
});

document.addEventListener("keydown", (event) => {
  const isCommand = event.ctrlKey || event.metaKey;
  const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.altKey) return;
  if ((isCommand && event.key === "k") || (event.key === "/" && !isCommand && !isTyping)) {
    event.preventDefault();
    openSearch();
  } else if (event.target !== searchText()) return;
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    walkOptions(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && chosenOption() && shownFor === searchText().value) {
    event.preventDefault();
    chosenOption().click();
  }
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target === searchText()) askedFor = searchText().value;
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "search-found") return;
  shownFor = askedFor;
  const options = searchOptions();
  options.forEach((option) => (option.tabIndex = -1));
  searchText().setAttribute("aria-expanded", String(options.length > 0));
  choose(options[0]);
});
