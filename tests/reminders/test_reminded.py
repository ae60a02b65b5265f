"""What reports count of messages: whether a reminder of the very slot went out, in the session's row."""

import pytest

from courses.models import TreatmentSession
from courses.services import correct_session, move_session, record_attendance, record_no_show
from reminders.services.reminded import fill_reminded
from tests.reminders.builders import Memory, at, hold_out, make_desk, send_at

pytestmark = pytest.mark.django_db


def reminding(desk):
    return TreatmentSession.objects.get(pk=desk.session.pk).reminding


def attend(desk):
    record_attendance(session=desk.fresh_session(), by=desk.by, now=at("2026-03-04 16:00"))


def test_outcome_notes_that_a_reminder_went_out():
    desk = make_desk()
    send_at("2026-03-03 15:00", Memory())
    before = reminding(desk)

    record_no_show(session=desk.fresh_session(), by=desk.by, now=at("2026-03-04 16:00"))

    assert (before, reminding(desk)) == ("", "sent")


def test_outcome_without_any_message_notes_none():
    desk = make_desk()

    attend(desk)

    assert reminding(desk) == ""


def test_reminder_that_was_held_back_is_noted():
    desk = make_desk()
    hold_out(desk)
    send_at("2026-03-03 15:00", Memory())

    attend(desk)

    assert reminding(desk) == "held_out"


def test_reminder_of_a_slot_that_was_left_does_not_count():
    desk = make_desk()
    send_at("2026-03-03 15:00", Memory())
    move_session(
        session=desk.fresh_session(),
        starts_at=at("2026-03-04 17:00"),
        practitioner=None,
        room=None,
        by=desk.by,
        now=at("2026-03-04 14:50"),
    )

    record_attendance(session=desk.fresh_session(), by=desk.by, now=at("2026-03-04 18:00"))

    assert reminding(desk) == ""


def test_outcome_that_is_taken_back_takes_the_note_with_it():
    desk = make_desk()
    send_at("2026-03-03 15:00", Memory())
    attend(desk)
    noted = reminding(desk)

    correct_session(session=desk.fresh_session(), status="booked", by=desk.by, now=at("2026-03-04 16:30"))

    assert (noted, reminding(desk)) == ("sent", "")


def test_sessions_from_before_it_was_noted_are_filled(django_assert_num_queries):
    desk = make_desk()
    send_at("2026-03-03 15:00", Memory())
    attend(desk)
    TreatmentSession.objects.update(reminding="")

    fill_reminded(desk.course)
    with django_assert_num_queries(2):
        fill_reminded(desk.course)

    assert reminding(desk) == "sent"
