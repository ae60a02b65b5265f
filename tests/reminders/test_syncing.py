"""Rows follow the course in the transaction that changes it."""

from datetime import date, time, timedelta

import pytest
from django.db import transaction

from clients.models import Consent, ContactPoint
from courses.models import Course
from courses.services import (
    add_closure,
    cancel_session,
    confirm_session,
    discontinue_course,
    move_session,
    pause_course,
    record_attendance,
    record_no_show,
    remove_closure,
    remove_pause,
    set_opening_hours,
)
from reminders.models import ChannelAccount, Reminder, ReminderRule
from reminders.services import run_tick, seed_rules, sync_course_reminders, sync_reminders_of
from tests.factories import ClinicFactory, actor_of, book, prescribe
from tests.reminders.builders import NOW, at, make_desk, riga, send_at

pytestmark = pytest.mark.django_db


def test_booking_creates_its_messages():
    desk = make_desk()

    rows = Reminder.objects.filter(state="due").order_by("send_at")
    assert [(r.rule.slug, riga(r.send_at), riga(r.expires_at), r.channel) for r in rows] == [
        ("schedule", "2026-03-02 08:03", "2026-03-03 08:03", "email"),
        ("day-before", "2026-03-03 15:00", "2026-03-03 21:00", "email"),
        ("two-hours-before", "2026-03-04 13:00", "2026-03-04 13:30", "email"),
    ]
    assert {(r.clinic_id, r.client_id, r.course_id) for r in rows} == {
        (desk.course.clinic_id, desk.course.client_id, desk.course.pk)
    }


def test_sync_twice_changes_nothing():
    desk = make_desk()
    before = list(Reminder.objects.order_by("pk").values())

    counts = sync_course_reminders(course_id=desk.course.pk, now=NOW + timedelta(minutes=1))

    assert (counts.created, counts.cancelled, counts.revived, counts.retimed) == (0, 0, 0, 0)
    assert list(Reminder.objects.order_by("pk").values()) == before
    assert len(before) == 4  # with the cancelled wish to book


def test_move_replaces_the_messages_of_the_old_slot():
    desk = make_desk()

    move_session(
        session=desk.session,
        starts_at=at("2026-03-05 11:00"),
        practitioner=desk.session.practitioner,
        room=None,
        by=desk.by,
        now=NOW,
    )

    rows = Reminder.objects.filter(rule__slug="day-before").order_by("pk")
    assert [(r.state, r.decision_reason, r.subject_revision, riga(r.send_at)) for r in rows] == [
        ("cancelled", "session_moved", 1, "2026-03-03 15:00"),
        ("due", "", 2, "2026-03-04 11:00"),
    ]


def test_move_there_and_back_leaves_one_message():
    desk = make_desk()

    for starts in ("2026-03-05 11:00", "2026-03-04 15:00"):
        move_session(
            session=desk.fresh_session(),
            starts_at=at(starts),
            practitioner=desk.session.practitioner,
            room=None,
            by=desk.by,
            now=NOW,
        )

    rows = Reminder.objects.filter(rule__slug="day-before", state="due")
    assert [(r.subject_revision, riga(r.send_at)) for r in rows] == [(3, "2026-03-03 15:00")]


def test_confirmation_leaves_the_messages():
    desk = make_desk()
    before = list(Reminder.objects.order_by("pk").values())

    confirm_session(session=desk.session, by=desk.by, now=NOW)

    assert list(Reminder.objects.order_by("pk").values()) == before


def test_confirmation_after_the_message_does_not_send_it_again():
    desk = make_desk()
    send_at("2026-03-03 15:00")
    assert desk.states("day-before") == [("sent", "")]

    confirm_session(session=desk.fresh_session(), by=desk.by, now=at("2026-03-03 15:05"))

    assert desk.states("day-before") == [("sent", "")]


def test_move_after_the_message_sends_the_new_slot():
    desk = make_desk()
    send_at("2026-03-03 15:00")

    move_session(
        session=desk.fresh_session(),
        starts_at=at("2026-03-05 16:00"),
        practitioner=desk.session.practitioner,
        room=None,
        by=desk.by,
        now=at("2026-03-03 15:30"),
    )

    assert desk.states("day-before") == [("sent", ""), ("due", "")]


@pytest.mark.parametrize("whose", ["client", "clinic"])
def test_cancelled_session_has_no_message(whose):
    desk = make_desk()

    cancel_session(session=desk.session, whose=whose, by=desk.by, now=NOW)

    assert desk.states("day-before") == [("cancelled", "session_cancelled")]
    assert desk.states("two-hours-before") == [("cancelled", "session_cancelled")]


