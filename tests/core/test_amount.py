"""How many sessions a prescription still asks for."""

from datetime import date, timedelta

import pytest

from clinics.core import ClinicCalendar
from courses.core.amount import MOST_AHEAD, count_ahead
from courses.core.cadence import ClientDays
from courses.core.types import Cadence, PauseSpan, PhaseSpec, Prescription

TODAY = date(2026, 3, 2)
FORTNIGHTS = PhaseSpec("maintenance", Cadence.of(1, 14, 14), duration_days=365)


def counted(**values):
    return PhaseSpec("intensive", Cadence.of(1, 1, 2), **values)


def ahead(*phases, attended=(), pauses=()):
    days = ClientDays(ClinicCalendar({7}), pauses, today=TODAY)
    return count_ahead(Prescription(date(2026, 2, 2), phases), attended, days, today=TODAY)


@pytest.mark.parametrize(
    ("phase", "attended", "count"),
    [
        (counted(sessions_min=10, sessions_max=15), 0, 15),
        (counted(sessions_min=10, sessions_max=15, target=12), 0, 12),
        (counted(sessions_min=10, sessions_max=15, target=12), 5, 7),
        (counted(sessions_min=2, sessions_max=2), 2, 0),
    ],
)
def test_counted_phase_asks_for_what_is_not_attended(phase, attended, count):
    dates = [date(2026, 2, 2) + timedelta(days=day) for day in range(attended)]

    assert ahead(phase, attended=dates) == count


def test_year_of_fortnights_asks_for_one_each_and_the_first():
    phase = PhaseSpec("maintenance", Cadence.of(1, 14, 14), duration_days=365)

    assert ahead(phase) == 27


def test_phases_add_up():
    intensive = counted(sessions_min=3, sessions_max=3)
    maintenance = PhaseSpec("maintenance", Cadence.of(1, 14, 14), duration_days=28)

    assert ahead(intensive, maintenance) == 5


def test_pause_asks_for_no_fewer():
    pause = PauseSpan(TODAY, TODAY + timedelta(days=20))

    assert ahead(counted(sessions_min=3, sessions_max=3), pauses=(pause,)) == 3


def test_what_comes_after_today_is_not_attended():
    assert ahead(counted(sessions_min=3, sessions_max=3), attended=[TODAY + timedelta(days=1)]) == 3


def test_endless_phase_stops_at_the_most():
    assert ahead(counted(duration_days=3_660)) == MOST_AHEAD


def test_course_booked_to_its_end_takes_no_more_however_its_bookings_lie():
    days = ClientDays(ClinicCalendar(), (), today=date(2026, 3, 2))
    prescription = Prescription(
        date(2026, 3, 2), (PhaseSpec("intensive", Cadence.of(1, 2, 3), 4, 4), FORTNIGHTS)
    )
    # The third comes late; a year of fortnights counts from the last.
    kept = [date(2026, 3, 2), date(2026, 3, 5), date(2026, 3, 12), date(2026, 3, 14)]

    whole = count_ahead(prescription, (), days, today=date(2026, 3, 2))
    rest = count_ahead(prescription, (), days, today=date(2026, 3, 2), kept=kept)

    assert (whole, rest) == (4 + 26, 26)


def test_booking_in_the_place_of_a_missed_one_leaves_its_own_place_open():
    days = ClientDays(ClinicCalendar(), (), today=date(2026, 3, 2))
    prescription = Prescription(date(2026, 3, 2), (PhaseSpec("intensive", Cadence.of(1, 2, 3), 4, 4),))

    rest = count_ahead(
        prescription, (), days, today=date(2026, 3, 2), kept=[date(2026, 3, 5), date(2026, 3, 8)]
    )

    assert rest == 2
