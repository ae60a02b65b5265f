"""What sessions that fall out would do to a course."""

from datetime import date

import pytest

from courses.core.disruption import added_drift, sessions_by
from courses.core.types import Finding, SessionRecord

TODAY, THEN = date(2026, 3, 4), date(2026, 3, 12)


@pytest.mark.parametrize(
    ("day", "status", "then"),
    [
        # Not recorded yet: nobody knows, then as now.
        (3, "booked", "booked"),
        (4, "booked", "attended"),
        (9, "confirmed", "attended"),
        (10, "booked", "cancelled_by_clinic"),
        (11, "confirmed", "cancelled_by_clinic"),
        (12, "booked", "booked"),
        (2, "attended", "attended"),
        (5, "cancelled_by_client", "cancelled_by_client"),
        (10, "planned", "planned"),
    ],
)
def test_session_as_it_will_stand_on_a_later_day(day, status, then):
    session = SessionRecord(date(2026, 3, day), status)
    hit = {date(2026, 3, 10), date(2026, 3, 11)}

    assert sessions_by([session], fallen_out=hit, today=TODAY, on=THEN) == (SessionRecord(session.on, then),)


def test_added_drift_is_what_is_new_or_worse():
    def found(**days):
        return [Finding(kind, "warning", days=number) for kind, number in days.items()]

    without = found(behind=5, overdue=2, unbooked=0)
    within = found(behind=5, booked_late=0, overdue=3, too_frequent=4, unbooked=0)

    assert [(finding.kind, finding.days) for finding in added_drift(without, within)] == [
        ("booked_late", 0),
        ("overdue", 3),
    ]