def test_pause_cancels_and_its_removal_revives():
    desk = make_desk()

    pause = pause_course(
        course=desk.course,
        from_on=date(2026, 3, 3),
        to_on=date(2026, 3, 5),
        reason="illness",
        by=desk.by,
        now=NOW,
    )
    assert desk.states("two-hours-before") == [("cancelled", "paused")]

    remove_pause(pause=pause, by=desk.by, now=NOW + timedelta(minutes=1))

    assert desk.states("two-hours-before") == [("due", "")]


def test_discontinued_course_is_silent():
    desk = make_desk()

    discontinue_course(course=desk.course, by=desk.by, now=NOW, reason="moved away")

    assert not Reminder.objects.filter(state="due").exists()
    assert desk.states("day-before") == [("cancelled", "course_ended")]


def test_attended_session_leaves_nothing_due_about_it():
    desk = make_desk()
    send_at("2026-03-03 15:00")

    record_attendance(session=desk.session, by=desk.by, now=at("2026-03-04 12:50"))

    assert desk.states("two-hours-before") == [("cancelled", "session_over")]


def test_outlived_row_is_expired_and_not_cancelled():
    desk = make_desk()

    record_attendance(session=desk.session, by=desk.by, now=at("2026-03-04 16:00"))

    assert desk.states("day-before") == [("expired", "stale")]
    assert desk.states("two-hours-before") == [("expired", "stale")]


def test_missed_session_is_written_about_once():
    desk = make_desk()

    record_no_show(session=desk.session, by=desk.by, now=at("2026-03-04 15:20"))
    sync_course_reminders(course_id=desk.course.pk, now=at("2026-03-04 15:25"))

    row = desk.row("missed-session")
    assert (row.state, riga(row.send_at)) == ("due", "2026-03-04 16:20")


def test_change_that_is_rolled_back_leaves_no_row():
    course = prescribe(now=NOW)
    before = Reminder.objects.count()

    with transaction.atomic():
        book(course, date(2026, 3, 4), now=NOW)
        assert Reminder.objects.count() > before
        transaction.set_rollback(True)

    assert Reminder.objects.count() == before


def test_short_notice_needs_no_day_before():
    course = prescribe(now=NOW)

    book(course, date(2026, 3, 3), now=at("2026-03-02 10:00"))

    assert sorted(Reminder.objects.filter(state="due").values_list("rule__slug", flat=True)) == [
        "schedule",
        "two-hours-before",
    ]


# ---------------------------------------------------------------- closed days


def close(desk, on=date(2026, 3, 4), now=NOW):
    return add_closure(clinic=desk.course.clinic, from_on=on, to_on=on, by=desk.by, now=now)


def test_closure_cancels_and_its_removal_revives():
    desk = make_desk()

    closure = close(desk)
    assert desk.states("day-before") == [("cancelled", "clinic_closed")]
    assert desk.states("two-hours-before") == [("cancelled", "clinic_closed")]

    remove_closure(closure=closure, by=desk.by, now=NOW + timedelta(minutes=1))
    assert desk.states("day-before") == [("due", "")]
    assert desk.states("two-hours-before") == [("due", "")]


def test_closure_of_another_day_or_clinic_leaves_the_messages():
    desk, other = make_desk(), make_desk()

    close(desk, on=date(2026, 3, 5))
    close(other)

    assert desk.states("day-before") == [("due", "")]
    assert other.states("day-before") == [("cancelled", "clinic_closed")]


def test_weekday_without_hours_cancels():
    desk = make_desk()
    hours = [(weekday, time(9), time(19)) for weekday in (1, 2, 4, 5, 6)]

    set_opening_hours(clinic=desk.course.clinic, hours=hours, by=desk.by, now=NOW)

    assert desk.states("day-before") == [("cancelled", "clinic_closed")]


def test_closure_is_no_change_of_schedule_until_the_booking_moves():
    desk = make_desk()
    send_at("2026-03-02 08:03")

    close(desk, now=at("2026-03-02 09:00"))
    assert desk.states("change") == []

    cancel_session(session=desk.fresh_session(), whose="clinic", by=desk.by, now=at("2026-03-02 09:30"))
    assert desk.states("change") == [("due", "")]


