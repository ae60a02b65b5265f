"""Settings, Webhooks: a program is set up, tried out, paused and removed, and each of its calls can be looked at."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinics.models import Role
from hooks.core import EVENTS
from hooks.models import HookDelivery, HookEndpoint
from hooks.services.endpoints import add_endpoint
from tests.factories import StaffMemberFactory, actor_of
from tests.reminders.provider_stub import Reply, Stub, serving
from tests.staff.conftest import NOW
from tests.staff.test_today import words_of

LIST = "/settings/webhooks/"


@pytest.fixture
def owner(browser_of):
    return browser_of(Role.OWNER, display_name="Ilze")


@pytest.fixture
def stub(settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with serving(Stub(script=[Reply(500), Reply(204)])) as stub:
        yield stub


def typed(url, **values):
    return {"name": " Accounting ", "url": url, "events": ["session.booked"]} | values


def add(clinic, count=1):
    by = actor_of(StaffMemberFactory(clinic=clinic, role=Role.OWNER, is_treating=False))
    for number in range(count):
        endpoint, _ = add_endpoint(
            clinic=clinic,
            name=f"Program {number}",
            url="https://example.com/",
            events=EVENTS,
            by=by,
            now=NOW,
        )
    return endpoint


def note(endpoint, count=1, **values):
    found = {
        "event": "session.booked",
        "body": '{"type": "session.booked"}',
        "occurred_at": NOW,
        "next_at": NOW,
    }
    return [
        HookDelivery.objects.create(
            clinic=endpoint.clinic,
            endpoint=endpoint,
            event_id=f"0b0e7f0a-3c3f-4a51-9ad5-7d7f5c1f2a{10 + number}",
            **(found | values),
        )
        for number in range(count)
    ]


def test_program_is_set_up_tried_paused_and_removed(owner, stub):
    code = "0b0e7f0a-3c3f-4a51-9ad5-7d7f5c1f2a10"
    made = owner.post(LIST, typed(stub.url, code=code))
    again = owner.post(LIST, typed(stub.url, code=code))
    secret = re.search(r"whsec_[\w+/=]{44}", made.content.decode())[0]
    page = f"{LIST}{code}/"

    assert (made.status_code, made["Cache-Control"], again.status_code) == (200, "no-store", 422)
    assert "This webhook is set up already." in words_of(again)
    assert secret not in owner.get(page).content.decode()

    failed = owner.post(f"{page}test/", follow=True)
    taken = owner.post(f"{page}test/", follow=True)

    assert "The test failed: 500 · the other side has a fault of its own" in words_of(failed)
    assert "The test was taken: 204" in words_of(taken)
    assert [call.badge.label for call in taken.context["calls"]] == ["Delivered", "Failed"]
    renewed = owner.post(f"{page}secret/")
    assert "For a day calls are signed with the former secret as well" in words_of(renewed)
    assert secret not in renewed.content.decode()
    paused = owner.post(f"{page}switch/", {"to": "off"}, follow=True)
    assert "What happens meanwhile is noted" in words_of(paused)

    asked = owner.get(f"{page}remove/")
    owner.post(f"{page}remove/")

    assert "the list of its calls is lost" in words_of(asked)
    assert owner.get(page).status_code == 404
    assert "Nobody is told yet" in words_of(owner.get(LIST))
    assert "Webhook removed" in words_of(owner.get("/settings/audit/"))


def test_wrong_fields_are_named_and_keep_what_was_typed(owner):
    page = owner.post(LIST, typed("http://10.0.0.1/", events=[], code="0b0e7f0a-3c3f-4a51-9ad5-7d7f5c1f2a10"))
    inside = owner.post(LIST, typed("https://10.0.0.1/", code="0b0e7f0a-3c3f-4a51-9ad5-7d7f5c1f2a10"))

    assert (page.status_code, inside.status_code) == (422, 422)
    assert page.context["form"].errors == {"events": ["Choose what it is told of."]}
    assert inside.context["form"].errors == {
        "url": ["The address lies inside a private network. Give one that is reached from outside."]
    }
    assert 'value="https://10.0.0.1/"' in inside.content.decode()
    assert not HookEndpoint.objects.exists()


def test_change_is_saved_and_what_is_wrong_refused(owner, clinic):
    endpoint = add(clinic)
    page = f"{LIST}{endpoint.code}/change/"

    wrong = owner.post(page, typed("https://localhost/"))
    right = owner.post(page, typed("https://example.org/new"))

    endpoint.refresh_from_db()
    assert (wrong.status_code, right.status_code) == (422, 302)
    assert (endpoint.name, endpoint.url, endpoint.events) == (
        "Accounting",
        "https://example.org/new",
        ["session.booked"],
    )


def test_call_says_what_was_sent_and_how_each_try_ended(owner, clinic):
    endpoint = add(clinic)
    tries = [
        {"at": NOW.isoformat(), "status": None, "error": "late", "ms": 10_003},
        {"at": NOW.isoformat(), "status": 404, "error": "", "ms": 12},
    ]
    (row,) = note(endpoint, tries=tries, attempt_count=2, state="failed", next_at=None, ended_at=NOW)
    page = f"{LIST}{endpoint.code}/calls/{row.code}/"

    shown = owner.get(page)
    owner.post(f"{page}again/")

    assert [(one.status, one.outcome, one.took) for one in shown.context["tries"]] == [
        ("404", "There is nothing at this address", "12 ms"),
        ("–", "No answer within ten seconds", "10003 ms"),
    ]
    assert f"webhook-id: {row.event_id}" in words_of(shown)
    row.refresh_from_db()
    assert (row.state, row.attempt_count) == ("waiting", 0)


@pytest.mark.parametrize(
    ("reason", "said", "explained"),
    [
        ("failing", "nothing got through for days", "for three days nothing got through"),
        ("gone", "the address said that it is gone for good", "answered that this address is gone for good"),
    ],
)
def test_endpoint_that_was_switched_off_is_said_on_every_page_of_an_owner(
    owner, clinic, browser_of, reason, said, explained
):
    endpoint = add(clinic)
    assert "was switched off" not in words_of(owner.get("/"))
    HookEndpoint.objects.filter(pk=endpoint.pk).update(state="off", off_reason=reason)

    assert f"The webhook “Program 0” was switched off: {said}." in words_of(owner.get("/"))
    assert explained in words_of(owner.get(f"{LIST}{endpoint.code}/"))
    assert "was switched off" not in words_of(browser_of(Role.RECEPTIONIST).get("/"))

    owner.post(f"{LIST}{endpoint.code}/switch/", {"to": "on"})

    assert "was switched off" not in words_of(owner.get("/"))


def test_pages_ask_as_much_for_three_rows_as_for_one(owner, clinic):
    def count(address):
        with CaptureQueriesContext(connection) as asked:
            owner.get(address)
        return len(asked)

    endpoint = add(clinic)
    note(endpoint)
    page = f"{LIST}{endpoint.code}/"
    owner.get(page)
    one = count(LIST), count(page)
    add(clinic, 2)
    HookDelivery.objects.all().delete()
    note(endpoint, 3, occurred_at=NOW - timedelta(minutes=1))

    assert (count(LIST), count(page)) == one
