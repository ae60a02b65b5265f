"""Free slots for a booking that is to be moved, and what each of them does to the course."""

import pytest

from courses.core.types import Cadence
from courses.errors import CourseError
from courses.services import discontinue_course, offer_moves
from tests.courses.build import MONDAY, march
from tests.factories import book, intensive, prescribe

pytestmark = pytest.mark.django_db


@pytest.fixture
def every_other_day(member, client_row, protocol):
    phases = [intensive(cadence=Cadence.of(1, 2, 3))]
    return prescribe(member=member, client=client_row, protocol=protocol, phases=phases)


def by_day(session, **options):
    """Return for each day offered how late it is, how much too soon others come, and how many slots it has."""
    found = {}
    for slot in offer_moves(session=session, now=MONDAY, **options).slots:
        day = slot.starts_at.day
        *_effects, number = found.get(day, (0, 0, 0))
        found[day] = (slot.late_days, slot.early_days, number + 1)
    return found


def test_days_of_the_window_come_first_and_later_ones_say_how_late(five):
    session = book(five, march(4), now=MONDAY)

    # The window of the first session is Monday to Wednesday; Sunday the clinic is closed.
    assert by_day(session) == {
        2: (0, 0, 3),
        3: (0, 0, 3),
        4: (0, 0, 3),
        5: (1, 0, 3),
        6: (2, 0, 3),
        7: (3, 0, 3),
    }


def test_slot_that_it_has_is_not_offered_and_its_own_time_is_no_obstacle(five):
    session = book(five, march(4), now=MONDAY)

    offered = [slot.starts_at for slot in offer_moves(session=session, now=MONDAY, per_day=12).slots]

    assert session.starts_at not in offered
    assert len(offered) == len(set(offered)) > 20


def test_days_of_other_sessions_are_left_out_and_those_too_near_are_said(every_other_day):
    first, _second = (book(every_other_day, march(day), now=MONDAY) for day in (2, 5))

    # Two days apart: the 4th would bring the visit of the 5th a day too soon, the 6th would itself be too soon.
    assert by_day(first, day_count=4) == {2: (0, 0, 3), 3: (0, 0, 3), 4: (0, 1, 3), 6: (1, 1, 3)}


def test_course_that_is_over_has_nothing_to_offer(five, by):
    session = book(five, march(4), now=MONDAY)
    discontinue_course(course=five, reason="moved away", by=by, now=MONDAY)
    session.refresh_from_db()

    with pytest.raises(CourseError) as refused:
        offer_moves(session=session, now=MONDAY)

    assert refused.value.code == "course_not_open"
