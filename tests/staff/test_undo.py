"""Undo: the notice after an act takes it back on the same day, or says who has been there since."""

import re
from datetime import date, time, timedelta

import pytest
import time_machine

from audit.models import AuditEvent
from clinics.models import Role
from courses.models import Flag, FlagKind, TreatmentSession
from courses.services import discontinue_course, reassess
from reminders.models import Reminder
from tests.factories import actor_of, book
from tests.staff.conftest import HTMX, NOW, TODAY
from tests.staff.test_today import status_of, url, words_of


def slip_of(response):
    """Return the slip in the notice of an answer, nothing when there is no undo."""
    found = re.search(r'name="slip" value="([^"]+)"', response.content.decode())
    return found[1] if found else ""


def act(browser, session, verb, **sent):
    return slip_of(browser.post(url(session, verb), sent, headers=HTMX))


def undo(browser, slip):
    return browser.post("/undo/", {"slip": slip}, follow=True)


def facts_of(session):
    names = ("status", "on", "starts_at", "ends_at", "practitioner", "room", "confirmed_at", "arrived_at",
             "is_pinned", "outcome_at", "minutes", "reaction", "note", "pain_before", "cancel_reason")  # fmt: skip
    return TreatmentSession.objects.values(*names).get(pk=session.pk)


@pytest.mark.parametrize(
    ("verb", "sent", "status"),
    [
        ("arrive", {}, "arrived"),
        ("confirm", {}, "confirmed"),
        ("miss", {}, "no_show"),
        ("attend", {"reaction": "bruises", "pain_before": "6", "note": "blue"}, "attended"),
        ("cancel", {"whose": "client"}, "cancelled_late"),
        ("cancel", {"whose": "clinic"}, "cancelled_by_clinic"),
    ],
)
def test_act_is_taken_back_whole(reception, session, verb, sent, status):
    before, flags = facts_of(session), set(Flag.objects.filter(resolved_at=None).values_list("kind"))

    slip = act(reception, session, verb, **sent)
    assert status_of(session) == status
    response = undo(reception, slip)

    assert "Anna Berzina: undone." in words_of(response)
    assert facts_of(session) == before
    assert set(Flag.objects.filter(resolved_at=None).values_list("kind")) == flags
    event = AuditEvent.objects.get(action="course.session_undone")
    assert (event.old["status"], event.new["status"]) == (status, "booked")


def test_confirmation_comes_back_with_the_booking(reception, session):
    act(reception, session, "confirm")
    before = facts_of(session)

    undo(reception, act(reception, session, "miss"))

    assert facts_of(session) == before
    assert before["status"] == "confirmed"


def test_restored_session_has_its_messages_again_and_no_others(reception, course):
    session = book(course, TODAY + timedelta(days=3), time(11), now=NOW)

    def waiting():
        rows = Reminder.objects.filter(course=course, state="due").order_by("send_at", "pk")
        return list(rows.values_list("trigger", "about", "send_at"))

    before = waiting()
    assert "before_session" in {trigger for trigger, _about, _at in before}
    slip = act(reception, session, "cancel", whose="clinic")
    assert waiting() != before
    undo(reception, slip)

    assert waiting() == before


def test_undo_twice_changes_nothing_the_second_time(reception, session):
    slip = act(reception, session, "miss")
    undo(reception, slip)

    response = undo(reception, slip)

    assert "Somebody changed this session meanwhile." in words_of(response)
    assert status_of(session) == "booked"


def test_slot_given_away_names_who_has_it_and_the_nearest_time(reception, session, make_course):
    slip = act(reception, session, "cancel", whose="client")
    other = make_course(given_name="Olga", family_name="Zaiceva", attended=())
    book(other, TODAY, time(11), now=NOW, room=session.room, practitioner=session.practitioner)

    response = undo(reception, slip)

    said = words_of(response)
    assert "The practitioner has another booking at that time. Olga Zaiceva has it now." in said
    assert "The nearest free time is" in said
    assert f'href="/courses/{session.course.code}/book/"' in response.content.decode()
    assert status_of(session) == "cancelled_late"
    said = words_of(reception.post(url(session, "undo"), headers=HTMX))
    assert "Olga Zaiceva has it now." in said


