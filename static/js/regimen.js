// Small help for pages that work without it. No rule of the product lives here.
"use strict";

const root = document.documentElement;
const announcer = () => document.getElementById("toasts");

function isDark() {
  const chosen = root.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function toggleTheme() {
  const theme = isDark() ? "light" : "dark";
  root.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch (error) {
    // Storage is shut: the choice lasts as long as the page.
  }
}

function say(words) {
  const note = document.createElement("div");
  note.className = "toast-note tone-serious";
  note.dataset.toast = "";
  note.textContent = words;
  announcer().append(note);
  tidyToasts();
}

// Good news leaves by itself; bad news waits to be closed, and what can be undone waits a good while.
function tidyToasts() {
  document.querySelectorAll("[data-toast]:not([data-timed])").forEach((note) => {
    note.dataset.timed = "";
    const seconds = note.querySelector("[data-lasting]") ? 60 : 6;
    if (!note.classList.contains("tone-serious")) setTimeout(() => note.remove(), seconds * 1000);
  });
}

// Whether this device's clock is that of the zone, in winter and in summer.
function keepsZone(zone) {
  const told = (at, timeZone) => new Intl.DateTimeFormat("en", { dateStyle: "short", timeStyle: "short", timeZone }).format(at);
  const year = new Date().getFullYear();
  return [0, 6].every((month) => {
    const at = new Date(Date.UTC(year, month, 15, 12));
    return told(at, zone) === told(at);
  });
}

// Times are written as the clinic's clock shows them; where they could be mistaken, the page says so.
function nameZone() {
  document.querySelectorAll("[data-zone]").forEach((note) => {
    try {
      note.hidden = keepsZone(note.dataset.zone);
    } catch (error) {
      // A device that does not know the zone cannot keep it.
      note.hidden = false;
    }
  });
}

function closeMenus(except) {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (menu !== except) menu.open = false;
  });
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-theme-toggle], [data-dismiss], [data-print], [data-back], [data-close-panel]");
  // A link chosen from a menu leaves the page or starts a download: either way the menu has done its work.
  closeMenus(event.target.closest(".menu-items a") ? null : event.target.closest("details.menu"));
  if (!target) return;
  if (target.matches("[data-theme-toggle]")) toggleTheme();
  else if (target.matches("[data-dismiss]")) target.closest("[data-toast]").remove();
  else if (target.matches("[data-print]")) window.print();
  else if (target.matches("[data-back]")) history.back();
  else if (target.matches("[data-close-panel]")) {
    event.preventDefault();
    target.closest("[data-panel]").replaceChildren();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]") && event.target.value) event.target.form.requestSubmit();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
});

// j and k walk through a worklist; Enter then acts on what has the focus.
function step(by) {
  const items = [...document.querySelectorAll("[data-step]")];
  if (!items.length) return;
  const here = items.findIndex((item) => item.contains(document.activeElement));
  const next = items[Math.min(Math.max(here + by, 0), items.length - 1)];
  (next.querySelector("[data-step-focus]") || next).focus();
}

// A replaced line takes the focus with it; give it back, so that a keyboard goes on where it was.
document.addEventListener("htmx:afterSettle", (event) => {
  const line = event.detail.target && document.getElementById(event.detail.target.id);
  if (!line || !line.matches("[data-step]")) return;
  const first = line.querySelector("[data-panel] input:not([type=hidden]), [data-panel] button");
  if (first) first.focus({ preventScroll: true });
  else if (document.activeElement === document.body) line.focus({ preventScroll: true });
});
// What was chosen from a menu opens elsewhere on the page; the menu has done its work.
document.addEventListener("htmx:beforeRequest", (event) => {
  const menu = event.target.closest("details.menu");
  if (menu) menu.open = false;
});
document.addEventListener("htmx:load", tidyToasts);
document.addEventListener("htmx:load", nameZone);
document.addEventListener("htmx:sendError", () => say(announcer().dataset.failed));
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  say(status >= 500 ? announcer().dataset.failed : announcer().dataset.refused);
});
tidyToasts();
nameZone();
