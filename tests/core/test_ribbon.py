"""The ribbon's geometry: what is shown, where it may lie, and that labels keep out of each other's way."""

from datetime import date, timedelta
from itertools import combinations

import pytest

from clinics.core import ClinicCalendar
from courses.core.assess import assess
from courses.core.ribbon import (
    Chart,
    EndFlag,
    Mark,
    PhaseSpan,
    RibbonFacts,
    Tick,
    WindowSpan,
    draw_chart,
    draw_strip,
    gather_ribbon,
)
from courses.core.ribbon.axis import Axis, ticks
from courses.core.ribbon.labels import LabelWish, place_labels, text_width
from courses.core.types import (
    Cadence,
    PauseSpan,
    PhaseEnd,
    PhaseSpec,
    Prescription,
    SessionRecord,
    SessionStatus,
)

INTENSIVE = PhaseSpec("intensive", Cadence.of(1, 1, 2), 10, 15, None, None, 1, 14)
SHORT = PhaseSpec("intensive", Cadence.of(1, 1, 2), 3, 3, None, None, 1, 14)
MAINTENANCE = PhaseSpec("maintenance", Cadence.of(1, 14, 14), None, None, None, 365, 3, 42)
START = date(2026, 3, 2)  # a Monday
SUNDAYS_OFF = ClinicCalendar([7])
WIDTHS = (1040, 680, 340)


class PlainWords:
    """English of the length that translations have."""

    def today(self, day: date) -> tuple[str, ...]:
        return ("today",)

    def tick(self, tick: Tick, *, with_year: bool) -> str:
        form = "%a %-d %b" if tick.unit in ("day", "week") else "%b"
        return tick.on.strftime(form + (" %Y" if with_year else ""))

    def mark(self, mark: Mark) -> str:
        return f"{mark.on} {mark.kind} {mark.session}"

    def verdict(self, mark: Mark) -> tuple[str, ...]:
        return (f"{mark.days} days late", f"+{mark.days}")

    def window(self, window: WindowSpan) -> str:
        return f"window {window.session}"

    def next_window(self, window: WindowSpan) -> tuple[str, ...]:
        return (f"next: {window.due_from:%a %-d %b} to {window.due_by:%a %-d %b}", "next")

    def pause(self, pause: PauseSpan) -> tuple[str, ...]:
        return (f"paused: {pause.reason}", "paused")

    def phase(self, span: PhaseSpan) -> tuple[str, ...]:
        return (span.kind,)

    def restart(self, day: date) -> tuple[str, ...]:
        return (f"restarted {day:%a %-d %b}", "restarted")

    def end(self, flag: EndFlag) -> tuple[str, ...]:
        return (f"{flag.kind} {flag.on:%a %-d %b}", "end")


def ribbon(
    *sessions: tuple[int, SessionStatus],
    today: int,
    phases: tuple[PhaseSpec, ...] = (INTENSIVE, MAINTENANCE),
    pauses: tuple[PauseSpan, ...] = (),
    restarts: tuple[date, ...] = (),
    ends: tuple[PhaseEnd, ...] = (),
    stopped_on: date | None = None,
) -> RibbonFacts:
    """Gather a course that starts on START; days are counted from there."""
    prescription = Prescription(START, phases, ends, restarts)
    records = [SessionRecord(on(day), status) for day, status in sessions]
    as_of = on(today)
    assessment = assess(prescription, records, pauses, (), SUNDAYS_OFF, 3, today=as_of)
    return gather_ribbon(
        prescription, records, pauses, SUNDAYS_OFF, assessment, today=as_of, stopped_on=stopped_on
    )


def on(day: int) -> date:
    return START + timedelta(day)


def attended(*days: int) -> list[tuple[int, SessionStatus]]:
    return [(day, "attended") for day in days]


def eventful() -> RibbonFacts:
    """A course with everything that a ribbon can show, but for its end."""
    return ribbon(
        *attended(0, 2, 3, 4, 7, 11, 22, 24, 25),
        (9, "no_show"),
        (10, "cancelled_by_client"),
        (10, "cancelled_by_clinic"),
        (14, "cancelled_late"),
        (26, "booked"),
        (28, "confirmed"),
        (29, "booked"),
        (35, "booked"),
        today=27,
        pauses=(PauseSpan(on(15), on(19), "bruises"),),
        restarts=(on(22),),
    )


