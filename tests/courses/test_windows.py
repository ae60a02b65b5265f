"""The days to which a booking may be moved."""

from datetime import timedelta

import pytest

from courses.models import Pause
from courses.services import fit_day, pause_course, record_contraindication, window_for_move
from tests.courses.build import MONDAY, march
from tests.factories import book

pytestmark = pytest.mark.django_db


def days_of(session, *, now=MONDAY):
    """Return number and days of a booking's window, and the days it may be moved to."""
    found = window_for_move(session=session, now=now)
    window = found.window
    numbers = [day.day for day in found.days]
    return (window.session, window.due_from.day, window.due_by.day, numbers) if window else (None, numbers)


def test_window_follows_from_the_bookings_before_and_never_from_the_booking_itself(five):
    first, second, third = (book(five, march(day), now=MONDAY) for day in (2, 4, 5))

    assert days_of(first) == (1, 2, 4, [2, 3])
    assert days_of(second) == (2, 3, 4, [3, 4])
    # Cadence of one to two days: the fourth was the second session's.
    assert days_of(third) == (3, 5, 6, [5, 6])


def test_window_of_the_last_session_ends_where_nothing_more_is_prescribed(five):
    sessions = [book(five, march(day), now=MONDAY) for day in (2, 3, 4, 5, 6, 7)]

    assert days_of(sessions[4])[0] == 5
    assert days_of(sessions[5]) == (None, [])


def test_days_gone_by_paused_or_contraindicated_are_left_out(five, by, client_row):
    session = book(five, march(4), now=MONDAY)
    assert days_of(session) == (1, 2, 4, [2, 3, 4])

    assert days_of(session, now=MONDAY + timedelta(days=1)) == (1, 2, 4, [3, 4])

    record_contraindication(
        client=client_row, condition="influenza", from_on=march(3), to_on=march(3), by=by, now=MONDAY
    )
    assert days_of(session) == (1, 2, 4, [2, 4])

    pause_course(course=five, from_on=march(2), to_on=march(2), reason="travel", by=by, now=MONDAY)
    assert Pause.objects.filter(course=five).exists()
    assert days_of(session)[3][0] == 4


def test_day_is_judged_by_the_bookings_before_it_and_by_what_it_does_to_those_after(five):
    book(five, march(2), now=MONDAY)
    book(five, march(6), now=MONDAY)

    fits = {day: fit_day(courses=[five], on=march(day), now=MONDAY)[five.pk] for day in (3, 5, 9, 11)}

    judged = {
        day: (fit.window.session, fit.late_days, [finding.kind for finding in fit.findings], fit.is_good)
        for day, fit in fits.items()
    }
    assert judged == {
        3: (2, 0, [], True),
        5: (2, 1, [], False),
        9: (3, 0, [], True),
        11: (3, 2, [], False),
    }


def test_day_is_judged_by_the_assessment_with_the_booking(five, client_row, by):
    book(five, march(3), now=MONDAY)
    record_contraindication(
        client=client_row, condition="influenza", from_on=march(4), to_on=march(5), by=by, now=MONDAY
    )

    (fit,) = fit_day(courses=[five], on=march(5), now=MONDAY).values()

    assert [finding.kind for finding in fit.findings] == ["contraindicated"]
    assert not fit.is_good
