"""The clinic's details and rooms as verbs: what they refuse, and that twice is harmless."""

from datetime import date, time

import pytest
from django.core.exceptions import ValidationError

from audit.models import AuditEvent
from clinics.models import Clinic, Closure, Room
from clinics.services import rename_room
from courses.models import Flag
from courses.services import change_clinic, close_days, reopen_room, retire_room
from tests.courses.build import MONDAY, march, refused
from tests.factories import RoomFactory, book

pytestmark = pytest.mark.django_db


def actions():
    found = AuditEvent.objects.filter(subject_kind="clinic").order_by("pk")
    return list(found.values_list("action", flat=True))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", " "),
        ("address", "line\nline"),
        ("phone", "call us"),
        ("language", "xx"),
        ("time_zone", "Mars/Base"),
        ("booking_lead_days", 61),
        ("booking_horizon_days", 6),
        ("notice_hours", 169),
        ("longest_pause_days", 0),
        ("slot_step_minutes", 4),
    ],
)
def test_impossible_detail_is_refused_at_its_field(clinic, by, name, value):
    with pytest.raises(ValidationError) as refusal:
        change_clinic(clinic=clinic, values={name: value}, by=by, now=MONDAY)

    assert list(refusal.value.message_dict) == [name]
    assert actions() == []


def test_other_columns_are_no_details(clinic, by):
    with pytest.raises(TypeError):
        change_clinic(clinic=clinic, values={"is_demo": True}, by=by, now=MONDAY)


def test_nothing_changed_leaves_no_trace_and_another_step_makes_plans_stale(clinic, by):
    change_clinic(clinic=clinic, values={"slot_step_minutes": 15}, by=by, now=MONDAY)
    version = Clinic.objects.get().calendar_version
    change_clinic(clinic=clinic, values={"slot_step_minutes": 20}, by=by, now=MONDAY)

    assert (version, Clinic.objects.get().calendar_version) == (1, 2)
    assert actions() == ["clinic.details_changed"]


def test_days_are_closed_at_once_and_flag_what_is_booked_there(course, by):
    book(course, march(3), time(11), now=MONDAY)
    days = {date(2026, 3, 3): "One", date(2026, 3, 4): "Two"}
    arguments = {"clinic": course.clinic, "days": days, "by": by, "now": MONDAY}

    with refused("days_booked"):
        close_days(**arguments, known_bookings=0)
    counts = [close_days(**arguments, known_bookings=known) for known in (1, 0)]

    assert (counts, Closure.objects.count()) == ([2, 0], 2)
    assert Flag.objects.filter(kind="misbooked", resolved_at=None).count() == 1
    assert Clinic.objects.get().calendar_version == 2


def test_room_verbs_are_harmless_twice(clinic, by):
    room = RoomFactory(clinic=clinic, name="Blue")
    for _ in range(2):
        rename_room(room=room, name="Green", by=by, now=MONDAY)
        retire_room(room=room, by=by, now=MONDAY)
    for _ in range(2):
        reopen_room(room=room, by=by, now=MONDAY)

    assert Room.objects.values_list("name", "is_active").get() == ("Green", True)
    assert actions() == ["clinic.room_renamed", "clinic.room_retired", "clinic.room_reopened"]