def year_long() -> RibbonFacts:
    """A whole intensive phase, and half a year of maintenance with an early, a late and a missed session."""
    every = [14 * k + 29 for k in range(1, 13)]
    every[3] += 6
    every[7] -= 9
    return ribbon(
        *attended(*range(0, 30, 2), *every),
        (14 * 13 + 29, "booked"),
        (14 * 9 + 33, "no_show"),
        today=200,
        pauses=(PauseSpan(on(80), on(84), "travel"),),
    )


def crowded() -> RibbonFacts:
    return ribbon(*attended(*range(0, 70, 5)), today=71)


COURSES = {
    "eventful": eventful(),
    "year": year_long(),
    "crowded": crowded(),
    "fresh": ribbon(today=-3),
    "lapsed": ribbon(*attended(0, 2), (4, "no_show"), today=400),
    "open pause": ribbon(*attended(0, 2), today=9, pauses=(PauseSpan(on(4), None, "illness"),)),
    "completed": ribbon(*attended(0, 2, 4, 8), today=30, phases=(SHORT,)),
    "stopped": ribbon(*attended(0, 2), today=30, stopped_on=on(12)),
}


# ---------------------------------------------------------------------------------------------- what is shown


def test_marks_tell_verdict_outcome_and_booking() -> None:
    facts = eventful()

    assert [(mark.on, mark.kind, mark.days, mark.session) for mark in facts.marks] == [
        (on(0), "on_time", 0, 1),
        (on(2), "on_time", 0, 2),
        (on(3), "on_time", 0, 3),
        (on(4), "on_time", 0, 4),
        (on(7), "on_time", 0, 5),
        (on(9), "no_show", 0, None),
        (on(10), "cancelled_by_client", 0, None),
        (on(10), "cancelled_by_clinic", 0, None),
        (on(11), "late", 2, 6),
        (on(14), "cancelled_late", 0, None),
        (on(22), "on_time", 0, 7),
        (on(24), "on_time", 0, 8),
        (on(25), "on_time", 0, 9),
        (on(26), "unrecorded", 0, None),
        (on(28), "booked", 0, 10),
        (on(29), "booked", 0, 11),
        (on(35), "booked_late", 3, 12),
    ]
    assert [mark.on for mark in facts.marks if mark.is_sure] == [on(28)]


def test_windows_follow_attended_sessions_then_bookings_then_one_more() -> None:
    facts = ribbon(*attended(0, 2), (4, "booked"), today=3)

    assert facts.windows == (
        WindowSpan(0, 1, on(0), on(2), "past", on(0)),
        WindowSpan(0, 2, on(1), on(2), "past", on(2)),
        WindowSpan(0, 3, on(3), on(4), "booked", on(4)),
        WindowSpan(0, 4, on(5), on(7), "next", None),
    )


def test_next_window_is_that_of_the_assessment_when_nothing_is_booked() -> None:
    facts = ribbon(*attended(0, 2), today=3)

    assert facts.windows[-1] == WindowSpan(0, 3, on(3), on(4), "next", None)


@pytest.mark.parametrize(
    ("day", "kind"), [(3, "booked"), (6, "misbooked"), (13, "misbooked"), (8, "misbooked")]
)
def test_booking_on_a_day_lost_to_the_client_is_misbooked(day: int, kind: str) -> None:
    facts = ribbon(*attended(0, 2), (day, "booked"), today=3, pauses=(PauseSpan(on(8), on(9), "travel"),))

    assert facts.marks[-1].kind == kind


def test_booking_after_the_end_is_misbooked_and_has_no_window() -> None:
    facts = ribbon(*attended(0, 2, 4), (7, "booked"), today=5, phases=(SHORT,))

    assert facts.marks[-1] == Mark(on(7), "misbooked")
    assert [window.role for window in facts.windows] == ["past"] * 3


def test_booking_too_soon_is_early() -> None:
    facts = ribbon(*attended(0, 2, 4), (9, "booked"), today=5, phases=(SHORT, MAINTENANCE))

    assert facts.marks[-1] == Mark(on(9), "booked_early", 9, 1)


def test_booking_on_the_day_its_phase_was_ended_belongs_to_that_phase() -> None:
    facts = ribbon(*attended(*range(0, 20, 2)), (21, "booked"), today=21, ends=(PhaseEnd(0, on(21)),))

    assert facts.marks[-1].kind == "booked"
    assert facts.windows[-2:] == (
        WindowSpan(0, 11, on(19), on(21), "booked", on(21)),
        WindowSpan(1, 1, on(35), on(35), "next", None),
    )


