"""Every change that others may want to know of is noted in its own transaction, once, with no word too many."""

import json
from datetime import time, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from courses.models import Flag, TreatmentSession
from courses.services import (
    cancel_session,
    confirm_session,
    correct_session,
    discontinue_course,
    move_session,
    pause_course,
    reassess_due,
    record_arrival,
    record_attendance,
    record_no_show,
    record_walk_in,
    remove_pause,
    resume_course,
    set_target,
)
from hooks.models import HookDelivery
from hooks.services.endpoints import remove_endpoint, switch_endpoint
from tests.courses.build import MONDAY, apply_best, at, fresh_course, march
from tests.factories import StaffMemberFactory, book, intensive, prescribe

pytestmark = pytest.mark.django_db
SHORT = [intensive(sessions_min=1, sessions_max=2, grace_days=1, lapse_days=5)]


def names(told):
    return [event for event, _ in told]


def test_life_of_a_course_is_told_from_its_prescription_to_its_end(add, told, member, by):
    add()
    course = prescribe(member=member, phases=SHORT)
    session = book(course, march(2), time(15), now=MONDAY)
    later = move_session(
        session=session, starts_at=at(march(2), 16), practitioner=member, room=None, by=by, now=MONDAY
    )
    confirm_session(session=later, by=by, now=MONDAY)
    confirm_session(session=later, by=by, now=MONDAY)
    record_arrival(session=later, by=by, now=at(march(2), 15, 55))
    set_target(course=fresh_course(course), target=1, by=by, now=at(march(2), 15, 56))
    record_attendance(session=later, by=by, now=at(march(2), 17), reaction="bruises")

    events = [event for event in names(told()) if not event.startswith("flag.")]
    assert events == [
        "course.prescribed",
        "session.booked",
        "session.moved",
        "session.confirmed",
        "session.arrived",
        "course.changed",
        "session.attended",
        "course.completed",
    ]
    last = told()[-1]
    assert last == (
        "course.completed",
        {
            "clinic": str(course.clinic.code),
            "course": {
                "id": str(course.code),
                "client": str(course.client.code),
                "protocol": str(course.protocol.code),
                "status": "completed",
            },
        },
    )
    attended = next(data for event, data in told() if event == "session.attended")["session"]
    assert attended == {
        "id": str(session.code),
        "status": "attended",
        "on": "2026-03-02",
        "starts_at": "2026-03-02T14:00:00+00:00",
        "ends_at": "2026-03-02T14:45:00+00:00",
        "practitioner": str(member.code),
        "room": None,
    }


def test_nothing_personal_is_told(add, member, by):
    add()
    course = prescribe(member=member)
    session = book(course, march(2), time(15), now=MONDAY)
    pause_course(
        course=course, from_on=march(20), to_on=march(24), reason="illness", by=by, now=MONDAY, note="Flu"
    )
    record_attendance(session=session, by=by, now=at(march(2), 17), reaction="bruises", note="Large")

    said = " ".join(HookDelivery.objects.values_list("body", flat=True))
    names = (course.client.given_name, course.client.family_name, member.display_name)
    assert HookDelivery.objects.count() >= 4
    assert [word for word in (*names, "illness", "Flu", "bruises", "Large") if word in said] == []


def test_pauses_and_what_ends_them_are_told_with_their_days(add, told, course, by):
    add(events=["course.paused", "course.resumed"])
    pause = pause_course(course=course, from_on=march(4), to_on=march(9), reason="travel", by=by, now=MONDAY)
    remove_pause(pause=pause, by=by, now=MONDAY)
    pause_course(course=course, from_on=march(2), to_on=None, reason="illness", by=by, now=MONDAY)
    resume_course(course=course, on=march(3), by=by, now=MONDAY)

    assert [(event, data.get("pause")) for event, data in told()] == [
        ("course.paused", {"from_on": "2026-03-04", "to_on": "2026-03-09"}),
        ("course.resumed", {"from_on": "2026-03-04", "to_on": "2026-03-09"}),
        ("course.paused", {"from_on": "2026-03-02", "to_on": None}),
        ("course.resumed", None),
    ]


