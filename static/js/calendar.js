// Dragging a session over the calendar, and choosing when a free time begins. The server says where a session may
// lie and decides whether it moves; without script its link leads to the form that moves it, and that of a free time
// to the form that books it from its first minute.
"use strict";

let held = null;

const calendar = () => document.getElementById("calendar");
const said = (words) => {
  document.getElementById("calendar-said").textContent = words;
};
const clock = (minutes) => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;

async function light(block) {
  const answer = await fetch(block.dataset.window, { headers: { Accept: "application/json" } });
  // Dropped before the answer came.
  if (!answer.ok || answer.redirected || !held || held.block !== block) return;
  const found = await answer.json();
  if (!held || held.block !== block) return;
  said(found.words);
  calendar().querySelectorAll("[data-drop]").forEach((place) => {
    place.classList.toggle("cal-lit", found.days.includes(place.dataset.on));
  });
}

// Where in a column the pointer would put the session; on the board the time stays as it is.
function timeAt(place, y) {
  if (!place.dataset.from) return held.block.dataset.at;
  const box = place.getBoundingClientRect();
  const [from, till, snap] = [place.dataset.from, place.dataset.till, calendar().dataset.snap].map(Number);
  const perMinute = box.height / (till - from);
  const asked = from + (y - held.offset - box.top) / perMinute;
  const latest = till - Number(held.block.dataset.minutes);
  return clock(Math.min(Math.max(Math.round(asked / snap) * snap, from), Math.max(latest, from)));
}

// The board has no scale of time: a session keeps its own there, and says so where it would land.
function showGhost(place, at) {
  held.ghost.classList.toggle("cal-ghost-line", !place.dataset.from);
  if (!place.dataset.from) {
    held.ghost.textContent = `${at} · ${calendar().dataset.keeps}`;
    held.ghost.removeAttribute("style");
    if (held.ghost.parentNode !== place) place.append(held.ghost);
    return;
  }
  const perMinute = place.getBoundingClientRect().height / (place.dataset.till - place.dataset.from);
  const [hour, minute] = at.split(":").map(Number);
  held.ghost.style.top = `${(hour * 60 + minute - place.dataset.from) * perMinute}px`;
  held.ghost.style.height = `${held.block.dataset.minutes * perMinute}px`;
  held.ghost.textContent = at;
  if (held.ghost.parentNode !== place) place.append(held.ghost);
}

function letGo() {
  if (!held) return;
  held.ghost.remove();
  held.block.classList.remove("cal-held");
  held = null;
  said("");
  calendar().classList.remove("cal-dragging");
  calendar().querySelectorAll(".cal-lit").forEach((place) => place.classList.remove("cal-lit"));
}

function drop(place, at) {
  const { block } = held;
  const by = calendar().dataset.by;
  const slot = { on: place.dataset.on, at, minutes: block.dataset.minutes, version: block.dataset.version };
  slot.practitioner = by === "practitioner" ? place.dataset.owner : block.dataset.practitioner;
  slot.room = by === "room" ? place.dataset.owner : block.dataset.room;
  slot.page = calendar().dataset.query;
  const was = block.closest("[data-drop]");
  if (was === place && at === block.dataset.at) return;
  const { id } = block;
  htmx
    .ajax("POST", block.dataset.move, { source: calendar(), target: "#calendar", swap: "outerHTML", values: slot })
    .then(() => {
      const moved = document.getElementById(id);
      if (moved) moved.focus({ preventScroll: true });
    });
}

document.addEventListener("dragstart", (event) => {
  const block = event.target.closest ? event.target.closest("[data-move]") : null;
  if (!block) return;
  const ghost = document.createElement("span");
  ghost.className = "cal-ghost";
  held = { block, ghost, offset: event.clientY - block.getBoundingClientRect().top };
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", block.textContent.trim());
  block.classList.add("cal-held");
  calendar().classList.add("cal-dragging");
  light(block).catch(() => {});
});

document.addEventListener("dragover", (event) => {
  const place = held && event.target.closest("[data-drop]");
  if (!place) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "move";
  showGhost(place, timeAt(place, event.clientY));
});

document.addEventListener("drop", (event) => {
  const place = held && event.target.closest("[data-drop]");
  if (!place) return;
  event.preventDefault();
  drop(place, timeAt(place, event.clientY));
  letGo();
});

document.addEventListener("dragend", letGo);

// The free time under the pointer is booked from the step that the pointer is on.
function beginAt(gap, y) {
  const box = gap.getBoundingClientRect();
  const [from, till, snap] = [gap.dataset.gap, gap.dataset.gapEnd, calendar().dataset.snap].map(Number);
  const perMinute = box.height / (till - from);
  const asked = Math.floor((from + (y - box.top) / perMinute) / snap) * snap;
  const minutes = Math.min(Math.max(asked, from), till - 1);
  gap.dataset.at = clock(minutes);
  gap.style.setProperty("--y", `${(minutes - from) * perMinute}px`);
  const address = new URL(gap.href);
  address.searchParams.set("at", clock(minutes));
  gap.href = address.href;
}

const aim = (event) => {
  const gap = event.target.closest ? event.target.closest("[data-gap]") : null;
  if (gap) beginAt(gap, event.clientY);
};
document.addEventListener("pointermove", aim);
// A finger does not move before it presses.
document.addEventListener("pointerdown", aim);
