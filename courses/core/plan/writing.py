"""The plan in words and figures: walks the days found once more and says why each is what it is."""

from datetime import date, datetime
from typing import Final

from courses.core.cadence import NEVER, Progress, decide
from courses.core.plan.requests import PlanRequest
from courses.core.plan.results import Plan, PlanCost, PlannedSession, Reason, ReasonKind
from courses.core.plan.slots import Block, Slot
from courses.core.plan.task import Event, Task, aimed_gap
from courses.core.types import SessionRecord

# The order in which blocked days are told, and which of two equally frequent causes is named.
BLOCKS: Final[tuple[Block, ...]] = ("full", "absent", "contraindicated", "paused", "closed", "too_soon")


class Writer:
    """Writes the plan of one request; used once."""

    def __init__(self, request: PlanRequest, task: Task) -> None:
        self._request = request
        self._task = task
        self._slots = task.slots
        self._progress: Progress = task.progress.copy()
        self._sessions: list[PlannedSession] = []
        self._notes: list[Reason] = []
        self._gap_distance = 0

    def write(self, found: tuple[int, ...]) -> Plan:
        """Return the plan that has its sessions on the days found."""
        steps: list[tuple[int, Event | int]] = [(3 * day + 1, day) for day in found]
        steps += [(event.moment, event) for event in self._task.events]
        placed = 0
        for _, step in sorted(steps, key=lambda timed: timed[0]):
            if isinstance(step, int):
                self._write_planned(step, placed)
                placed += 1
            elif step.decision is not None:
                decide(self._progress, step.decision)
            elif step.kept is not None:
                self._write_kept(step.kept, step.day)
        self._note_unplaced(self._request.count - placed)
        sessions = tuple(self._sessions)
        cost = PlanCost(
            unplaced=self._request.count - placed,
            days_outside=sum(session.days_outside for session in sessions),
            preferences_missed=sum(session.preferences_missed for session in sessions),
            gap_distance=self._gap_distance,
            last_on=date.fromordinal(found[-1]) if found else None,
        )
        return Plan(sessions, cost, tuple(self._notes))

    def _write_planned(self, day: int, placed: int) -> None:
        progress, slot = self._progress, self._slots.best(day)
        assert slot is not None
        progress.roll(day)
        late = progress.days.lateness(progress.due_by(), day)
        blocked = self._blocked_days(day)
        why = [self._window(), *self._skipped(day, slot, blocked), *self._missed(day, slot)]
        if late:
            why.append(Reason("late", late))
            cause = self._late_cause(blocked)
            self._notes.append(Reason("session_late", late, on=date.fromordinal(day), cause=cause))
        people, rooms, zone = self._request.practitioners, self._request.rooms, self._request.zone
        self._sessions.append(
            PlannedSession(
                on=date.fromordinal(day),
                phase=progress.index,
                session=progress.taken + 1,
                start=datetime.fromtimestamp(slot.start, zone),
                end=datetime.fromtimestamp(slot.end, zone),
                practitioner=None if slot.practitioner is None else people[slot.practitioner].id,
                room=None if slot.room is None else rooms[slot.room].id,
                pinned=False,
                days_outside=late,
                preferences_missed=slot.missed,
                why=tuple(why),
            )
        )
        self._attend(day, aimed_gap(progress, placed, self._task.hurried))

    def _write_kept(self, kept: SessionRecord, day: int) -> None:
        progress = self._progress
        progress.roll(day)
        outside = 0
        why = [Reason("pinned" if kept.pinned else "kept")]
        if block := self._slots.lost(day):
            self._notes.append(Reason("session_lost", on=kept.on, cause=block))
        extra = progress.is_complete
        if extra:
            why.append(Reason("extra", on=kept.on))
            self._notes.append(Reason("extra", on=kept.on))
        else:
            why.insert(0, self._window())
            if outside := progress.earliness(day):
                why.append(Reason("early", outside))
                self._notes.append(Reason("session_early", outside, on=kept.on))
            elif outside := progress.days.lateness(progress.due_by(), day):
                why.append(Reason("late", outside))
                self._notes.append(Reason("session_late", outside, on=kept.on, cause="kept"))
        self._sessions.append(
            PlannedSession(
                on=kept.on,
                phase=None if extra else progress.index,
                session=None if extra else progress.taken + 1,
                start=None,
                end=None,
                practitioner=kept.practitioner,
                room=kept.room,
                pinned=True,
                days_outside=outside,
                preferences_missed=0,
                why=tuple(why),
                kept=kept,
            )
        )
        if not extra:
            self._attend(day, progress.spec.cadence.preferred_gap_days)

    def _attend(self, day: int, aim: int) -> None:
        if self._progress.last_on is not None:
            self._gap_distance += abs(day - self._progress.last_on - aim)
        self._progress.attend(day)

    def _window(self) -> Reason:
        first, last = self._progress.due_from, self._progress.due_by()
        due_from, due_by = date.fromordinal(first), date.fromordinal(last)
        return Reason("window", last - first + 1, due_from=due_from, due_by=due_by)

    def _blocked_days(self, day: int) -> dict[Block | None, list[int]]:
        """Return the days of the window before a day by what kept the session off them, None for nothing."""
        days: dict[Block | None, list[int]] = {block: [] for block in (*BLOCKS, None)}
        for earlier in range(self._progress.due_from, day):
            days[self._slots.block(earlier)].append(earlier)
        return days

    def _late_cause(self, blocked: dict[Block | None, list[int]]) -> str:
        """Return what made the next session late: what kept it off most days, unless one of them was free."""
        if blocked[None]:
            return "spacing"
        # A window with days left to plan into was not over too early, however many of its days were.
        over = self._progress.due_by() in blocked["too_soon"]
        causes = [block for block in BLOCKS if over or block != "too_soon"]
        return max(causes, key=lambda block: len(blocked[block]))

    def _skipped(self, day: int, slot: Slot, blocked: dict[Block | None, list[int]]) -> list[Reason]:
        free = blocked[None]
        told = [(block, days) for block, days in blocked.items() if block and days]
        reasons = [Reason(block, len(days), dates=_dates(days)) for block, days in told]
        best = self._slots.best
        worse = [earlier for earlier in free if (other := best(earlier)) and other.missed > slot.missed]
        equal = [earlier for earlier in free if earlier not in worse]
        if worse:
            reasons.append(Reason("preferred", len(worse), dates=_dates(worse)))
        if equal:
            reasons.append(Reason("spacing", len(equal), dates=_dates(equal)))
        return reasons

    def _missed(self, day: int, slot: Slot) -> list[Reason]:
        weekday, time, practitioner = self._slots.missed_by(day, slot)
        named: tuple[tuple[ReasonKind, bool], ...] = (
            ("missed_weekday", weekday),
            ("missed_time", time),
            ("missed_practitioner", practitioner),
        )
        return [Reason(kind) for kind, missed in named if missed]

    def _note_unplaced(self, unplaced: int) -> None:
        if not unplaced:
            return
        self._progress.roll(self._slots.last_day)
        no_slot = min(unplaced, self._most_asked())
        if no_slot:
            last_on = date.fromordinal(self._slots.last_day)
            self._notes.append(Reason("no_slot", no_slot, on=last_on, cause=self._barred_throughout()))
        if no_slot < unplaced:
            self._notes.append(Reason("not_asked", unplaced - no_slot))

    def _most_asked(self) -> int:
        """Return how many sessions the prescription still asks for, NEVER where a duration decides that."""
        progress, asked = self._progress, -self._progress.taken
        if progress.is_complete:
            return 0
        for phase in progress.phases[progress.index :]:
            if phase.amount is None or phase.duration_days is not None:
                return NEVER
            asked += phase.amount
        return asked

    def _barred_throughout(self) -> str:
        """Return what bars most of the days left where something bars each of them; empty where none are left."""
        slots = self._slots
        left = range(max(self._progress.due_from, slots.first_day), slots.last_day + 1)
        blocks = [slots.block(day) for day in left]
        barred = [block for block in BLOCKS if block != "too_soon" and block in blocks]
        return max(barred, key=blocks.count) if barred and None not in blocks else ""


def _dates(days: list[int]) -> tuple[date, ...]:
    return tuple(map(date.fromordinal, days))
