"""The demo's story: half a year of a clinic, in which every state and every kind of finding can be seen today."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from courses import convert
from courses.core.assess import assess
from courses.core.types import Cadence, PhaseSpec, Prescription, SessionRecord
from courses.models import Course, Protocol
from courses.services import (
    book_session,
    discontinue_course,
    pause_course,
    record_contraindication,
    record_walk_in,
    set_target,
)
from simulation.clinic import Cast
from simulation.world import Habits, Plot, World

HISTORY_DAYS: Final = 182
# The demo's reminders begin so many days back: before that nobody would read the mailbox anyway.
REMINDER_DAYS: Final = 8
_LEFT_ALONE: Final = Habits(comes=1, confirms=0, falls_ill=0, is_rebooked=False)
_EVERY_1_2: Final = Cadence.of(1, 1, 2)
_EVERY_14: Final = Cadence.of(1, 14, 14)

Act = Callable[[World, Course], None]


class Story:
    """Makes the plots of a demo for one day called today."""

    def __init__(self, cast: Cast, rng: random.Random, *, today: date) -> None:
        self.cast = cast
        self.rng = rng
        self.today = today
        self.calendar = convert.load_calendar(cast.clinic)
        self.protocols = {row.slug: row for row in Protocol.objects.for_clinic(cast.clinic)}
        self._clients = iter(cast.clients)

    def plots(self, count: int) -> list[Plot]:
        """Return the plots: the showcases, then ordinary courses up to the count."""
        showcases = self._showcases()
        ordinary = [self._ordinary(number) for number in range(max(0, count - len(showcases)))]
        return [*showcases, *ordinary]

    def begin_evenly(self, first_on: date, last_on: date, count: int) -> list[Plot]:
        """Return ordinary courses that begin on open days spread over the dates."""
        plots = [self._ordinary(number) for number in range(count)]
        for plot in plots:
            span = max(1, (last_on - first_on).days * 3 // 4)
            day = first_on + timedelta(days=self.rng.randrange(span))
            plot.starts_on = self.calendar.next_open_day(day)
        return plots

    # ------------------------------------------------------------ ordinary courses

    def _ordinary(self, number: int) -> Plot:
        rng = self.rng
        slugs = sorted(self.protocols)
        clients = self.cast.clients
        # Most began lately: a clinic that lives has more running courses than past ones.
        longest = HISTORY_DAYS - 7 if number % 5 == 0 else 21
        day = self.today - timedelta(days=rng.randint(3, longest))
        while not self.calendar.is_open(day):
            day -= timedelta(days=1)
        roll = rng.random()
        habits = Habits()
        if roll < 0.2:
            habits = Habits(comes=0.8, rebooked_after_days=3)
        elif roll < 0.28:
            habits = Habits(stops_after=rng.randint(3, 9), is_rebooked=False)
        elif roll < 0.34:
            habits = Habits(comes=0.85, is_rebooked=False)
        return Plot(
            client=next(self._clients, None) or clients[number % len(clients)],
            protocol=self.protocols[slugs[number % len(slugs)]],
            starts_on=day,
            practitioner=rng.choice(self.cast.practitioners),
            habits=habits,
        )

    # ------------------------------------------------------------ showcases

    def _showcases(self) -> list[Plot]:
        days_ago = self._days_ago
        return [
            self._case("anti-cellulite-manual", {2: self._plan}, starts=5),
            self._case("anti-cellulite-manual-twice-weekly", {1: self._walk_in, 0: self._plan}),
            self._case("anti-cellulite-manual", self._walk_ins(days_ago("due"), 4) | {0: self._plan}),
            self._case("anti-cellulite-manual", self._walk_ins(days_ago("due"), 3)),
            self._case("therapeutic-back", self._walk_ins(days_ago("late"), 5)),
            self._case("anti-cellulite-hardware", self._walk_ins(days_ago("overdue"), 6)),
            self._case("therapeutic-back", self._walk_ins(days_ago("lapsed"), 7)),
            self._case("anti-cellulite-manual", self._walk_ins(days_ago("due"), 2) | {0: self._book_late}),
            self._case("anti-cellulite-hardware", self._walk_ins(days_ago("due"), 4) | {0: self._misbook}),
            self._case("anti-cellulite-zones", self._walk_in_on_two_days_running()),
            self._case("anti-cellulite-manual", dict.fromkeys((38, 31, 24, 17, 10, 1), self._walk_in)),
            self._case(
                "therapeutic-back",
                self._walk_ins(8, 3) | {7: self._plan_two},
                script={1: "no_show", 2: "no_show"},
            ),
            self._case("anti-cellulite-manual", self._walk_ins(1, 11)),
            self._case(
                "mechanical-bed", self._walk_ins(9, 2) | {8: self._plan_two}, script={1: "unrecorded"}
            ),
            self._case("anti-cellulite-manual", self._walk_ins(days_ago("due"), 5) | {0: self._fall_ill}),
            self._case("suit-compression", self._walk_ins(3, 2) | {1: self._too_long}),
            self._case("honey-massage", self._walk_ins(40, 3) | {38: self._long_pause}),
            self._case("honey-massage", self._walk_ins(4, 4) | {3: self._bruises}),
            self._case("suit-compression", {20: self._decide_six} | self._walk_ins(8, 6)),
            self._case(
                "suit-compression",
                {26: self._decide_six, 14: self._book_once_more} | self._walk_ins(13, 6),
                script={1: "unrecorded"},
            ),
            self._case("therapeutic-back", self._walk_ins(20, 4) | {12: self._discontinue}),
            self._case(
                "spine-osteochondrosis",
                self._walk_ins(9, 4) | {8: self._plan_all},
                script=dict.fromkeys(range(1, 20), "cancelled_by_clinic"),
            ),
            self._case("anti-cellulite-manual", {130: self._decide_ten} | self._walk_ins(100, 10)),
            # States that any weekday and any holiday lets stand.
            self._maintained(5),
            self._maintained(days_ago("late", cadence=_EVERY_14, grace_days=3)),
        ]

    def _case(
        self,
        slug: str,
        acts: dict[int, Act],
        *,
        starts: int | None = None,
        script: dict[int, str] | None = None,
    ) -> Plot:
        """Return a plot whose acts are told in days before today; it starts with the first of them."""
        acts = self._on_open_days(acts, shortest=self.protocols[slug].phases.get(position=0).period_min)
        first = max(acts)
        start_on = self.today + timedelta(days=starts) if starts else self.today - timedelta(days=first)
        return Plot(
            client=next(self._clients),
            protocol=self.protocols[slug],
            starts_on=self.today - timedelta(days=first),
            treated_from=start_on,
            habits=_LEFT_ALONE,
            script=script or {},
            is_planned=False,
            acts={self.today - timedelta(days=ago): act for ago, act in acts.items()},
        )

    def _maintained(self, last: int) -> Plot:
        """Return a course whose maintenance began so many days ago, and of which nothing is booked."""
        return self._case("anti-cellulite-manual", {last + 30: self._decide_ten} | self._walk_ins(last, 10))

    def _on_open_days(self, acts: dict[int, Act], *, shortest: int) -> dict[int, Act]:
        """Return the acts with no treatment on a closed day, in their order and about as far apart.

        A treatment moves to the day after where that leaves `shortest` days to the next one, else to a day before.
        """
        moved: dict[int, Act] = {}
        later = later_moved = next_treated = -shortest
        for ago, act in sorted(acts.items()):
            days = ago if not moved else later_moved + ago - later
            if act in (self._walk_in, self._too_long):
                closer = (
                    [days - 1]
                    if days - 1 > max(later_moved, 0) and days - 1 - next_treated >= shortest
                    else []
                )
                days = next(one for one in (days, *closer, *range(days + 1, days + 60)) if self._is_open(one))
                next_treated = days
            moved[days] = act
            later, later_moved = ago, days
        return moved

    def _is_open(self, ago: int) -> bool:
        return self.calendar.is_open(self.today - timedelta(days=ago))

    def _days_ago(self, state: str, *, cadence: Cadence = _EVERY_1_2, grace_days: int = 1) -> int:
        """Return how many days ago a last session, on an open day, must lie for the state to hold today."""
        phase = PhaseSpec("intensive", cadence, 10, 15, grace_days=grace_days, lapse_days=14)
        for ago in filter(self._is_open, range(1, 60)):
            on = self.today - timedelta(days=ago)
            found = assess(
                Prescription(on, (phase,)),
                (SessionRecord(on, "attended"),),
                (),
                (),
                self.calendar,
                0,
                today=self.today,
            )
            if found.state == state:
                return ago
        # A long holiday can hide a short state; the nearest one says as much.
        return 2

    def _walk_ins(self, last: int, count: int) -> dict[int, Act]:
        """Return acts that attend so many sessions every other day, the last one so many days ago."""
        return {last + 2 * number: self._walk_in for number in range(count)}

    def _walk_in_on_two_days_running(self) -> dict[int, Act]:
        """Return acts that attend twice within two days, lately, after a first time."""
        last = next(ago for ago in range(1, 60) if self._is_open(ago) and self._is_open(ago + 1))
        return dict.fromkeys((last + 8, last + 1, last), self._walk_in)

    # ------------------------------------------------------------ acts

    def _walk_in(self, world: World, course: Course) -> None:
        day = convert.local_today(course.clinic, world.clock)
        record_walk_in(
            course=course,
            on=day,
            by=world.cast.desk,
            now=world.clock,
            practitioner=self.cast.practitioners[course.pk % len(self.cast.practitioners)],
            reaction="none",
        )

    def _too_long(self, world: World, course: Course) -> None:
        day = convert.local_today(course.clinic, world.clock)
        record_walk_in(
            course=course, on=day, by=world.cast.desk, now=world.clock, minutes=75, reaction="redness"
        )

    def _plan(self, world: World, course: Course) -> None:
        world.replan(course)

    _plan_all = _plan

    def _plan_two(self, world: World, course: Course) -> None:
        world.replan(course, count=2)

    def _book_late(self, world: World, course: Course) -> None:
        self._book(world, course, after_days=9)

    def _book_once_more(self, world: World, course: Course) -> None:
        self._book(world, course, after_days=2)

    def _misbook(self, world: World, course: Course) -> None:
        on = self._book(world, course, after_days=4)
        pause_course(
            course=course,
            from_on=on - timedelta(days=1),
            to_on=on + timedelta(days=3),
            reason="travel",
            by=world.cast.desk,
            now=world.clock,
        )

    def _fall_ill(self, world: World, course: Course) -> None:
        on = self._book(world, course, after_days=2)
        record_contraindication(
            client=course.client,
            condition="influenza",
            from_on=self.today,
            to_on=on + timedelta(days=4),
            by=world.cast.desk,
            now=world.clock,
        )

    def _book(self, world: World, course: Course, *, after_days: int) -> date:
        """Book the first free slot of the first open day from so many days ahead; return the day."""
        today = convert.local_today(course.clinic, world.clock)
        on = self.calendar.next_open_day(today + timedelta(days=after_days))
        starts_at = world.free_slot(on, minutes=45)
        book_session(
            course=course,
            starts_at=starts_at,
            minutes=45,
            practitioner=None,
            room=None,
            by=world.cast.desk,
            now=world.clock,
            is_pinned=True,
        )
        return on

    def _long_pause(self, world: World, course: Course) -> None:
        day = convert.local_today(course.clinic, world.clock)
        pause_course(
            course=course,
            from_on=day,
            to_on=self.today + timedelta(days=3),
            reason="illness",
            by=world.cast.desk,
            now=world.clock,
        )

    def _bruises(self, world: World, course: Course) -> None:
        day = convert.local_today(course.clinic, world.clock)
        pause_course(
            course=course, from_on=day, to_on=None, reason="bruises", by=world.cast.desk, now=world.clock
        )

    def _decide_six(self, world: World, course: Course) -> None:
        set_target(course=course, target=6, by=world.cast.doctor, now=world.clock)

    def _decide_ten(self, world: World, course: Course) -> None:
        set_target(course=course, target=10, by=world.cast.doctor, now=world.clock)

    def _discontinue(self, world: World, course: Course) -> None:
        discontinue_course(
            course=course, by=world.cast.doctor, now=world.clock, reason="The client moved to another city."
        )


def story_start(today: date) -> date:
    """Return the day on which the demo's clinic was founded."""
    return today - timedelta(days=HISTORY_DAYS)
