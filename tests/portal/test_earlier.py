"""Waiting for an earlier time: who is asked when one becomes free, and that the first who takes it has it."""

import re
from datetime import date, time
from urllib.parse import urlsplit

import pytest
from django.test import Client as Browser

from audit.models import AuditEvent
from clients.models import Client
from courses.errors import CourseError
from courses.models import EarlierSlot, FreedSlot, SessionStatus, TreatmentSession, Waiting
from courses.services import (
    add_absence,
    add_closure,
    cancel_session,
    discontinue_course,
    move_session,
    offer_freed_slots,
    pause_course,
    stop_waiting,
    wait_for_earlier,
)
from courses.services.waiting import ASKED_AT_ONCE
from reminders.models import Answer, Reminder
from reminders.services.answering import actor_of, take_earlier_by_client
from reminders.services.earlier import tell_earlier_slots
from tests.courses.build import apply_best
from tests.factories import StaffMemberFactory, book, prescribe
from tests.portal.conftest import words
from tests.races import race, shared_database
from tests.reminders.builders import NOW, Memory, at, make_desk, send_at

pytestmark = pytest.mark.django_db

WEDNESDAY = date(2026, 3, 4)


def waiting_visit(member, *, hour=16, on=WEDNESDAY, starts=NOW):
    """Book a further client's visit that would come earlier."""
    course = prescribe(now=NOW, member=member)
    session = book(course, on, time(hour), now=NOW)
    wait_for_earlier(session=session, by=actor_of(course.client), now=starts)
    return session


def free(desk, *, now=NOW):
    """Cancel the desk's visit; offer what it leaves and tell of it; return how many were asked."""
    cancel_session(session=desk.session, whose="clinic", by=desk.by, now=now)
    number = offer_freed_slots(now=now)
    tell_earlier_slots(now=now)
    return number


# ------------------------------------------------------------------------------------------------ who is asked


def test_freed_slot_is_offered_once_by_a_message_and_taken_from_its_page(visitor, clock):
    desk = visitor.desk
    waiting = waiting_visit(desk.course.prescribed_by)
    mail = Memory()

    assert free(desk) == 1
    assert (offer_freed_slots(now=NOW), tell_earlier_slots(now=NOW)) == (0, 0)
    send_at("2026-03-02 08:01", mail)
    sent = next(one for one in mail.messages if one.subject == "An earlier time is free")
    browser = Browser()
    page = browser.get(urlsplit(re.search(r"http\S+/c/v/\S+", sent.text)[0]).path, follow=True)
    take = re.search(r'action="([^"]+/earlier/[^"]+)"', page.content.decode())[1]
    course = browser.get(re.search(r'href="(/c/course/[^"]+)"', page.content.decode())[1])
    once = browser.post(take, follow=True)
    twice = browser.post(take, follow=True)

    assert "Wednesday, 4 March, 15:00" in sent.text
    assert "An earlier time is free: Look" in words(course)
    assert "An earlier time is free Wednesday, 4 March, 15:00 Take it" in words(page)
    for shown in (once, twice):
        assert "Done. This is your new time. Day Wednesday, 4 March Time 15:00–15:45" in words(shown)
    moved = TreatmentSession.objects.get(pk=waiting.pk)
    assert (moved.starts_at, moved.practitioner_id) == (desk.session.starts_at, desk.session.practitioner_id)
    assert not Waiting.objects.filter(ended_at=None).exists()
    assert [answer.kind for answer in Answer.objects.all()] == ["move"]
    assert AuditEvent.objects.filter(action__startswith="course.waiting_").count() == 2


def test_those_who_waited_longest_are_asked_a_few_at_once():
    desk = make_desk()
    member = desk.course.prescribed_by
    hours = [(on, hour) for on in (4, 5) for hour in (9, 10, 11, 16, 17)]
    # Of those booked on the 4th only two come after three o'clock; every day here lies in the window's reach.
    late = [
        waiting_visit(member, hour=hour, on=date(2026, 3, on), starts=NOW)
        for on, hour in hours
        if (on, hour) > (4, 15)
    ]

    assert free(desk) == ASKED_AT_ONCE
    asked = EarlierSlot.objects.order_by("pk").values_list("waiting__session", flat=True)
    assert list(asked) == [session.pk for session in late[:ASKED_AT_ONCE]]