def test_undo_is_for_the_same_day_and_for_running_courses(reception, session, prescriber, browser_of):
    slip = act(reception, session, "cancel", whose="clinic")
    with time_machine.travel(NOW + timedelta(hours=15), tick=False):
        assert "This was done on another day." in words_of(undo(browser_of(Role.RECEPTIONIST), slip))
    with time_machine.travel(NOW + timedelta(hours=25), tick=False):
        assert "This can no longer be undone here." in words_of(undo(browser_of(Role.OWNER), slip))
    discontinue_course(course=session.course, by=actor_of(prescriber), now=NOW, reason="moved")

    assert "The course was discontinued." in words_of(undo(reception, slip))
    assert status_of(session) == "cancelled_by_clinic"


def test_slip_of_somebody_else_and_made_up_slips_do_nothing(reception, log_in, session, browser_of):
    slip = act(reception, session, "cancel", whose="clinic")

    assert browser_of(Role.PRACTITIONER).post("/undo/", {"slip": slip}).status_code == 403
    for made_up in ("", "x", slip[:-1]):
        assert "This can no longer be undone here." in words_of(undo(reception, made_up))
    assert status_of(session) == "cancelled_by_clinic"


def test_move_is_taken_back_from_the_calendar_and_the_course(reception, session):
    before = facts_of(session)
    slot = {"on": "2026-03-10", "at": "12:00", "minutes": "45"}
    slot |= {"practitioner": session.practitioner.code, "room": session.room.code}

    page = reception.post(f"/courses/{session.course.code}/sessions/{session.code}/move/", slot, follow=True)
    assert facts_of(session)["on"] == date(2026, 3, 10)
    response = undo(reception, slip_of(page))

    assert response.redirect_chain[-1][0] == f"/courses/{session.course.code}/"
    assert facts_of(session) == before


def test_acknowledgement_is_taken_back(reception, course):
    reassess(course=course, now=NOW)
    flag = Flag.objects.get(course=course, kind=FlagKind.OVERDUE)

    def state():
        return Flag.objects.values_list("acknowledged_at", "acknowledged_by", "snoozed_until_on").get(
            pk=flag.pk
        )

    first = slip_of(reception.post(f"/attention/{flag.code}/acknowledge/", headers=HTMX))
    later = slip_of(
        reception.post(f"/attention/{flag.code}/snooze/", {"until_on": "2026-03-12"}, headers=HTMX)
    )
    assert "Somebody took care of this meanwhile" in words_of(undo(reception, first))
    assert state()[2] == date(2026, 3, 12)
    undo(reception, later)
    assert state()[2] is None
    assert state()[0] is not None

    said = words_of(reception.post(f"/attention/{flag.code}/release/", headers=HTMX))
    assert "on the list again." in said
    assert state() == (None, None, None)


def test_several_put_off_are_put_back_together(reception, course):
    reassess(course=course, now=NOW)
    flag = Flag.objects.get(course=course, kind=FlagKind.OVERDUE)
    sent = {"action": "snooze", "until_on": "2026-03-12", "flag": [f"{flag.code}:{flag.stamp}"]}

    slip = slip_of(reception.post("/attention/selected/", sent, headers=HTMX))
    said = words_of(undo(reception, slip))

    assert "1 finding is on the list again." in said
    flag.refresh_from_db()
    assert (flag.snoozed_until_on, flag.acknowledged_at) == (None, None)


def test_past_outcome_is_corrected_on_the_course_with_a_reason(reception, course):
    wrong = course.sessions.order_by("on").first()
    address = f"/courses/{course.code}/sessions/{wrong.code}/correct/"
    assert "What really happened" in words_of(reception.get(address))
    assert reception.post(address, {"status": "no_show", "reason": ""}, headers=HTMX).status_code == 422
    refused = reception.post(
        address, {"status": "attended", "on": "2026-03-20", "reason": "typo"}, headers=HTMX
    )
    assert refused.status_code == 422
    assert "Outcomes are recorded for today or the past only." in words_of(refused)

    response = reception.post(address, {"status": "no_show", "reason": "wrong client"}, follow=True)

    assert "The session is corrected." in words_of(response)
    assert "corrected: wrong client" in words_of(response)
    wrong.refresh_from_db()
    assert (wrong.status, wrong.correction_reason) == ("no_show", "wrong client")
    assert course.sessions.filter(status="attended").count() == 1
