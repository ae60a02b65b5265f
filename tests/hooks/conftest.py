"""An endpoint of the usual clinic, and a receiver on this machine that plays the other side."""

import json

import pytest

from hooks.core import EVENTS
from hooks.models import HookDelivery
from hooks.services.endpoints import add_endpoint
from hooks.services.sending import send_calls
from tests.courses.build import MONDAY
from tests.courses.conftest import (  # noqa: F401  # fixtures of the usual clinic
    by,
    client_row,
    clinic,
    course,
    five,
    member,
    protocol,
    room,
    usual,
)
from tests.reminders.provider_stub import Stub, serving


@pytest.fixture
def stub(settings):
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    with serving(Stub()) as stub:
        yield stub


@pytest.fixture
def add(clinic, by, settings):  # noqa: F811
    """A function that sets up an endpoint and returns it with its secret."""
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]

    def add(url="http://127.0.0.1:9/hook", events=EVENTS, name="Accounting"):
        endpoint, secret = add_endpoint(clinic=clinic, name=name, url=url, events=events, by=by, now=MONDAY)
        clinic.refresh_from_db()
        return endpoint, secret

    return add


@pytest.fixture
def told():
    """A function that returns what was noted so far, oldest first, and what it says."""

    def told(endpoint=None):
        rows = HookDelivery.objects.order_by("pk")
        if endpoint is not None:
            rows = rows.filter(endpoint=endpoint)
        return [(row.event, json.loads(row.body)["data"]) for row in rows]

    return told


@pytest.fixture
def send():
    """A function that makes the calls that are due at an instant, until none is."""

    def send(now=MONDAY):
        return send_calls(seconds=30, clock=lambda: now)

    return send