def test_bookings_of_a_course_that_is_given_up_are_offered_too():
    desk = make_desk()
    waiting_visit(desk.course.prescribed_by)

    discontinue_course(course=desk.course, reason="moved away", by=desk.by, now=NOW)

    assert offer_freed_slots(now=NOW) == 1


def test_slot_that_a_replanned_booking_leaves_is_offered():
    desk = make_desk()
    waiting = waiting_visit(desk.course.prescribed_by)
    left = desk.session.starts_at
    # On hold that week, the course is planned anew after it, as far as no person chose the time.
    TreatmentSession.objects.filter(pk=desk.session.pk).update(is_pinned=False)
    pause_course(
        course=desk.course,
        from_on=date(2026, 3, 3),
        to_on=date(2026, 3, 8),
        reason="illness",
        by=desk.by,
        now=NOW,
    )
    apply_best(desk.course, desk.by, NOW)

    assert offer_freed_slots(now=NOW) == 1
    offer = EarlierSlot.objects.select_related("freed", "waiting").get()
    assert (offer.freed.starts_at, offer.waiting.session_id) == (left, waiting.pk)


def test_slot_that_one_leaves_and_another_takes_is_offered_to_nobody():
    desk = make_desk()
    waiting_visit(desk.course.prescribed_by)
    other = prescribe(now=NOW, member=desk.course.prescribed_by)
    move_session(
        session=desk.session,
        starts_at=at("2026-03-04 10:00"),
        practitioner=desk.session.practitioner,
        room=None,
        by=desk.by,
        now=NOW,
    )
    book(other, WEDNESDAY, time(15), now=NOW)

    assert FreedSlot.objects.count() == 1
    assert offer_freed_slots(now=NOW) == 0


@pytest.mark.parametrize("why", ["away", "closed"])
def test_what_a_disruption_leaves_is_offered_only_where_somebody_could_come(why):
    desk = make_desk()
    waiting_visit(desk.course.prescribed_by)
    person = desk.session.practitioner
    if why == "away":
        add_absence(practitioner=person, from_on=WEDNESDAY, to_on=WEDNESDAY, by=desk.by, now=NOW)
    else:
        add_closure(clinic=person.clinic, from_on=WEDNESDAY, to_on=WEDNESDAY, by=desk.by, now=NOW)
    desk.session.refresh_from_db()
    freed = FreedSlot.objects.count()
    cancel_session(session=desk.session, whose="clinic", by=desk.by, now=NOW)

    assert FreedSlot.objects.count() == freed + 1
    assert offer_freed_slots(now=NOW) == 0


@pytest.mark.parametrize("why", ["stopped", "earlier already", "too soon", "busy", "outside the window"])
def test_nobody_is_asked_for_whom_it_would_be_wrong(why):
    desk = make_desk()
    member = desk.course.prescribed_by
    if why == "earlier already":
        waiting_visit(member, hour=11)
        assert free(desk) == 0
        assert not FreedSlot.objects.exists()
        return
    session = waiting_visit(member, on=date(2026, 3, 5) if why == "outside the window" else WEDNESDAY)
    now = NOW
    if why == "stopped":
        stop_waiting(session=session, by=actor_of(session.client), now=NOW)
    elif why == "too soon":
        now = at("2026-03-04 13:00")
    elif why == "busy":
        other = prescribe(now=NOW, member=member, client=session.client)
        colleague = StaffMemberFactory(clinic=member.clinic)
        book(other, WEDNESDAY, time(14, 30), now=NOW, practitioner=colleague)
    else:
        # Two are booked before it, so that the 4th would be too soon.
        for on in (3, 4):
            book(session.course, date(2026, 3, on), time(9), now=NOW)

    assert free(desk, now=now) == 0
    assert not EarlierSlot.objects.exists()


