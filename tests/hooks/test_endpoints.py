"""Endpoints: what may be typed, what is on record, and what is forgotten."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from audit.models import AuditEvent
from hooks.core import EVENTS
from hooks.models import HookDelivery, HookEndpoint
from hooks.services.endpoints import (
    MOST_ENDPOINTS,
    add_endpoint,
    endpoints_of,
    remove_endpoint,
    renew_secret,
    secrets_of,
    switch_endpoint,
)
from tests.courses.build import MONDAY, fresh_course, march
from tests.factories import book

pytestmark = pytest.mark.django_db
GOOD = {"name": "Accounting", "url": "https://example.com/hook", "events": ["session.booked"]}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "A\nB"}, "name"),
        ({"events": []}, "events"),
        ({"events": ["session.dreamt"]}, "events"),
        ({"url": "http://example.com/hook"}, "url"),
        ({"url": "ftp://example.com/"}, "url"),
        ({"url": "https://localhost/"}, "url"),
        ({"url": "https://10.0.0.7/"}, "url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "https://2130706433/"}, "url"),
        ({"url": "https://[::1]/"}, "url"),
        ({"url": "https://me:secret@example.com/"}, "url"),
        ({"url": "https://example.com/a b"}, "url"),
        ({"url": "https://example.com/" + "a" * 500}, "url"),
        ({"url": "https://пример.рф/"}, "url"),
        ({"url": ""}, "url"),
    ],
)
def test_what_cannot_be_called_is_refused_by_field(clinic, by, typed, field):
    with pytest.raises(ValidationError) as caught:
        add_endpoint(clinic=clinic, by=by, now=MONDAY, **(GOOD | typed))

    assert list(caught.value.message_dict) == [field]
    assert not HookEndpoint.objects.exists()


def test_secret_is_sealed_and_neither_it_nor_the_address_is_on_record(clinic, by):
    url = "https://example.com/hook?key=4711"
    endpoint, secret = add_endpoint(clinic=clinic, by=by, now=MONDAY, **(GOOD | {"url": url}))
    renewed, present = renew_secret(endpoint=endpoint, by=by, now=MONDAY)

    assert secret.startswith("whsec_")
    assert secret not in endpoint.sealed_secrets
    assert secrets_of(renewed, now=MONDAY) == [present, secret]
    events = AuditEvent.objects.filter(subject_kind="webhook").order_by("pk")
    assert [(event.action, event.new) for event in events] == [
        ("webhook.added", {"host": "example.com", "events": ["session.booked"]}),
        ("webhook.secret_renewed", {}),
    ]


def test_same_form_twice_makes_one(clinic, by):
    code = "0b0e7f0a-3c3f-4a51-9ad5-7d7f5c1f2a10"
    add_endpoint(clinic=clinic, by=by, now=MONDAY, code=code, **GOOD)

    with pytest.raises(ValidationError) as caught:
        add_endpoint(clinic=clinic, by=by, now=MONDAY, code=code, **GOOD)
    assert caught.value.code == "endpoint_taken"


def test_clinic_has_so_many_and_no_more(clinic, by):
    for _ in range(MOST_ENDPOINTS):
        endpoint, _secret = add_endpoint(clinic=clinic, by=by, now=MONDAY, **GOOD)
    with pytest.raises(ValidationError) as caught:
        add_endpoint(clinic=clinic, by=by, now=MONDAY, **GOOD)
    assert caught.value.code == "too_many"

    remove_endpoint(endpoint=endpoint, by=by, now=MONDAY)
    add_endpoint(clinic=clinic, by=by, now=MONDAY, **GOOD)


def test_removed_endpoint_leaves_neither_address_nor_secret_nor_calls(add, course, by, clinic):
    endpoint, _ = add()
    book(fresh_course(course), march(3), now=MONDAY)
    assert HookDelivery.objects.exists()

    for _ in range(2):
        remove_endpoint(endpoint=endpoint, by=by, now=MONDAY)

    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.url, endpoint.sealed_secrets) == ("removed", "", "")
    assert not HookDelivery.objects.exists()
    assert not endpoints_of(clinic).exists()
    assert AuditEvent.objects.filter(action="webhook.removed").count() == 1


def test_pressing_twice_is_one_act(add, by):
    endpoint, _ = add()
    for is_active in (False, False, True, True):
        switch_endpoint(endpoint=endpoint, is_active=is_active, by=by, now=MONDAY)

    actions = AuditEvent.objects.filter(subject_code=endpoint.code).order_by("pk")
    assert [event.action for event in actions] == ["webhook.added", "webhook.paused", "webhook.resumed"]


@pytest.mark.parametrize(
    ("model", "values"),
    [
        ("endpoint", {"state": "off", "off_reason": ""}),
        ("endpoint", {"state": "active", "off_reason": "gone"}),
        ("endpoint", {"failure_count": 1, "failing_since": None}),
        ("delivery", {"state": "waiting", "next_at": None}),
        ("delivery", {"state": "delivered", "ended_at": None}),
    ],
)
def test_database_refuses_what_cannot_be(add, course, model, values):
    endpoint, _ = add(events=EVENTS)
    book(fresh_course(course), march(3), now=MONDAY)
    row = endpoint if model == "endpoint" else HookDelivery.objects.first()
    rows = type(row).objects.filter(pk=row.pk)

    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(**values)


def test_one_event_is_one_row_an_endpoint(add, course):
    add(events=["session.booked"])
    book(fresh_course(course), march(3), now=MONDAY)
    row = HookDelivery.objects.get()
    row.pk, row.code = None, "0b0e7f0a-3c3f-4a51-9ad5-7d7f5c1f2a10"

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)