def test_closure_rolled_back_cancels_nothing():
    desk = make_desk()

    with transaction.atomic():
        close(desk)
        assert desk.states("day-before") == [("cancelled", "clinic_closed")]
        transaction.set_rollback(True)

    assert desk.states("day-before") == [("due", "")]


def test_closure_reaches_the_extra_session_of_a_completed_course():
    desk = make_desk()
    Course.objects.update(status="completed", ended_at=NOW, state="finished")
    sync_course_reminders(course_id=desk.course.pk, now=NOW)
    assert desk.states("day-before") == [("due", "")]

    close(desk)

    assert desk.states("day-before") == [("cancelled", "clinic_closed")]


# ---------------------------------------------------------------- taking over from another channel


def take_over(desk, slug="day-before", channel="sms", **values):
    """Return the message that took over from one that failed for good."""
    first = desk.row(slug)
    Reminder.objects.filter(pk=first.pk).update(
        state="failed", decision_reason="bounced", decided_at=at("2026-03-03 15:00")
    )
    values = {
        "fallback_for": first,
        "channel": channel,
        "send_at": at("2026-03-03 15:00"),
        "state": "due",
        "decision_reason": "",
        "decided_at": None,
        **values,
    }
    for name in ("clinic", "client", "course", "session", "rule", "rule_version", "trigger", "subject_key"):
        values.setdefault(name, getattr(first, name))
    return Reminder.objects.create(
        subject_revision=first.subject_revision,
        about=first.about,
        expires_at=first.expires_at,
        created_at=NOW,
        **values,
    )


def test_message_that_took_over_is_left_alone_while_it_is_wanted():
    desk = make_desk()
    take_over(desk)
    before = list(Reminder.objects.order_by("pk").values())

    counts = sync_course_reminders(course_id=desk.course.pk, now=at("2026-03-03 15:01"))

    assert (counts.created, counts.cancelled, counts.revived, counts.retimed) == (0, 0, 0, 0)
    assert list(Reminder.objects.order_by("pk").values()) == before


def test_message_that_took_over_goes_with_its_session():
    desk = make_desk()
    row = take_over(desk)

    cancel_session(session=desk.fresh_session(), whose="client", by=desk.by, now=at("2026-03-03 15:01"))

    row.refresh_from_db()
    assert (row.state, row.decision_reason) == ("cancelled", "session_cancelled")


def test_moved_session_starts_on_the_first_channel_again():
    desk = make_desk()
    take_over(desk)

    move_session(
        session=desk.fresh_session(),
        starts_at=at("2026-03-05 16:00"),
        practitioner=desk.session.practitioner,
        room=None,
        by=desk.by,
        now=at("2026-03-03 15:01"),
    )

    rows = Reminder.objects.filter(rule__slug="day-before").order_by("pk")
    assert [(r.channel, r.state, r.decision_reason) for r in rows] == [
        ("email", "failed", "bounced"),
        ("sms", "cancelled", "session_moved"),
        ("email", "due", ""),
    ]


@pytest.mark.parametrize("state", ["sent", "failed", "uncertain"])
def test_nothing_is_said_again_after_the_message_that_took_over(state):
    desk = make_desk()
    take_over(
        desk,
        state=state,
        decision_reason="" if state == "sent" else "refused",
        decided_at=at("2026-03-03 15:00"),
        sent_at=at("2026-03-03 15:00") if state == "sent" else None,
    )

    counts = sync_course_reminders(course_id=desk.course.pk, now=at("2026-03-03 15:01"))

    assert counts.created == 0
    assert not Reminder.objects.filter(rule__slug="day-before", state="due").exists()


def test_schedule_that_took_over_is_brought_up_to_date_on_its_own_channel():
    desk = make_desk()
    row = take_over(desk, "schedule", send_at=at("2026-03-02 08:04"))

    book(desk.course, date(2026, 3, 6), now=at("2026-03-02 08:05"))

    about = row.about
    row.refresh_from_db()
    assert (row.state, row.channel, riga(row.send_at)) == ("due", "sms", "2026-03-02 08:08")
    assert row.about != about


# ---------------------------------------------------------------- schedule


def test_further_change_joins_the_notice_that_waits():
    desk = make_desk()

    book(desk.course, date(2026, 3, 6), now=NOW + timedelta(minutes=2))

    row = desk.row("schedule")
    assert (row.state, riga(row.send_at)) == ("due", "2026-03-02 08:05")


