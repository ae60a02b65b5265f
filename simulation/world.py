"""Virtual days over a clinic: what clients, reception and prescribers do, one day after the other."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final

from django.db.models import Min

from clients.models import Client
from clinics.core import to_utc
from clinics.models import StaffMember
from clinics.services import record_sign_in
from courses import convert
from courses.core.off_protocol import PhaseLimits
from courses.errors import CourseError
from courses.models import BOOKED_STATUSES, Course, Flag, FlagKind, Protocol, Reaction, TreatmentSession
from courses.services import (
    CourseDraft,
    apply_plan,
    cancel_session,
    confirm_session,
    pause_course,
    prescribe_course,
    propose_plan,
    reassess_due,
    record_arrival,
    record_attendance,
    record_no_show,
    restart_course,
    roll_forward_due,
)
from reminders.models import LIVE_STATES, Reminder
from reminders.services import drain, run_tick
from simulation.clinic import Cast

DIGEST: Final = time(7, 30)
MORNING: Final = time(8)
_FIRST_SIGN_IN: Final = time(8, 10)
EVENING: Final = time(20, 30)
# How often the long past is looked at for what time alone changes.
DAYS_BETWEEN_CHECKS: Final = 7


@dataclass(slots=True)
class Habits:
    """How one client keeps to a course, as probabilities of each booked session."""

    comes: float = 0.93
    cancels_in_time: float = 0.4  # of those who do not come
    cancels_late: float = 0.3
    confirms: float = 0.5
    falls_ill: float = 0.006  # a day
    # Whether reception books again what was missed, and after how many days.
    is_rebooked: bool = True
    rebooked_after_days: int = 1
    stops_after: int | None = None  # sessions, then comes no more


@dataclass(slots=True)
class Plot:
    """One course of the story: when it is prescribed to whom, and how it goes."""

    client: Client
    protocol: Protocol
    starts_on: date
    practitioner: StaffMember | None = None
    habits: Habits = field(default_factory=Habits)
    # Scripted outcome of the n-th session (1-based) instead of chance: a word of outcome_words.
    script: dict[int, str] = field(default_factory=dict)
    # Acts on a day, before the day's sessions.
    acts: dict[date, Callable[["World", Course], None]] = field(default_factory=dict)
    # The first day of treatment where it is not the day of prescribing.
    treated_from: date | None = None
    is_planned: bool = True
    course: Course | None = None
    limits: tuple[PhaseLimits, ...] = ()
    session_number: int = 0
    seen: set[int] = field(default_factory=set)


class World:
    """A clinic and its plots, moved on day by day; the same seed tells the same story."""

    def __init__(self, cast: Cast, rng: random.Random, plots: Sequence[Plot], *, until: datetime) -> None:
        self.cast = cast
        self.rng = rng
        self.plots = list(plots)
        self.until = until
        self.zone = convert.zone_of(cast.clinic)
        self.clock = until
        self.has_reminders = False
        self._slots_given = 0
        self.after_day: Callable[[World, date], None] = lambda world, day: None
        self.tick: Callable[[datetime], object] = lambda at: run_tick(now=at)
        self.drain: Callable[[datetime], object] = lambda at: drain(clock=lambda: at)
        # Until then neither ticks nor senders live; people and pages do.
        self.down_until: datetime | None = None

    # ------------------------------------------------------------ time

    def at(self, day: date, wall: time) -> datetime:
        """Return the instant of a wall time of the clinic."""
        return to_utc(day, wall, self.zone)

    def run(self, first_on: date, last_on: date) -> None:
        """Let the days pass, both included, as far as `until`."""
        day = first_on
        while day <= last_on:
            self.run_day(day)
            self.after_day(self, day)
            day += timedelta(days=1)
        self._sign_in(last_on)

    def _sign_in(self, day: date) -> None:
        """Let the clinic's people have signed in on a day before it began."""
        members = StaffMember.objects.for_clinic(self.cast.clinic)
        for number, member in enumerate(members.order_by("pk")):
            came_at = self.at(day, _FIRST_SIGN_IN) + number * timedelta(minutes=4)
            record_sign_in(member=member, now=min(came_at, self.until))

    def run_day(self, day: date) -> None:
        """Let one day pass: prescriptions and acts in the morning, sessions, reception's work in the evening."""
        if self._pass_to(self.at(day, DIGEST)) and self.has_reminders:
            # Nothing lies there yet to wake for: the summary for staff is planned by the tick itself.
            self.tick(self.clock)
            self.drain(self.clock)
        self._pass_to(self.at(day, MORNING))
        for plot in self.plots:
            if plot.starts_on == day and plot.course is None:
                self._prescribe(plot)
        for plot in self.plots:
            if plot.course is not None and day in plot.acts:
                plot.acts[day](self, plot.course)
                plot.course.refresh_from_db()
        self._run_sessions(day)
        if self._pass_to(self.at(day, EVENING)):
            if not self.has_reminders:
                # With reminders on, the ticks do both, and more often.
                if day.toordinal() % DAYS_BETWEEN_CHECKS == 0:
                    reassess_due(now=self.clock)
                if day.isoweekday() == 1:
                    roll_forward_due(now=self.clock)
            self._work_evening(day)

    def _pass_to(self, at: datetime) -> bool:
        """Move the clock on, ticking whenever something comes due before; False when the story ends earlier."""
        end = min(at, self.until)
        while self.has_reminders:
            due = self._next_event()
            if due is not None and self.down_until is not None:
                due = max(due, self.down_until)
            if due is None or due > end:
                break
            self.clock = max(self.clock, due)
            self.tick(self.clock)
            self.drain(self.clock)
            following = self._next_event()
            if following is not None and following <= due:
                # What cannot be done now is not tried again at the same moment.
                self.clock += timedelta(minutes=1)
                if self.clock > end:
                    break
        self.clock = end
        return at <= self.until

    def _next_event(self) -> datetime | None:
        clinic = self.cast.clinic
        sends = Reminder.objects.filter(clinic=clinic, state__in=LIVE_STATES).aggregate(at=Min("send_at"))[
            "at"
        ]
        checks = Course.objects.filter(clinic=clinic).aggregate(at=Min("next_check_at"))["at"]
        return min((at for at in (sends, checks) if at is not None), default=None)

    # ------------------------------------------------------------ prescribing

    def _prescribe(self, plot: Plot) -> None:
        rows = list(plot.protocol.phases.all())
        draft = CourseDraft(
            clinic=self.cast.clinic,
            client=plot.client,
            protocol=plot.protocol,
            start_on=plot.treated_from or plot.starts_on,
            phases=tuple(convert.phase_spec(row) for row in rows),
            practitioner=plot.practitioner,
            minutes_by_session=tuple(tuple(row.minutes_by_session) for row in rows),
        )
        plot.limits = tuple(
            PhaseLimits(row.minutes_min, row.minutes_max, tuple(row.minutes_by_session)) for row in rows
        )
        plot.course = prescribe_course(draft=draft, by=self.cast.doctor, now=self.clock)
        if plot.is_planned:
            self.replan(plot.course)

    def replan(self, course: Course, *, count: int | None = None) -> None:
        """Book the best plan for what lies ahead, the whole of it or so many sessions."""
        course = Course.objects.select_related("clinic", "client", "protocol", "practitioner").get(
            pk=course.pk
        )
        if not course.is_open:
            return
        proposal = propose_plan(course=course, now=self.clock, count=count)
        if proposal.plan.planned:
            apply_plan(course=course, proposal=proposal, by=self.cast.desk, now=self.clock)

    def free_slot(self, on: date, *, minutes: int) -> datetime:
        """Return a start on an open day, one after the other, so that no two bookings meet."""
        self._slots_given += 1
        return self.at(on, time(10)) + timedelta(minutes=15 * (self._slots_given % 12))

    # ------------------------------------------------------------ sessions

    def _run_sessions(self, day: date) -> None:
        plots = {plot.course.pk: plot for plot in self.plots if plot.course is not None}
        rows = (
            TreatmentSession.objects.for_clinic(self.cast.clinic)
            .filter(on=day, status__in=BOOKED_STATUSES, course__in=plots)
            .select_related("course__clinic", "clinic")
            .order_by("starts_at", "pk")
        )
        for session in rows:
            self._run_session(plots[session.course_id], session)

    def _run_session(self, plot: Plot, session: TreatmentSession) -> None:
        if session.starts_at is None or session.ends_at is None:
            return
        if session.pk not in plot.seen:
            plot.seen.add(session.pk)
            plot.session_number += 1
        word = plot.script.get(plot.session_number) or self._chance(plot)
        if session.ends_at > self.until:
            # The story ends during this day: who should be here has arrived, who is to come may have confirmed.
            if session.starts_at <= self.until and word == "attended":
                record_arrival(session=session, by=self.cast.desk, now=max(self.clock, session.starts_at))
            elif word == "attended" and self.rng.random() < plot.habits.confirms:
                confirm_session(session=session, by=self.cast.desk, now=self.clock)
            return
        if word == "unrecorded":
            return
        if not self._still_stands(session):
            return
        if word in ("cancelled_late", "cancelled_by_client", "cancelled_by_clinic"):
            self._cancel(session, word)
            return
        self._pass_to(session.ends_at)
        if not self._still_stands(session):
            # Somebody had second thoughts while time passed.
            return
        if word == "no_show":
            record_no_show(session=session, by=self.cast.desk, now=self.clock)
        else:
            self._attend(plot, session)

    def _still_stands(self, session: TreatmentSession) -> bool:
        return TreatmentSession.objects.filter(pk=session.pk, status__in=BOOKED_STATUSES).exists()

    def _chance(self, plot: Plot) -> str:
        habits, roll = plot.habits, self.rng.random()
        if habits.stops_after is not None and plot.session_number > habits.stops_after:
            return "no_show" if roll < 0.5 else "cancelled_by_client"
        if roll < habits.comes:
            return "attended"
        share = self.rng.random()
        if share < habits.cancels_in_time:
            return "cancelled_by_client"
        return "cancelled_late" if share < habits.cancels_in_time + habits.cancels_late else "no_show"

    def _cancel(self, session: TreatmentSession, word: str) -> None:
        assert session.starts_at is not None
        # Whatever the story says happened in time is recorded at its own earlier moment: the clock stays.
        before = timedelta(hours=30 if word == "cancelled_by_client" else 2)
        cancel_session(
            session=session,
            whose="clinic" if word == "cancelled_by_clinic" else "client",
            by=self.cast.desk,
            now=session.starts_at - before,
        )

    def _attend(self, plot: Plot, session: TreatmentSession) -> None:
        rng = self.rng
        reaction = rng.choices(list(Reaction.values), (80, 15, 3, 2))[0]
        allowed = self._allowed_minutes(plot)
        minutes = rng.choice(range(allowed[0], allowed[1] + 1, 5)) if allowed else None
        record_attendance(
            session=session,
            by=self.cast.desk,
            now=self.clock,
            minutes=minutes,
            reaction=reaction,
            pain_before=rng.randint(0, 6),
            pain_after=rng.randint(0, 3),
        )

    def _allowed_minutes(self, plot: Plot) -> tuple[int, int] | None:
        """Return the shortest and longest next session of a plot's course."""
        assert plot.course is not None
        position, session = Course.objects.values_list("phase_position", "session_number").get(
            pk=plot.course.pk
        )
        if position is None:
            return None
        return plot.limits[position].range_of(session or 1)

    # ------------------------------------------------------------ the desk's evening

    def _work_evening(self, day: date) -> None:
        open_courses = {
            course.pk: course
            for course in Course.objects.for_clinic(self.cast.clinic)
            .filter(status__in=["active", "paused"])
            .select_related("clinic")
        }
        kinds: dict[int, set[str]] = {}
        for course_id, kind in Flag.objects.filter(clinic=self.cast.clinic, resolved_at=None).values_list(
            "course_id", "kind"
        ):
            kinds.setdefault(course_id, set()).add(kind)
        for plot in self.plots:
            if plot.course is not None and plot.course.pk in open_courses:
                self._care(plot, open_courses[plot.course.pk], kinds.get(plot.course.pk, set()), day)

    def _care(self, plot: Plot, course: Course, kinds: set[str], day: date) -> None:
        """Do what reception and prescriber do about one course in the evening."""
        if self.rng.random() < plot.habits.falls_ill and course.state != "paused":
            self._pause(course, day)
        elif not plot.habits.is_rebooked:
            return
        elif FlagKind.LAPSED in kinds:
            restart_course(course=course, on=day + timedelta(days=1), by=self.cast.doctor, now=self.clock)
            self.replan(course)
        elif self._is_time_to_rebook(plot, kinds, day):
            self.replan(course)

    def _is_time_to_rebook(self, plot: Plot, kinds: set[str], day: date) -> bool:
        if plot.habits.stops_after is not None and plot.session_number > plot.habits.stops_after + 1:
            return False
        if not kinds & {FlagKind.UNBOOKED, FlagKind.OVERDUE, FlagKind.BOOKED_LATE, FlagKind.MISBOOKED}:
            return False
        last = (
            TreatmentSession.objects.filter(course=plot.course, on__lte=day)
            .exclude(status__in=BOOKED_STATUSES)
            .order_by("-on")
            .values_list("on", flat=True)
            .first()
        )
        return last is None or (day - last).days >= plot.habits.rebooked_after_days

    def _pause(self, course: Course, day: date) -> None:
        try:
            pause_course(
                course=course,
                from_on=day + timedelta(days=1),
                to_on=day + timedelta(days=self.rng.randint(3, 9)),
                reason=self.rng.choice(("illness", "bruises", "travel")),
                by=self.cast.desk,
                now=self.clock,
            )
        except CourseError:
            # Already paused then: one illness more changes nothing.
            return
        self.replan(course)