def test_session_after_the_end_is_extra() -> None:
    assert COURSES["completed"].marks[-1] == Mark(on(8), "extra")


def test_phase_begins_after_the_day_the_one_before_ended() -> None:
    attended_only = ribbon(*attended(0, 2, 4), today=10, phases=(SHORT, MAINTENANCE))
    ended = ribbon(*attended(*range(0, 20, 2)), today=30, ends=(PhaseEnd(0, on(25)),))
    among_bookings = ribbon(*attended(0, 2), (4, "booked"), today=3, phases=(SHORT, MAINTENANCE))

    for facts, begins in ((attended_only, on(5)), (ended, on(26)), (among_bookings, on(5))):
        assert [(span.phase, span.from_on) for span in facts.phases] == [(0, on(0)), (1, begins)]


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("fresh", EndFlag(on(32), "projected", 15)),
        ("year", EndFlag(on(28 + 365 + 5), "projected")),
        ("completed", EndFlag(on(4), "completed")),
        ("stopped", EndFlag(on(12), "stopped")),
    ],
)
def test_end_is_projected_or_as_it_came(name: str, end: EndFlag) -> None:
    assert COURSES[name].end == end


def test_stopped_course_has_no_window_ahead() -> None:
    assert {window.role for window in COURSES["stopped"].windows} == {"past"}


# -------------------------------------------------------------------------------------------------- geometry


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", COURSES)
def test_nothing_lies_outside_the_view_box(name: str, width: int) -> None:
    chart = draw_chart(COURSES[name], PlainWords(), width=width)

    assert chart.width == width
    assert all(
        box.x >= 0 and box.x + box.width <= width and box.y >= 0 and box.y + box.height <= chart.height
        for box in chart.boxes
    )
    assert all(8 <= s.x <= width - 8 and 8 <= s.y <= chart.height - 8 for s in chart.symbols)
    assert all(text.x - text.width / 2 >= 0 and text.x + text.width / 2 <= width for text in chart.texts)
    assert all(10 <= text.y <= chart.height - 2 for text in chart.texts)
    assert all(box.width > 0 for box in chart.boxes)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", COURSES)
def test_texts_never_touch(name: str, width: int) -> None:
    texts = draw_chart(COURSES[name], PlainWords(), width=width).texts

    touching = [
        (one.text, other.text)
        for one, other in combinations(texts, 2)
        if abs(one.y - other.y) < 11 and abs(one.x - other.x) < (one.width + other.width) / 2
    ]

    assert len(texts) >= 3
    assert touching == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", COURSES)
def test_each_fact_is_drawn(name: str, width: int) -> None:
    facts = COURSES[name]

    chart = draw_chart(facts, PlainWords(), width=width)

    strokes = [stroke.kind for stroke in chart.strokes]
    assert sorted(symbol.mark for symbol in chart.symbols) == sorted(facts.marks)
    assert {box.title for box in chart.boxes if box.kind.startswith("window")} == {
        f"window {window.session}" for window in facts.windows
    }
    assert {box.title for box in chart.boxes if box.kind == "pause"} == {
        f"paused: {pause.reason}" for pause in facts.pauses
    }
    assert strokes.count("today") == 1
    assert strokes.count("flag") == 1
    assert strokes.count("restart") == len(facts.restarts)
    assert strokes.count("phase") == len(facts.phases) - 1
    assert {"today", "end"} <= {text.kind for text in chart.texts}


def test_marks_of_one_day_do_not_cover_each_other() -> None:
    chart = draw_chart(eventful(), PlainWords(), width=1040)

    of_day = [(s.x, s.y) for s in chart.symbols if s.mark.on == on(10)]

    assert len(of_day) == 2
    assert abs(of_day[0][1] - of_day[1][1]) >= 9.6


def test_lateness_has_a_tail_as_long_as_it_is() -> None:
    chart = draw_chart(ribbon(*attended(0, 11), today=12), PlainWords(), width=1040)

    (tail,) = [stroke.d for stroke in chart.strokes if stroke.kind == "tail-late"]
    begin, end = (float(point.split()[0]) for point in tail.removeprefix("M").split("L"))
    (mark,) = [symbol for symbol in chart.symbols if symbol.mark.kind == "late"]
    (window,) = [box for box in chart.boxes if box.title == "window 2"]

    assert end == pytest.approx(mark.x, abs=0.1)
    assert begin == pytest.approx(window.x + window.width, abs=0.1)