def test_message_waits_for_the_end_of_quiet_hours_and_is_dropped_once_the_slot_is_gone():
    desk = make_desk()
    waiting = waiting_visit(desk.course.prescribed_by)
    Client.objects.filter(pk=waiting.client_id).update(quiet_from_time=time(8), quiet_to_time=time(9))

    free(desk)
    row = Reminder.objects.get(trigger="earlier_slot")
    EarlierSlot.objects.update(outcome="lost")
    send_at("2026-03-02 09:00", Memory())

    row.refresh_from_db()
    assert (row.send_at, row.state, row.decision_reason) == (
        at("2026-03-02 09:00"),
        "cancelled",
        "not_needed",
    )


def test_offer_that_is_over_is_refused_and_the_visit_stays():
    desk = make_desk()
    waiting = waiting_visit(desk.course.prescribed_by)
    free(desk)
    offer = EarlierSlot.objects.select_related("freed", "waiting__session__course").get()

    late = take_earlier_by_client(offer=offer, client=waiting.client, via="link", now=offer.expires_at)

    assert late.refusal == "offer_gone"
    assert TreatmentSession.objects.get(pk=waiting.pk).starts_at == waiting.starts_at


@pytest.mark.parametrize("waits", [False, True])
def test_nothing_is_said_of_earlier_times_where_none_can_be_offered_any_more(visitor, clock, waits):
    """What begins within three hours of its being told is offered to nobody."""
    desk = visitor.desk
    if waits:
        wait_for_earlier(session=desk.session, by=actor_of(visitor.client), now=NOW)

    clock.move_to(at("2026-03-04 11:59"))
    before = words(visitor.open())
    clock.move_to(at("2026-03-04 12:00"))
    after = words(visitor.open())

    assert ("No longer tell me" if waits else "Tell me when an earlier time becomes free") in before
    assert [said for said in ("earlier", "No longer") if said in after] == []
    with pytest.raises(CourseError, match="does not begin soon"):
        wait_for_earlier(session=desk.session, by=actor_of(visitor.client), now=at("2026-03-04 12:00"))


def test_strangers_offer_is_not_to_be_had(visitor):
    waiting = waiting_visit(visitor.desk.course.prescribed_by)
    other = waiting_visit(visitor.desk.course.prescribed_by, hour=11, on=date(2026, 3, 5))
    free(visitor.desk)
    offer = EarlierSlot.objects.filter(waiting__session=waiting).select_related("freed", "waiting").get()
    visitor.open()

    assert visitor.browser.post(f"{visitor.page}earlier/{offer.code}/").status_code == 404
    with pytest.raises(CourseError):
        take_earlier_by_client(offer=offer, client=other.client, via="link", now=NOW)


# ------------------------------------------------------------------------------------------------ two at once


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_two_who_race_for_one_slot_fifty_times_exactly_one_has_it(tmp_path):
    desk = make_desk()
    member = desk.course.prescribed_by
    rivals = [waiting_visit(member, hour=hour) for hour in (16, 17)]
    free(desk)
    offers = list(EarlierSlot.objects.select_related("freed__practitioner", "waiting__session__course"))
    homes = {session.pk: (session.starts_at, session.ends_at) for session in rivals}
    results = []

    def take(offer):
        client = Client.objects.get(pk=offer.waiting.session.client_id)
        answer = take_earlier_by_client(offer=offer, client=client, via="link", now=NOW)
        if answer.refusal:
            raise CourseError("Too late.", code=answer.refusal)

    with shared_database(tmp_path):
        for _ in range(50):
            results.append(race([lambda offer=offer: take(offer) for offer in offers]))
            held = TreatmentSession.objects.filter(
                status__in=(SessionStatus.BOOKED,), starts_at=desk.session.starts_at
            )
            assert held.count() == 1
            for pk, (starts_at, ends_at) in homes.items():
                TreatmentSession.objects.filter(pk=pk).update(starts_at=starts_at, ends_at=ends_at)
            EarlierSlot.objects.update(outcome="")
            Waiting.objects.update(ended_at=None)
            Answer.objects.all().delete()

    assert {tuple(sorted(result.values())) for result in results} == {(1, 1)}
    assert {word for result in results for word in result} <= {"won", "slot_taken", "offer_gone", "busy"}
    assert sum(result["won"] for result in results) == 50