def test_schedule_is_told_once():
    desk = make_desk()
    send_at("2026-03-02 08:03")
    assert desk.row("schedule").told == [[str(desk.session.code), "2026-03-04T13:00:00+00:00"]]

    sync_course_reminders(course_id=desk.course.pk, now=at("2026-03-02 09:00"))

    assert desk.states("schedule") == [("sent", "")]


def test_change_taken_back_before_its_notice_is_not_told():
    desk = make_desk()
    send_at("2026-03-02 08:03")

    for minute, starts in ((30, "2026-03-05 11:00"), (31, "2026-03-04 15:00")):
        move_session(
            session=desk.fresh_session(),
            starts_at=at(starts),
            practitioner=desk.session.practitioner,
            room=None,
            by=desk.by,
            now=at(f"2026-03-02 08:{minute}"),
        )

    assert desk.states("schedule") == [("sent", "")]
    assert desk.states("change") == [("cancelled", "not_needed")]


def test_change_taken_back_after_its_notice_is_told_again():
    desk = make_desk()
    send_at("2026-03-02 08:03")

    for hour, starts in ((9, "2026-03-05 11:00"), (10, "2026-03-04 15:00")):
        move_session(
            session=desk.fresh_session(),
            starts_at=at(starts),
            practitioner=desk.session.practitioner,
            room=None,
            by=desk.by,
            now=at(f"2026-03-02 {hour:02}:00"),
        )
        send_at(f"2026-03-02 {hour:02}:03")

    assert desk.states("schedule") == [("sent", "")]
    assert desk.states("change") == [("sent", "")] * 2


# ---------------------------------------------------------------- rules and clients


def test_clinic_without_rules_is_given_them():
    clinic = ClinicFactory()
    assert ReminderRule.objects.count() == 0

    seed_rules(clinic=clinic, now=NOW)
    first = list(ReminderRule.objects.order_by("pk").values())
    seed_rules(clinic=clinic, now=NOW + timedelta(days=1))

    assert [rule["slug"] for rule in first] == [
        "day-before",
        "two-hours-before",
        "preparation",
        "missed-session",
        "how-was-it",
        "overdue",
        "book-next",
        "maintenance-due",
        "schedule",
        "change",
        "earlier-slot",
        "access-code",
        "course-completed",
        "staff-digest",
    ]
    assert list(ReminderRule.objects.order_by("pk").values()) == first


def test_rule_switched_off_cancels_its_rows():
    desk = make_desk()
    ReminderRule.objects.filter(slug="day-before").update(is_active=False)

    sync_course_reminders(course_id=desk.course.pk, now=NOW)

    assert desk.states("day-before") == [("cancelled", "rule_off")]
    assert desk.states("two-hours-before") == [("due", "")]


def test_rule_with_another_lead_retimes_its_rows():
    desk = make_desk()
    ReminderRule.objects.filter(slug="two-hours-before").update(lead_minutes=180, version=2)

    sync_course_reminders(course_id=desk.course.pk, now=NOW)

    row = desk.row("two-hours-before")
    assert (row.state, riga(row.send_at), row.rule_version) == ("due", "2026-03-04 12:00", 2)


def test_erased_client_gets_nothing():
    desk = make_desk()
    client = desk.course.client
    client.erased_at = NOW
    client.save()

    sync_course_reminders(course_id=desk.course.pk, now=NOW)

    assert not Reminder.objects.filter(state="due").exists()
    assert desk.states("day-before") == [("cancelled", "client_erased")]


def reach(client, channel, *, has_contact=True, has_consent=True, account="active"):
    """Give a client a way to be written to on a channel, whole or in part."""
    if has_contact:
        ContactPoint.objects.create(
            clinic=client.clinic, client=client, channel=channel, value="+37120000001"
        )
    if has_consent:
        Consent.objects.create(
            clinic=client.clinic, client=client, channel=channel, granted_at=NOW, granted_source="test"
        )
    if account:
        ChannelAccount.objects.create(
            clinic=client.clinic,
            channel=channel,
            provider="kept",
            created_at=NOW,
            changed_at=NOW,
            is_active=account == "active",
        )


def channels_after(desk, *channels):
    ReminderRule.objects.filter(slug="day-before").update(channels=list(channels))
    sync_course_reminders(course_id=desk.course.pk, now=NOW)
    rows = Reminder.objects.filter(rule__slug="day-before").order_by("pk")
    return [(r.channel, r.state) for r in rows]


