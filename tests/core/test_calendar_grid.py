"""The calendar's geometry, in minutes since midnight."""

import pytest

from staff.core.calendar_grid import (
    Lane,
    Place,
    Span,
    common_spans,
    cut_spans,
    fit_axis,
    join_spans,
    place_of,
    share_lanes,
    sum_minutes,
)

NINE, TEN, NOON, SIX = 540, 600, 720, 1080


@pytest.mark.parametrize(
    ("spans", "axis"),
    [
        pytest.param([], (NINE, SIX), id="nothing known"),
        pytest.param([(NINE, SIX)], (NINE, SIX), id="whole hours"),
        pytest.param([(510, 1110)], (480, 1140), id="half hours widen"),
        pytest.param([(NINE, SIX), (465, 500)], (420, SIX), id="a session before opening"),
        pytest.param([(600, 600)], (600, 660), id="never without height"),
        pytest.param([(1425, 1440)], (1380, 1440), id="up to midnight"),
    ],
)
def test_axis_holds_everything_in_whole_hours(spans, axis):
    assert fit_axis(Span(*span) for span in spans) == axis


@pytest.mark.parametrize(
    ("span", "place"),
    [
        pytest.param((NINE, 585), (9, 0, 0, 45), id="on the hour"),
        pytest.param((555, 645), (9, 15, 1, 30), id="over an hour"),
        pytest.param((557, 563), (9, 15, 0, 10), id="between steps"),
        pytest.param((NINE, NINE), (9, 0, 0, 5), id="never invisible"),
        pytest.param((0, 1440), (0, 0, 24, 0), id="a whole day"),
    ],
)
def test_place_is_said_in_steps(span, place):
    assert place_of(Span(*span)) == Place(*place)


@pytest.mark.parametrize(
    ("spans", "lanes"),
    [
        pytest.param([], [], id="none"),
        pytest.param([(NINE, TEN), (TEN, NOON)], [(0, 1), (0, 1)], id="one after the other"),
        pytest.param([(NINE, 630), (TEN, NOON)], [(0, 2), (1, 2)], id="two at once"),
        pytest.param([(TEN, NOON), (NINE, 630)], [(1, 2), (0, 2)], id="order given is kept"),
        pytest.param(
            [(NINE, 630), (TEN, NOON), (640, 700), (NOON, SIX)],
            [(0, 2), (1, 2), (0, 2), (0, 1)],
            id="lane used again, then a group of its own",
        ),
        pytest.param([(NINE, TEN)] * 8, [(n % 6, 6) for n in range(8)], id="more than there are lanes"),
    ],
)
def test_lanes_keep_sessions_apart(spans, lanes):
    assert share_lanes([Span(*span) for span in spans]) == [Lane(*lane) for lane in lanes]


@pytest.mark.parametrize(
    ("spans", "holes", "left"),
    [
        pytest.param([(NINE, SIX)], [], [(NINE, SIX)], id="nothing cut"),
        pytest.param([(NINE, SIX)], [(0, 1440)], [], id="all cut"),
        pytest.param([(NINE, SIX)], [(NOON, 780)], [(NINE, NOON), (780, SIX)], id="a break"),
        pytest.param([(NINE, SIX)], [(0, TEN), (NOON, 1440)], [(TEN, NOON)], id="both ends"),
        pytest.param([(NINE, NOON), (780, SIX)], [(NOON, 780)], [(NINE, NOON), (780, SIX)], id="touching"),
    ],
)
def test_cut_leaves_what_is_outside_the_holes(spans, holes, left):
    found = cut_spans([Span(*span) for span in spans], [Span(*hole) for hole in holes])

    assert found == [Span(*span) for span in left]


def test_hours_of_a_practitioner_count_within_the_clinics():
    clinic, practitioner = [Span(NINE, NOON), Span(780, SIX)], [Span(480, TEN), Span(660, 900)]

    assert common_spans(clinic, practitioner) == [(NINE, TEN), (660, NOON), (780, 900)]


def test_sessions_at_once_are_counted_once():
    spans = [Span(NINE, TEN), Span(570, 630), Span(630, 660), Span(NOON, 765)]

    assert join_spans(spans) == [(NINE, 660), (NOON, 765)]
    assert sum_minutes(spans) == 165