def test_flags_are_told_when_they_open_and_when_they_are_resolved(add, told, course, by):
    add(events=["flag.opened", "flag.resolved"])
    reassess_due(now=MONDAY + timedelta(days=9))
    opened = Flag.objects.filter(course=course, resolved_at=None).count()
    discontinue_course(course=fresh_course(course), by=by, now=MONDAY + timedelta(days=9), reason="moved")

    assert opened == 1
    # What was open before anybody listened is resolved all the same.
    assert names(told()) == ["flag.opened", "flag.resolved", "flag.resolved"]
    assert told()[-1][1]["flag"]["resolved_reason"] == "discontinued"


def test_what_is_told_adds_up_to_what_is_true(add, five, member, by):
    """Replayed in order, the events give each session's status and time, whatever wrote them."""
    add()
    apply_best(five, by)
    first, second, third = five.sessions.order_by("on")[:3]
    record_no_show(session=first, by=by, now=at(march(2), 20))
    apply_best(five, by, now=at(march(2), 20))
    second.refresh_from_db()
    confirm_session(session=second, by=by, now=at(march(2), 20))
    correct_session(session=first, status="attended", by=by, now=at(march(2), 21))
    third.refresh_from_db()
    cancel_session(session=third, whose="client", by=by, now=at(march(2), 21))
    correct_session(session=third, status="booked", by=by, now=at(march(2), 21))
    record_walk_in(course=fresh_course(five), on=march(1), by=by, now=at(march(2), 21))
    discontinue_course(course=fresh_course(five), by=by, now=at(march(2), 22), reason="moved away")

    heard = {}
    for row in HookDelivery.objects.filter(event__startswith="session.").order_by("pk"):
        session = json.loads(row.body)["data"]["session"]
        heard[session["id"]] = (session["status"], session["on"], session["starts_at"])
    rows = TreatmentSession.objects.exclude(status="planned")
    assert heard == {
        str(row.code): (
            row.status,
            row.on.isoformat(),
            row.starts_at.isoformat() if row.starts_at else None,
        )
        for row in rows
    }
    assert len(heard) >= 6


def test_each_endpoint_gets_what_it_wants_under_one_id(add, told, course):
    all_of_it, _ = add()
    moves, _ = add(events=["session.moved", "session.booked"], name="Web site")
    add(events=["flag.opened"], name="Nobody's")
    fresh = fresh_course(course)
    book(fresh, march(3), now=MONDAY)

    ids = set(HookDelivery.objects.filter(event="session.booked").values_list("endpoint", "event_id"))
    assert {endpoint for endpoint, _ in ids} == {all_of_it.pk, moves.pk}
    assert len({ident for _, ident in ids}) == 1
    assert names(told(moves)) == ["session.booked"]


def test_change_that_is_rolled_back_is_told_to_nobody(add, told, course):
    add()
    with transaction.atomic():
        book(fresh_course(course), march(3), now=MONDAY)
        assert "session.booked" in names(told())
        transaction.set_rollback(True)

    assert told() == []


def test_clinic_without_endpoints_asks_for_none(course, add, by):
    session = book(course, march(3), now=MONDAY)
    endpoint, _ = add(events=["flag.opened"])
    assert fresh_course(course).clinic.hook_events == ["flag.opened"]

    remove_endpoint(endpoint=endpoint, by=by, now=MONDAY)

    clinic = fresh_course(course).clinic
    assert clinic.hook_events == []
    with CaptureQueriesContext(connection) as asked:
        confirm_session(session=session, by=by, now=MONDAY)
    assert not [query for query in asked if "hooks_" in query["sql"]]


def test_strangers_clinic_hears_nothing(add, told):
    add()
    other = prescribe(member=StaffMemberFactory())
    book(other, march(3), now=MONDAY)

    assert told() == []


def test_paused_endpoint_collects_and_one_that_is_off_does_not(add, told, course, by):
    endpoint, _ = add(events=["session.booked"])
    switch_endpoint(endpoint=endpoint, is_active=False, by=by, now=MONDAY)
    book(fresh_course(course), march(3), now=MONDAY)
    assert names(told()) == ["session.booked"]

    type(endpoint).objects.filter(pk=endpoint.pk).update(state="off", off_reason="gone")
    book(fresh_course(course), march(5), now=MONDAY)

    assert names(told()) == ["session.booked"]
