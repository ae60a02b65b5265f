"""Many senders and schedulers at once, in real threads with connections of their own."""

import sqlite3
import threading
import uuid
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection, connections, transaction
from django.utils import timezone

from clinics.clock import database_clock
from reminders.models import Reminder, TickRun
from reminders.services import claim_due, drain, run_tick, sync_course_reminders
from tests.reminders.builders import Memory, at, make_desk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
WHEN = at("2026-03-03 15:00")


@contextmanager
def shared_database(tmp_path):
    """Let threads work on one database: PostgreSQL as it is, SQLite as a file with the settings' own options."""
    if connection.vendor != "sqlite":
        yield
        return
    options = connection.settings_dict["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    path = tmp_path / "shared.sqlite3"
    connection.ensure_connection()
    with sqlite3.connect(path) as file:
        connection.connection.backup(file)
    file.close()
    kept = connection.settings_dict["NAME"]
    memory = connection.connection
    connections.settings["default"]["NAME"] = str(path)
    connection.settings_dict["NAME"] = str(path)
    connection.connection = None
    try:
        yield
    finally:
        connection.close()
        connection.connection = memory
        connection.settings_dict["NAME"] = kept
        connections.settings["default"]["NAME"] = kept


def at_once(number, work):
    """Run the work in threads that start together; return what each returned."""
    barrier, results, errors = threading.Barrier(number), [], []

    def run(index):
        try:
            barrier.wait(10)
            results.append(work(index))
        except Exception as error:
            errors.append(error)
        finally:
            close_old_connections()
            connections["default"].close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    return results


def many_rows(number):
    """Make copies of one due message, each to a client of its own."""
    desk = make_desk()
    pattern, client = desk.row("day-before"), desk.course.client
    contact, consent = client.contact_points.get(), client.consents.get()
    for n in range(1, number):
        client.pk, client.code = None, uuid.uuid4()
        client.save(force_insert=True)
        contact.pk, contact.code, contact.client, contact.value = (
            None,
            uuid.uuid4(),
            client,
            f"{n}@example.com",
        )
        contact.save(force_insert=True)
        consent.pk, consent.client = None, client
        consent.save(force_insert=True)
        pattern.pk, pattern.code, pattern.client, pattern.occurrence = None, uuid.uuid4(), client, n
        pattern.save(force_insert=True)
    return desk


def ids_of(groups):
    return [claim.reminder_id for group in groups for claim in group]


def test_senders_claim_disjoint_rows(tmp_path):
    many_rows(60)

    with shared_database(tmp_path):
        results = at_once(
            6,
            lambda n: ids_of(group for _ in range(5) for group in claim_due(owner=str(n), now=WHEN, limit=4)),
        )
        claimed = [pk for ids in results for pk in ids]
        left = ids_of(claim_due(owner="rest", now=WHEN, limit=100))

    assert len(claimed) == len(set(claimed))
    assert len(claimed) + len(left) == 60


def test_each_message_goes_once_from_many_senders(tmp_path):
    many_rows(30)
    channel = Memory()

    with shared_database(tmp_path):
        at_once(4, lambda _: drain(clock=lambda: WHEN, factories={"email": lambda: channel}))
        states = Counter(Reminder.objects.filter(rule__slug="day-before").values_list("state", flat=True))

    assert Counter(Counter(m.key for m in channel.messages).values()) == {1: 30}
    assert states == {"sent": 30}


def test_without_claims_many_senders_send_copies(tmp_path):
    """The control: a sender that reads and marks without claiming fails what is asked above, in this very setting."""
    many_rows(5)
    keys, everybody_has_read = [], threading.Barrier(3)

    def send_without_claim(_):
        rows = list(Reminder.objects.filter(state="due", send_at__lte=WHEN, expires_at__gt=WHEN))
        everybody_has_read.wait(10)
        for row in rows:
            keys.append(row.code)
            Reminder.objects.filter(pk=row.pk).update(state="sent", sent_at=WHEN, decided_at=WHEN)

    with shared_database(tmp_path):
        at_once(3, send_without_claim)

    assert Counter(Counter(keys).values()) == {3: 5}


def test_messages_to_one_client_go_as_one_from_many_senders(tmp_path):
    desk = make_desk()
    pattern = desk.row("day-before")
    for n in range(1, 12):
        pattern.pk, pattern.code, pattern.occurrence = None, uuid.uuid4(), n
        pattern.save(force_insert=True)
    channel = Memory()

    with shared_database(tmp_path):
        at_once(4, lambda _: drain(clock=lambda: WHEN, factories={"email": lambda: channel}))
        states = Counter(Reminder.objects.filter(rule__slug="day-before").values_list("state", flat=True))

    assert (len(channel.messages), states) == (1, {"sent": 12})


def test_day_cap_holds_against_senders_of_two_channels(tmp_path):
    desk = make_desk()
    desk.course.clinic.daily_message_cap = 1
    desk.course.clinic.save()
    client, row = desk.course.client, desk.row("day-before")
    client.contact_points.create(clinic=client.clinic, channel="sms", value="+37120000000")
    client.consents.create(clinic=client.clinic, channel="sms", granted_at=WHEN, granted_source="test")
    row.pk, row.code, row.channel = None, uuid.uuid4(), "sms"
    row.save(force_insert=True)
    channel = Memory()
    names = ("email", "sms")

    with shared_database(tmp_path):
        at_once(
            4,
            lambda n: drain(
                clock=lambda: WHEN,
                channels=[names[n % 2]],
                factories=dict.fromkeys(names, lambda: channel),
            ),
        )
        sent = Reminder.objects.filter(rule__slug="day-before", state="sent").count()

    assert len(channel.messages) == sent <= 1


def test_many_schedulers_create_each_message_once(tmp_path):
    desk = make_desk()
    Reminder.objects.all().delete()

    with shared_database(tmp_path):
        at_once(6, lambda _: sync_course_reminders(course_id=desk.course.pk, now=at("2026-03-02 08:00")))
        slugs = Counter(Reminder.objects.values_list("rule__slug", flat=True))

    assert slugs == {"schedule": 1, "day-before": 1, "two-hours-before": 1}


def test_one_of_many_ticks_works(tmp_path):
    make_desk()

    with shared_database(tmp_path):
        results = at_once(5, lambda _: run_tick(now=WHEN))
        runs = TickRun.objects.filter(job="tick").count()

    assert runs == 1
    assert [result is not None for result in results].count(True) == 1


def test_cancelling_waits_for_nobody_and_wins_or_loses_whole(tmp_path):
    """A cancellation and a sender meet: either the message was on the wire first, or it never goes."""
    desk = make_desk()
    channel = Memory()

    def cancel(_):
        with transaction.atomic():
            return Reminder.objects.filter(
                rule__slug="day-before", state__in=("due", "claimed"), on_wire_at=None
            ).update(
                state="cancelled",
                decision_reason="session_cancelled",
                decided_at=WHEN,
                lease_owner="",
                lease_until=None,
            )

    def send(_):
        return drain(clock=lambda: WHEN, factories={"email": lambda: channel})

    with shared_database(tmp_path):
        at_once(2, lambda index: (cancel, send)[index](index))
        row = desk.row("day-before")

    assert (row.state, len(channel.messages)) in (("sent", 1), ("cancelled", 0))


@pytest.mark.postgres
def test_rows_that_another_is_just_taking_are_skipped():
    many_rows(4)

    with transaction.atomic():
        list(Reminder.objects.select_for_update().filter(state="due", rule__slug="day-before")[:2])
        others = at_once(1, lambda _: claim_due(owner="b", now=WHEN, limit=10))[0]

    assert len(others) == 2
    assert Reminder.objects.filter(state="claimed").count() == 2


def test_lease_clock_is_the_databases():
    clock = database_clock()
    first, second = clock(), clock()

    assert first <= second
    assert abs(first - timezone.now()) < timedelta(seconds=5)
