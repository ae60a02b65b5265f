"""When a practitioner works: entered by the owner, kept by the calendar, the planner and the booking at once."""

from datetime import date, time, timedelta

import pytest

from audit.models import AuditEvent
from clinics.models import Clinic, PractitionerHours, Role
from courses.services import offer_slots, set_working_hours, working_hours
from tests.factories import actor_of, book
from tests.staff.conftest import NOW, TODAY
from tests.staff.test_today import words_of

MORNINGS = [(1, time(9), time(13)), (2, time(9), time(13)), (2, time(14), time(16))]


@pytest.fixture
def owner(browser_of):
    return browser_of(Role.OWNER)


def address(person):
    return f"/settings/people/{person.code}/hours/"


def typed(*spans, **changes):
    """Return what the form posts for spans of (weekday, starts, ends)."""
    values = {"known": "", "told": ""}
    for place, (weekday, starts, ends) in enumerate(spans):
        nth = sum(one[0] == weekday for one in spans[:place])
        values |= {f"opens_{weekday}_{nth}": starts, f"closes_{weekday}_{nth}": ends}
    return values | changes


def test_hours_are_saved_shown_and_put_on_record(owner, prescriber):
    page = f"/settings/people/{prescriber.code}/"
    assert "Working hours Change The same as the clinic's." in words_of(owner.get(page)).replace(
        "&#x27;", "'"
    )

    answer = owner.post(
        address(prescriber), typed((1, "09:00", "13:00"), (2, "09:00", "13:00"), (2, "14:00", "16:00"))
    )

    assert (answer.status_code, answer["Location"]) == (302, page)
    assert working_hours(prescriber) == MORNINGS
    shown = words_of(owner.get(page))
    assert "Monday: 09:00–13:00 Tuesday: 09:00–13:00, 14:00–16:00" in shown
    event = AuditEvent.objects.get(action="staff.hours_changed")
    assert (event.subject_code, event.old) == (prescriber.code, {"working_hours": []})
    log = words_of(owner.get("/settings/audit/"))
    assert "Working hours changed" in log
    assert "as the clinic's" in log.replace("&#x27;", "'")
    assert "Monday: 09:00–13:00; Tuesday: 09:00–13:00, 14:00–16:00" in log


def test_calendar_planner_and_booking_keep_to_the_hours_at_once(owner, reception, course, prescriber):
    version = Clinic.objects.get().calendar_version

    owner.post(address(prescriber), typed((2, "14:00", "16:00")))

    assert Clinic.objects.get().calendar_version == version + 1
    week = words_of(reception.get("/calendar/"))
    assert "Dr Ozola Mon 9 Mar Does not work Tue 10 Mar 2 h free Wed 11 Mar Does not work" in week
    with_them = [
        slot
        for slot in offer_slots(course=course, now=NOW).slots
        if slot.practitioner == str(prescriber.code)
    ]
    assert {(slot.starts_at.isoweekday(), slot.starts_at.hour) for slot in with_them} <= {(2, 14), (2, 15)}
    refused = reception.post(
        f"/calendar/book/{course.code}/?on=2026-03-10",
        {"on": "2026-03-10", "at": "10:00", "minutes": "45", "practitioner": str(prescriber.code), "room": ""}
        | {"judged": "2026-03-10"},
    )
    assert refused.context["form"].errors == {
        "practitioner": ["The practitioner does not work at that time."]
    }


def test_bookings_outside_are_said_before_the_hours_are_saved(owner, course, prescriber):
    book(course, TODAY + timedelta(days=1), time(17), now=NOW)
    hours = typed((2, "09:00", "13:00"))

    asked = owner.post(address(prescriber), hours)

    assert "1 coming session is booked with them outside these hours." in words_of(asked)
    assert working_hours(prescriber) == []
    told = asked.context["form"].data["told"]
    assert owner.post(address(prescriber), hours | {"told": told}).status_code == 302
    assert working_hours(prescriber) == [(2, time(9), time(13))]
    # Another day's answer is no consent to these hours.
    other = typed((2, "09:00", "12:00"), known="2 09:00 13:00", told=told)
    assert owner.post(address(prescriber), other).status_code == 200


@pytest.mark.parametrize(
    ("spans", "field", "why"),
    [
        ([(1, "13:00", "09:00")], "closes_1_0", "The end must come after the beginning."),
        ([(1, "09:00", "")], "closes_1_0", "Give both times of a span, or neither."),
        ([(1, "09:00", "12:00"), (1, "11:00", "15:00")], "opens_1_1", "Two spans of this day overlap."),
    ],
    ids=["upside down", "half", "overlap"],
)
def test_wrong_hours_are_refused_at_their_field_and_kept(owner, prescriber, spans, field, why):
    answer = owner.post(address(prescriber), typed(*spans))

    assert answer.status_code == 422
    assert answer.context["form"].errors == {field: [why]}
    assert 'value="09:00"' in answer.content.decode()
    assert not PractitionerHours.objects.exists()


def test_hours_that_somebody_else_changed_meanwhile_are_not_overwritten(owner, prescriber):
    page = owner.get(address(prescriber)).context["form"]
    set_working_hours(practitioner=prescriber, hours=MORNINGS, by=actor_of(prescriber), now=NOW)

    answer = owner.post(address(prescriber), typed((3, "09:00", "13:00"), known=page.initial["known"]))

    assert "Somebody has meanwhile changed the hours." in words_of(answer)
    assert working_hours(prescriber) == MORNINGS


def test_no_hours_of_their_own_mean_the_clinics_again(owner, prescriber, course):
    book(course, date(2026, 3, 10), time(17), now=NOW)
    set_working_hours(practitioner=prescriber, hours=MORNINGS, by=actor_of(prescriber), now=NOW)

    known = "1 09:00 13:00;2 09:00 13:00;2 14:00 16:00"
    assert owner.post(address(prescriber), typed(known=known)).status_code == 302
    assert working_hours(prescriber) == []
