"""Booking, moving, confirming and cancelling one session."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from audit.models import AuditEvent
from clinics.models import PractitionerHours
from courses.models import Course, TreatmentSession
from courses.services import (
    add_absence,
    add_closure,
    book_session,
    cancel_session,
    confirm_session,
    move_session,
    pause_course,
    record_arrival,
    record_attendance,
    record_contraindication,
    record_no_show,
)
from tests.courses.build import MONDAY, actions, assert_in_line, at, march, open_kinds, refused, resolved
from tests.factories import RoomFactory, StaffMemberFactory, actor_of, book, prescribe

pytestmark = pytest.mark.django_db


def test_booking_writes_one_row_one_event_and_the_flags(course, member, by, room):
    assert open_kinds(course) == ["unbooked"]

    session = book(course, march(2), now=MONDAY, room=room)

    assert TreatmentSession.objects.filter(pk=session.pk).values().get() == {
        "id": session.pk,
        "code": session.code,
        "clinic_id": course.clinic_id,
        "course_id": course.pk,
        "client_id": course.client_id,
        "status": "booked",
        "on": march(2),
        "starts_at": datetime(2026, 3, 2, 8, tzinfo=UTC),
        "ends_at": datetime(2026, 3, 2, 8, 45, tzinfo=UTC),
        "practitioner_id": member.pk,
        "room_id": room.pk,
        "is_pinned": True,
        "why": [],
        "version": 1,
        "created_at": MONDAY,
        "confirmed_at": None,
        "arrived_at": None,
        "outcome_at": None,
        "outcome_by_id": None,
        "cancel_reason": "",
        "correction_reason": "",
        "minutes": None,
        "reaction": "",
        "pain_before": None,
        "pain_after": None,
        "treatments": [],
        "note": "",
        "verdict": "",
        "verdict_days": 0,
        "late_cause": "",
        "reminding": "",
    }
    assert actions(course) == ["course.prescribed", "course.session_booked"]
    assert resolved(course) == [("unbooked", "rebooked")]
    assert_in_line(course, now=MONDAY)


def test_booking_bumps_the_version_of_the_course(course):
    version = course.version

    book(course, march(2), now=MONDAY)

    course.refresh_from_db()
    assert course.version == version + 1


def test_booking_on_a_day_planned_by_date_takes_its_place(course):
    TreatmentSession.objects.create(
        clinic=course.clinic,
        course=course,
        client=course.client,
        status="planned",
        on=march(4),
        created_at=MONDAY,
    )

    book(course, march(4), now=MONDAY)

    assert list(course.sessions.values_list("on", "status")) == [(march(4), "booked")]


@pytest.mark.parametrize(
    ("starts_at", "minutes", "code", "field"),
    [
        (at(march(2), 7, 59), 45, "slot_past", "starts_at"),
        (at(march(8), 10), 45, "clinic_closed", "starts_at"),
        (at(march(2), 8, 59), 45, "outside_hours", "starts_at"),
        (at(march(2), 18, 16), 45, "outside_hours", "starts_at"),
        (at(march(2), 10), 0, "minutes_out_of_range", "minutes"),
        (at(march(2), 10), 601, "minutes_out_of_range", "minutes"),
        (datetime(9999, 12, 30, 10, tzinfo=UTC), 45, "slot_too_far", "starts_at"),
    ],
)
def test_slot_that_cannot_be_is_refused(course, member, by, starts_at, minutes, code, field):
    with refused(code, field):
        book_session(
            course=course,
            starts_at=starts_at,
            minutes=minutes,
            practitioner=member,
            room=None,
            by=by,
            now=MONDAY,
        )


def test_slot_may_end_with_the_day_and_start_now(course, member, by):
    last = book(course, march(2), time(18, 15), now=MONDAY)
    first = book(course, march(3), time(9), now=at(march(3), 9))

    assert (last.ends_at, first.starts_at) == (at(march(2), 19), at(march(3), 9))


@pytest.mark.parametrize(
    "day", [date(2026, 3, 28), date(2026, 3, 30), date(2026, 10, 24), date(2026, 10, 26)]
)
def test_opening_hours_are_wall_times_on_both_sides_of_a_clock_change(course, day):
    session = book(course, day, time(9), now=at(day, 8))

    assert session.starts_at.astimezone(UTC).hour == (
        7 if (day.month == 3 and day.day < 29) or day.day == 26 else 6
    )
    assert session.on == day


def test_closed_days_absences_and_pauses_are_refused(course, member, by):
    add_closure(clinic=course.clinic, from_on=march(9), to_on=march(9), by=by, now=MONDAY)
    add_absence(practitioner=member, from_on=march(10), to_on=march(10), by=by, now=MONDAY)
    pause_course(course=course, from_on=march(11), to_on=march(11), reason="travel", by=by, now=MONDAY)

    with refused("clinic_closed", "starts_at"):
        book(course, march(9), now=MONDAY)
    with refused("practitioner_absent", "practitioner"):
        book(course, march(10), now=MONDAY)
    with refused("course_paused", "starts_at"):
        book(course, march(11), now=MONDAY)


def test_practitioners_hours_narrow_the_clinics(course, member):
    PractitionerHours.objects.create(
        clinic=course.clinic, practitioner=member, weekday=1, starts_time=time(12), ends_time=time(15)
    )

    with refused("practitioner_off", "practitioner"):
        book(course, march(2), time(11, 45), now=MONDAY)
    with refused("practitioner_off", "practitioner"):
        book(course, march(3), time(12), now=MONDAY)
    assert book(course, march(2), time(12), now=MONDAY).on == march(2)


def test_active_condition_is_refused_and_a_caution_is_not(course, by):
    record_contraindication(
        client=course.client, condition="influenza", from_on=march(3), to_on=march(4), by=by, now=MONDAY
    )

    with refused("contraindicated", "starts_at"):
        book(course, march(4), now=MONDAY)
    course.protocol.contraindications.filter(condition="influenza").update(strength="caution")
    assert book(course, march(4), now=MONDAY).on == march(4)


def test_foreign_and_idle_practitioners_and_rooms_are_refused(course, foreign_member):
    idle = StaffMemberFactory(clinic=course.clinic, is_treating=False)
    gone = RoomFactory(clinic=course.clinic, is_active=False)

    for person in (foreign_member, idle):
        with refused("practitioner_unknown", "practitioner"):
            book(course, march(2), now=MONDAY, practitioner=person)
    for room in (RoomFactory(), gone):
        with refused("room_unknown", "room"):
            book(course, march(2), now=MONDAY, room=room)


def test_practitioner_room_and_client_are_never_booked_twice(course, member, room, client_row):
    book(course, march(2), time(10), now=MONDAY, room=room)
    others = prescribe(member=member)
    same = prescribe(member=member, client=client_row, protocol=course.protocol)
    second = StaffMemberFactory(clinic=course.clinic)

    with refused("slot_taken", "practitioner"):
        book(others, march(2), time(10, 44), now=MONDAY)
    with refused("slot_taken", "room"):
        book(others, march(2), time(9, 30), now=MONDAY, practitioner=second, room=room)
    with refused("slot_taken", "client"):
        book(same, march(2), time(10), now=MONDAY, practitioner=second)
    assert book(others, march(2), time(10, 45), now=MONDAY, room=room).on == march(2)


def test_second_session_of_a_course_on_a_day_is_refused(course):
    book(course, march(2), time(10), now=MONDAY)

    with refused("day_taken", "starts_at"):
        book(course, march(2), time(15), now=MONDAY)


def test_move_keeps_one_row_and_asks_again_for_confirmation(course, member, by, room):
    session = confirm_session(session=book(course, march(2), now=MONDAY), by=by, now=MONDAY)

    moved = move_session(
        session=session, starts_at=at(march(3), 12), practitioner=member, room=room, by=by, now=MONDAY
    )

    assert (moved.pk, moved.status, moved.confirmed_at, moved.version) == (session.pk, "booked", None, 2)
    assert (moved.on, moved.ends_at - moved.starts_at) == (march(3), timedelta(minutes=45))
    event = AuditEvent.objects.filter(action="course.session_moved").get()
    assert event.old == {
        "status": "confirmed",
        "on": "2026-03-02",
        "starts_at": "2026-03-02T08:00:00+00:00",
        "room": None,
    }
    assert event.new == {
        "session": str(session.code),
        "status": "booked",
        "on": "2026-03-03",
        "starts_at": "2026-03-03T10:00:00+00:00",
        "room": str(room.code),
    }
    assert_in_line(course, now=MONDAY)


def test_move_of_what_has_begun_is_refused(course, member, by):
    session = book(course, march(2), time(10), now=MONDAY)

    with refused("session_past", "starts_at"):
        move_session(
            session=session,
            starts_at=at(march(3), 10),
            practitioner=member,
            room=None,
            by=by,
            now=at(march(2), 10),
        )


def test_move_of_a_session_that_others_moved_since_is_refused(course, member, by):
    session = book(course, march(2), now=MONDAY)
    here = {"practitioner": member, "room": None, "by": by, "now": MONDAY, "seen_version": session.version}
    move_session(session=session, starts_at=at(march(3), 12), **here)

    with refused("stale", "session"):
        move_session(session=session, starts_at=at(march(3), 15), **here)


def test_move_into_a_taken_slot_leaves_the_booking_where_it_was(course, member, by):
    book(prescribe(member=member), march(3), time(12), now=MONDAY)
    session = book(course, march(2), now=MONDAY)

    with refused("slot_taken", "practitioner"):
        move_session(
            session=session, starts_at=at(march(3), 12), practitioner=member, room=None, by=by, now=MONDAY
        )


def test_move_of_one_planned_by_date_takes_the_prescribed_length(course, member, by):
    planned = TreatmentSession.objects.create(
        clinic=course.clinic,
        course=course,
        client=course.client,
        status="planned",
        on=march(3),
        created_at=MONDAY,
    )

    moved = move_session(
        session=planned, starts_at=at(march(3), 12), practitioner=member, room=None, by=by, now=MONDAY
    )

    assert (moved.status, moved.ends_at - moved.starts_at) == ("booked", timedelta(minutes=60))


def test_confirming_twice_changes_nothing(course, by):
    session = book(course, march(2), now=MONDAY)

    first = confirm_session(session=session, by=by, now=MONDAY)
    second = confirm_session(session=session, by=by, now=MONDAY + timedelta(minutes=1))

    assert (first.status, first.confirmed_at, first.version) == ("confirmed", MONDAY, 1)
    assert second.confirmed_at == MONDAY
    assert actions(course).count("course.session_confirmed") == 1


def test_confirming_a_day_that_has_passed_is_refused(course, by):
    session = book(course, march(2), now=MONDAY)

    with refused("session_past", "session"):
        confirm_session(session=session, by=by, now=at(march(3), 0))


@pytest.mark.parametrize(
    ("now", "status"),
    [
        (at(march(2), 10), "cancelled_by_client"),
        (at(march(2), 10) + timedelta(seconds=1), "cancelled_late"),
        (at(march(4), 10), "cancelled_late"),
    ],
)
def test_cancelling_for_the_client_is_late_inside_the_notice_time(course, by, now, status):
    session = book(course, march(3), time(10), now=MONDAY)

    found = cancel_session(session=session, whose="client", by=by, now=now, reason=" ill ")

    assert (found.status, found.outcome_at, found.outcome_by_id, found.cancel_reason, found.version) == (
        status,
        now,
        by.staff_member_id,
        "ill",
        2,
    )
    assert_in_line(course, now=now)


def test_cancelling_for_the_clinic_is_never_late(course, by):
    session = book(course, march(2), time(10), now=MONDAY)

    found = cancel_session(session=session, whose="clinic", by=by, now=at(march(2), 9, 59))

    assert found.status == "cancelled_by_clinic"
    assert open_kinds(course) == ["unbooked"]


def test_cancelling_twice_or_for_nobody_is_refused(course, by):
    session = book(course, march(2), now=MONDAY)

    with refused("unknown_canceller", "whose"):
        cancel_session(session=session, whose="weather", by=by, now=MONDAY)
    with refused("text_too_long", "reason"):
        cancel_session(session=session, whose="client", by=by, now=MONDAY, reason="x" * 201)
    with refused("text_unreadable", "reason"):
        cancel_session(session=session, whose="client", by=by, now=MONDAY, reason="a\0b")
    cancel_session(session=session, whose="client", by=by, now=MONDAY)
    with refused("transition_refused", "status"):
        cancel_session(session=session, whose="clinic", by=by, now=MONDAY)


def test_free_text_never_reaches_the_audit_trail(course, by):
    session = book(course, march(2), now=MONDAY)

    cancel_session(session=session, whose="client", by=by, now=MONDAY, reason="Anna has influenza")

    told = AuditEvent.objects.values_list("old", "new")
    assert "nna" not in str(list(told))
    assert "influenza" not in str(list(told))


@pytest.mark.parametrize("verb", ["move", "confirm", "cancel", "arrive", "attend", "miss"])
def test_outcome_on_record_is_changed_by_correction_only(course, member, by, verb):
    session = record_no_show(session=book(course, march(2), now=MONDAY), by=by, now=at(march(2), 12))
    now = at(march(2), 13)
    acts = {
        "move": lambda: move_session(
            session=session, starts_at=at(march(3), 10), practitioner=member, room=None, by=by, now=now
        ),
        "confirm": lambda: confirm_session(session=session, by=by, now=now),
        "cancel": lambda: cancel_session(session=session, whose="client", by=by, now=now),
        "arrive": lambda: record_arrival(session=session, by=by, now=now),
        "attend": lambda: record_attendance(session=session, by=by, now=now),
        "miss": lambda: record_no_show(session=session, by=by, now=now),
    }

    with refused("transition_refused", "status"):
        acts[verb]()


def test_draft_and_finished_courses_take_no_booking(course, by):
    Course.objects.filter(pk=course.pk).update(status="completed", ended_at=MONDAY)

    with refused("course_not_open"):
        book(course, march(2), now=MONDAY)
    Course.objects.filter(pk=course.pk).update(status="draft", ended_at=None, activated_at=None)
    with refused("course_not_open"):
        book(course, march(2), now=MONDAY)


def test_system_may_cancel_without_a_staff_member(course):
    session = book(course, march(2), now=MONDAY)
    outsider = actor_of(course.prescribed_by)

    found = cancel_session(session=session, whose="clinic", by=type(outsider)("system"), now=MONDAY)

    assert found.outcome_by_id is None
