"""Calls: signed, each made by one sender, tried again for a day, and never to where they were not aimed."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from audit.models import AuditEvent
from hooks import calling
from hooks.core import TEST_EVENT
from hooks.models import HookDelivery, HookEndpoint
from hooks.services import sending
from hooks.services.endpoints import (
    add_endpoint,
    change_endpoint,
    note_test,
    off_by_itself,
    renew_secret,
    send_again,
    switch_endpoint,
)
from hooks.services.sending import LEASE, LOST, send_calls, send_test
from hooks.services.tidying import KEPT, WAITS, tidy_deliveries
from hooks.services.waking import callable_endpoints, wake_senders
from reminders.services.fence import hold
from tests.courses.build import MONDAY, fresh_course, march
from tests.factories import StaffMemberFactory, actor_of, book, prescribe
from tests.races import race, shared_database
from tests.reminders.provider_stub import HANG_UP, Reply, Stub, serving

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def booked(stub, add, course):
    """An endpoint at the receiver, its secret, and one call that is due."""
    endpoint, secret = add(f"{stub.url}/hook?key=1", ["session.booked"])
    book(fresh_course(course), march(3), now=MONDAY)
    return endpoint, secret


def only_call():
    return HookDelivery.objects.get()


def tries(row=None):
    return [(one["status"], one["error"]) for one in (row or only_call()).tries]


def verify(request, secret):
    # The library minds the time at which the call was made: that of the test is another.
    hook = Webhook(secret)
    hook._Webhook__verify_timestamp = lambda header: MONDAY
    return hook.verify(request.body, request.headers)


# ------------------------------------------------------------------------------------------------ one call


def test_call_is_signed_and_says_what_was_noted(booked, stub, send):
    _, secret = booked

    assert send() == 1
    assert send() == 0

    (request,) = stub.requests
    row = only_call()
    payload = json.loads(request.body)
    assert Webhook(secret).sign(str(row.event_id), MONDAY, row.body) == request.headers["webhook-signature"]
    assert (request.path, request.headers["webhook-id"]) == ("/hook?key=1", str(row.event_id))
    assert request.headers["webhook-timestamp"] == str(int(MONDAY.timestamp()))
    assert (payload["type"], payload["timestamp"]) == ("session.booked", MONDAY.isoformat())
    assert (row.state, row.next_at, row.attempt_count, tries()) == ("delivered", None, 1, [(200, "")])


def test_renewed_secret_signs_along_with_the_former_one_for_a_day(booked, stub, send, course, by):
    endpoint, former = booked
    endpoint, present = renew_secret(endpoint=endpoint, by=by, now=MONDAY)
    send(MONDAY + timedelta(hours=23))
    book(fresh_course(course), march(5), now=MONDAY)
    send(MONDAY + timedelta(days=1))

    def is_signed_by(request, secret):
        expected = Webhook(secret).sign(
            request.headers["webhook-id"],
            MONDAY + timedelta(seconds=int(request.headers["webhook-timestamp"]) - int(MONDAY.timestamp())),
            request.body.decode(),
        )
        return expected in request.headers["webhook-signature"].split()

    early, late = stub.requests
    assert [is_signed_by(early, secret) for secret in (present, former)] == [True, True]
    assert [is_signed_by(late, secret) for secret in (present, former)] == [True, False]


def test_library_takes_the_call_and_refuses_one_that_was_changed(stub, add, course):
    _, secret = add(stub.url, ["session.booked"])
    book(fresh_course(course), march(3), now=MONDAY)
    # With the time as it is: the library refuses what is more than five minutes old.
    send_calls(seconds=10)

    (request,) = stub.requests
    assert Webhook(secret).verify(request.body, request.headers)["type"] == "session.booked"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(request.body.replace(b"booked", b"missed"), request.headers)


# ------------------------------------------------------------------------------------------------ failures


@pytest.mark.parametrize(
    ("step", "seen"),
    [
        (Reply(500), (500, "")),
        (Reply(404), (404, "")),
        (Reply(301, headers=(("Location", "/elsewhere"),)), (301, "")),
        (HANG_UP, (None, "silent")),
    ],
)
def test_failure_is_tried_again_under_the_same_id_until_it_is_taken(booked, stub, send, step, seen):
    stub.script = [step, step, Reply(204)]

    assert send() == 1
    row = only_call()
    assert (row.state, tries()) == ("waiting", [seen])
    assert 30 <= (row.next_at - MONDAY).total_seconds() <= 36
    assert send(MONDAY + timedelta(seconds=29)) == 0
    assert send(MONDAY + MINUTE) == 1
    assert send(MONDAY + 5 * MINUTE) == 1

    assert (only_call().state, tries()) == ("delivered", [seen, seen, (204, "")])
    # Nobody followed where the redirect pointed to.
    assert {request.path for request in stub.requests} == {"/hook?key=1"}
    assert {(request.key, request.body) for request in stub.requests} == {
        (str(row.event_id), row.body.encode())
    }
    assert HookEndpoint.objects.get().failure_count == 0


def test_refused_connection_is_tried_for_a_day_and_then_given_up(add, course, send):
    add("http://127.0.0.1:9/", ["session.booked"])
    book(fresh_course(course), march(3), now=MONDAY)
    now, count = MONDAY, 0

    while only_call().state == "waiting" and count < 40:
        now = max(now, only_call().next_at, HookEndpoint.objects.get().rest_until or now)
        count += send(now)

    row = only_call()
    assert (row.state, set(tries())) == ("failed", {(None, "unreachable")})
    assert 12 <= row.attempt_count == count <= 15
    assert timedelta(hours=19) < row.ended_at - MONDAY <= timedelta(hours=25, minutes=5)


def test_endpoint_that_hangs_is_cut_off_and_delays_no_other(booked, stub, send, add, course, monkeypatch):
    monkeypatch.setattr(calling, "CALL_SECONDS", 0.2)
    stub.script = [Reply(after=3)]
    with serving(Stub()) as other:
        add(other.url, ["session.booked"], name="Web site")
        for day in (5, 7, 9):
            book(fresh_course(course), march(day), now=MONDAY)

        send()

        assert len(other.requests) == 3
    # One call showed that nobody answers; the others wait.
    assert len(stub.requests) == 1
    rows = HookDelivery.objects.filter(endpoint=booked[0]).order_by("pk")
    assert [tries(row) for row in rows] == [[(None, "late")], [], [], []]
    assert HookEndpoint.objects.get(pk=booked[0].pk).rest_until == MONDAY + timedelta(seconds=5)


def test_wish_to_be_left_alone_is_kept_to(booked, stub, send):
    stub.script = [Reply(429, headers=(("Retry-After", "600"),)), Reply()]
    send()

    assert only_call().next_at == MONDAY + 10 * MINUTE
    assert send(MONDAY + 9 * MINUTE) == 0
    assert send(MONDAY + 10 * MINUTE) == 1


def test_address_that_is_gone_for_good_is_switched_off_and_owners_can_see_it(booked, stub, send, clinic, by):
    stub.script = [Reply(410), Reply()]
    send()

    endpoint = off_by_itself(clinic)
    clinic.refresh_from_db()
    assert (endpoint.off_reason, only_call().state, clinic.hook_events) == ("gone", "failed", [])
    assert AuditEvent.objects.latest("pk").action == "webhook.switched_off"
    switch_endpoint(endpoint=endpoint, is_active=True, by=by, now=MONDAY)
    send_again(delivery=only_call(), by=by, now=MONDAY)
    send()

    clinic.refresh_from_db()
    assert (only_call().state, off_by_itself(clinic), clinic.hook_events) == (
        "delivered",
        None,
        ["session.booked"],
    )


def test_endpoint_is_switched_off_after_three_days_without_one_success(booked, stub, send, course):
    stub.script = [Reply(500)]
    send()
    book(fresh_course(course), march(5), now=MONDAY)
    send(MONDAY + timedelta(days=3) - MINUTE)
    assert HookEndpoint.objects.get().state == "active"

    book(fresh_course(course), march(7), now=MONDAY)
    send(MONDAY + timedelta(days=3, minutes=6))

    endpoint = HookEndpoint.objects.get()
    assert (endpoint.state, endpoint.off_reason) == ("off", "failing")
    assert set(HookDelivery.objects.values_list("state", flat=True)) == {"failed"}


def test_name_that_leads_inside_is_refused_at_the_call(settings, add, course, send, monkeypatch):
    add("https://rebinding.example/hook", ["session.booked"])
    settings.EGRESS_ALLOWED_HOSTS = []
    book(fresh_course(course), march(3), now=MONDAY)
    answer = [(2, 1, 6, "", ("169.254.169.254", 443))]
    monkeypatch.setattr("reminders.channels.egress.socket.getaddrinfo", lambda *_, **__: answer)

    send()

    assert tries() == [(None, "refused-private-address")]


# ------------------------------------------------------------------------------------------------ senders


class Killed(BaseException):
    """What a process does when it is killed: it ends, whatever it was at."""


def test_sender_killed_between_the_call_and_its_mark_makes_one_copy_under_the_same_id(
    booked, stub, send, monkeypatch
):
    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sending, "_write_answer", die)
        # Its lease stays too: whoever is killed releases nothing.
        patch.setattr(sending, "_mine", lambda claim: HookEndpoint.objects.filter(pk=claim.endpoint_id))
        with pytest.raises(Killed):
            send()
    assert (only_call().state, tries()) == ("waiting", [(None, LOST)])

    assert send(MONDAY + timedelta(seconds=20)) == 0
    assert send(MONDAY + LEASE + timedelta(seconds=10)) == 1
    assert (only_call().state, len(stub.requests)) == ("delivered", 2)
    assert len({request.key for request in stub.requests}) == 1


def test_lease_of_a_silent_sender_runs_out(booked):
    HookEndpoint.objects.update(lease_until=MONDAY + LEASE, generation=7)

    assert not callable_endpoints(now=MONDAY + LEASE - timedelta(seconds=1)).exists()
    assert callable_endpoints(now=MONDAY + LEASE).exists()


def test_sender_whose_claim_was_taken_over_makes_no_further_call(booked, stub, send, course, monkeypatch):
    book(fresh_course(course), march(5), now=MONDAY)
    first = sending._write_answer

    def overtaken(*args, **kwargs):
        HookEndpoint.objects.update(generation=99, lease_until=MONDAY + timedelta(hours=1))
        return first(*args, **kwargs)

    monkeypatch.setattr(sending, "_write_answer", overtaken)

    assert send() == 1
    assert sorted(HookDelivery.objects.values_list("state", flat=True)) == ["delivered", "waiting"]
    assert HookEndpoint.objects.get().lease_until is not None


def test_no_transaction_is_open_during_a_call(booked, send, monkeypatch):
    seen = []
    outer = len(connection.savepoint_ids)

    def look(*_, **__):
        seen.append(len(connection.savepoint_ids) - outer)
        return calling.Answer(200, "", 1)

    monkeypatch.setattr(sending, "call", look)
    send()

    assert seen == [0]


def test_held_database_calls_nobody(booked, stub, send):
    hold(reason="by_hand", now=MONDAY)

    assert (send(), stub.requests) == (0, [])


def test_call_that_cannot_be_made_holds_up_no_other_endpoint(booked, stub, send, add, course):
    HookEndpoint.objects.update(sealed_secrets="broken")
    add(f"{stub.url}/other", ["session.booked"], name="Web site")
    book(fresh_course(course), march(5), now=MONDAY)

    send()

    assert [request.path for request in stub.requests] == ["/other"]
    assert tries(HookDelivery.objects.order_by("pk").first()) == [(None, "secret-unreadable")]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_many_senders_at_once_make_each_call_once(tmp_path, settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    member = StaffMemberFactory()
    by = actor_of(member)
    with serving(Stub(script=[Reply(after=0.01)])) as stub:
        for name in "ab":
            add_endpoint(
                clinic=member.clinic,
                name=name,
                url=f"{stub.url}/{name}",
                events=["session.booked"],
                by=by,
                now=MONDAY,
            )
        member.clinic.refresh_from_db()
        course = prescribe(member=member)
        for day in (3, 5, 7, 10):
            book(fresh_course(course), march(day), now=MONDAY)
        with shared_database(tmp_path):
            outcome = race([lambda: send_calls(seconds=10, clock=lambda: MONDAY)] * 4)
            states = set(HookDelivery.objects.values_list("state", flat=True))

    assert (outcome, states) == ({"won": 4}, {"delivered"})
    assert len({(request.path, request.key) for request in stub.requests}) == len(stub.requests) == 8


def test_wake_ups_are_as_many_as_endpoints_with_something_due(booked, settings, monkeypatch):
    sent = []
    monkeypatch.setattr("hooks.tasks.send_due.apply_async", lambda *_, **options: sent.append(options))

    with transaction.atomic():
        number = wake_senders(now=MONDAY)
    assert (number, wake_senders(now=MONDAY - MINUTE)) == (1, 0)


# ------------------------------------------------------------------------------------------------ by hand


def test_test_is_called_at_once_and_never_by_itself_again(booked, stub, by, send):
    endpoint, _ = booked
    switch_endpoint(endpoint=endpoint, is_active=False, by=by, now=MONDAY)
    stub.script = [Reply(500), Reply(200)]
    endpoint.refresh_from_db()

    failed = send_test(note_test(endpoint=endpoint, by=by, now=MONDAY), clock=lambda: MONDAY)
    taken = send_test(note_test(endpoint=endpoint, by=by, now=MONDAY), clock=lambda: MONDAY)

    assert [(row.event, row.state, tries(row)) for row in (failed, taken)] == [
        (TEST_EVENT, "failed", [(500, "")]),
        (TEST_EVENT, "delivered", [(200, "")]),
    ]
    assert send(MONDAY + timedelta(days=1)) == 0
    assert json.loads(stub.requests[0].body) == {
        "type": "endpoint.test",
        "timestamp": MONDAY.isoformat(),
        "data": {"clinic": str(endpoint.clinic.code)},
    }


def test_what_failed_can_be_sent_again_under_its_id(booked, stub, send, by):
    HookDelivery.objects.update(state="failed", next_at=None, ended_at=MONDAY, attempt_count=15)

    send_again(delivery=only_call(), by=by, now=MONDAY)
    send()

    assert (only_call().state, only_call().attempt_count) == ("delivered", 1)
    assert stub.requests[0].key == str(only_call().event_id)


def test_another_address_is_called_at_once(booked, stub, send, by):
    endpoint, _ = booked
    stub.script = [Reply(500), Reply()]
    send()
    change_endpoint(
        endpoint=endpoint, name="New", url=f"{stub.url}/new", events=["flag.opened"], by=by, now=MONDAY
    )

    assert HookEndpoint.objects.get().rest_until is None
    send(MONDAY + MINUTE)
    assert [request.path for request in stub.requests] == ["/hook?key=1", "/new"]


def test_calls_are_kept_for_a_month_and_wait_for_a_week(booked, send):
    assert tidy_deliveries(now=MONDAY + WAITS - MINUTE) == 0
    assert only_call().state == "waiting"
    tidy_deliveries(now=MONDAY + WAITS + MINUTE)
    row = only_call()
    assert (row.state, row.ended_at) == ("failed", MONDAY + WAITS + MINUTE)

    assert tidy_deliveries(now=row.ended_at + KEPT) == 0
    assert tidy_deliveries(now=row.ended_at + KEPT + MINUTE) == 1


def test_threads_and_timers_end_with_the_call(booked, send):
    before = threading.active_count()
    send()

    assert threading.active_count() <= before + 1