def test_channel_follows_consent():
    desk = make_desk()
    Consent.objects.update(withdrawn_at=NOW, withdrawn_source="test")
    reach(desk.course.client, "sms")

    assert channels_after(desk, "email", "sms") == [("email", "cancelled"), ("sms", "due")]


@pytest.mark.parametrize(
    ("ways", "channel"),
    [
        ({}, "sms"),
        ({"has_contact": False}, "email"),
        ({"has_consent": False}, "email"),
        ({"account": "off"}, "email"),
        ({"account": None}, "email"),
    ],
)
@pytest.mark.parametrize("first", ["sms", "telegram", "whatsapp"])
def test_channel_without_a_way_out_is_passed_over(first, ways, channel):
    desk = make_desk()
    reach(desk.course.client, first, **ways)

    live = [name for name, state in channels_after(desk, first, "email") if state == "due"]

    assert live == [first if channel == "sms" else "email"]


@pytest.mark.parametrize(
    ("ways", "live"),
    [
        ({}, "webhook"),
        ({"has_contact": False}, "webhook"),  # the clinic's own system knows its clients
        ({"has_consent": False}, "email"),
        ({"account": None}, "email"),
        ({"account": "off"}, "email"),
    ],
)
def test_clinics_own_system_needs_consent_but_no_address(ways, live):
    desk = make_desk()
    reach(desk.course.client, "webhook", **ways)

    found = channels_after(desk, "webhook", "email")

    assert [name for name, state in found if state == "due"] == [live]


def test_account_of_another_clinic_is_no_way_out():
    desk, other = make_desk(), make_desk()
    reach(desk.course.client, "sms", account=None)
    reach(other.course.client, "sms")

    ReminderRule.objects.filter(slug="day-before").update(channels=["sms", "email"])
    for one in (desk, other):
        sync_course_reminders(course_id=one.course.pk, now=NOW)

    live = Reminder.objects.filter(rule__slug="day-before", state="due")
    assert {row.clinic_id: row.channel for row in live} == {
        desk.course.clinic_id: "email",
        other.course.clinic_id: "sms",
    }


def test_overdue_course_is_nudged_and_attendance_ends_it():
    course = prescribe(now=NOW)
    first = book(course, date(2026, 3, 2), now=NOW)
    record_attendance(session=first, by=actor_of(course.prescribed_by), now=at("2026-03-02 11:00"))

    run_tick(now=at("2026-03-07 00:01"))

    nudges = Reminder.objects.filter(rule__slug="overdue").order_by("occurrence")
    course.refresh_from_db()
    assert course.state == "overdue"
    assert [(n.state, riga(n.send_at)) for n in nudges] == [
        ("due", "2026-03-06 10:00"),
        ("due", "2026-03-09 10:00"),
        ("due", "2026-03-12 10:00"),
    ]

    book(course, date(2026, 3, 9), now=at("2026-03-07 09:00"))

    assert set(nudges.values_list("state", "decision_reason")) == {("cancelled", "not_needed")}


@pytest.mark.parametrize("count", [1, 3])
def test_query_count_of_a_sync_does_not_grow(count, django_assert_num_queries):
    course = prescribe(now=NOW)
    for n in range(count):
        book(course, date(2026, 3, 4) + timedelta(days=n), now=NOW)

    with django_assert_num_queries(10):
        sync_course_reminders(course_id=course.pk, now=NOW)


def test_several_courses_are_synced_as_each_by_itself(django_assert_num_queries):
    courses = [prescribe(now=NOW)]
    courses += [prescribe(now=NOW, member=courses[0].prescribed_by) for _ in range(2)]
    for number, course in enumerate(courses):
        for n in range(number + 1):
            book(course, date(2026, 3, 4) + timedelta(days=n), time(10 + number), now=NOW)
    Reminder.objects.all().delete()

    def written(course):
        rows = Reminder.objects.filter(course=course).order_by("subject_key", "rule", "send_at")
        return list(rows.values_list("session", "rule", "channel", "state", "about", "send_at", "expires_at"))

    by_itself = []
    for course in courses:
        sync_course_reminders(course_id=course.pk, now=NOW)
        by_itself.append(written(course))
    Reminder.objects.all().delete()
    read = list(Course.objects.select_related("clinic", "client", "protocol").order_by("pk"))

    with django_assert_num_queries(11):
        counts = sync_reminders_of(courses=read, now=NOW)

    assert [written(course) for course in courses] == by_itself
    assert all(by_itself)
    assert counts.created == sum(map(len, by_itself))