def test_closed_days_are_dimmed() -> None:
    chart = draw_chart(ribbon(*attended(0, 2), today=3), PlainWords(), width=1040)

    closed = [box for box in chart.boxes if box.kind == "closed"]

    # The Sundays before the start and on to the projected end on Wed 1 April.
    assert len(closed) == 5


def test_narrow_ribbon_folds_into_rows() -> None:
    axes = {width: Axis(year_long(), width=width - 24, least_step=15, most_rows=8) for width in WIDTHS}

    assert [axes[width].rows for width in WIDTHS] == [1, 1, 2]
    assert axes[340].edges[-1] == pytest.approx(2 * 316)


def test_maintenance_takes_the_room_of_its_sessions_and_not_of_its_days() -> None:
    facts = year_long()
    axis = Axis(facts, width=1000)

    two_days = axis.middle(on(10)) - axis.middle(on(8))
    two_weeks = axis.middle(on(29 + 14)) - axis.middle(on(29))

    assert 0.5 <= two_weeks / two_days <= 1.5


def test_long_idle_stretch_is_drawn_shorter() -> None:
    axis = Axis(COURSES["lapsed"], width=1000)

    assert axis.middle(on(400)) - axis.middle(on(5)) < 100 * (axis.middle(on(2)) - axis.middle(on(0)))


def test_days_follow_each_other_without_gap_or_overlap() -> None:
    axis = Axis(year_long(), width=1000, past_scale=0.4)

    assert all(left < right for left, right in zip(axis.edges, axis.edges[1:], strict=False))
    assert len(axis.edges) == axis.last - axis.first + 2
    assert axis.edges[0] == 0
    assert axis.edges[-1] == pytest.approx(1000)


@pytest.mark.parametrize(
    ("name", "width", "units"),
    [
        ("fresh", 1040, {"week"}),
        ("year", 1040, {"week", "month", "quarter"}),
        ("year", 9000, {"day", "week"}),
    ],
)
def test_tick_units_follow_the_room(name: str, width: int, units: set[str]) -> None:
    axis = Axis(COURSES[name], width=width)

    assert {tick.unit for tick in ticks(axis, COURSES[name], label_room=80)} <= units


# ---------------------------------------------------------------------------------------------------- labels


def wish(x: float, *texts: str, reach: float = 5) -> LabelWish:
    return LabelWish("late", 0, x, "below", texts, reach)


def test_label_takes_the_next_lane_then_a_shorter_text_then_none() -> None:
    wishes = [wish(50, "2 days late", "+2") for _ in range(8)]

    placed = place_labels(wishes, width=100, size=11, lanes=2)

    assert [(label.text, label.lane) for label in placed] == [
        ("2 days late", 0),
        ("2 days late", 1),
    ]


def test_label_moves_aside_within_its_reach() -> None:
    placed = place_labels([wish(50, "abc"), wish(60, "abc", reach=15)], width=200, size=11, lanes=1)

    assert placed[0].x == 50
    assert placed[1].x == pytest.approx(50 + text_width("abc", 11) + 6)


def test_label_at_the_edge_moves_inside() -> None:
    (placed,) = place_labels([wish(0, "2 days late")], width=200, size=11, lanes=1)

    assert placed.x == pytest.approx(placed.width / 2)


# ----------------------------------------------------------------------------------------------------- strip


@pytest.mark.parametrize("name", COURSES)
def test_strip_is_small_and_shows_what_matters(name: str) -> None:
    facts = COURSES[name]

    paths = dict(draw_strip(facts).paths)

    kinds = {mark.kind for mark in facts.marks}
    assert sum(map(len, paths.values())) < 1700
    assert {"axis", "today", "flag"} <= set(paths)
    assert ("on" in paths) == ("on_time" in kinds)
    assert ("late" in paths) == ("late" in kinds)
    assert ("early" in paths) == ("early" in kinds)
    assert ("pause" in paths) == bool(facts.pauses)
    assert ("missed" in paths) == bool(kinds & {"no_show", "cancelled_late"})
    assert ("next" in paths) == any(window.role == "next" for window in facts.windows)


def test_strip_marks_each_session_attended_on_time() -> None:
    paths = dict(draw_strip(ribbon(*attended(0, 2, 3), today=4)).paths)

    assert paths["on"].count("M") == 3


def test_chart_is_deterministic() -> None:
    first, second = (draw_chart(eventful(), PlainWords(), width=1040) for _ in range(2))

    assert isinstance(first, Chart)
    assert first == second
