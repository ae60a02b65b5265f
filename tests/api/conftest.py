"""The staff's usual clinic on Monday 9 March 2026, programs with tokens for it, and one for a clinic elsewhere."""

from datetime import date, time
from types import SimpleNamespace

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client as Browser

from clients.models import Channel
from clinics.models import Role
from clinics.tokens import issue_token
from courses.models import Flag, Pause
from courses.services import pause_course
from reminders.models import Reminder
from tests.factories import ClinicFactory, RoomFactory, StaffMemberFactory, actor_of, book
from tests.factories.moulds import Mould
from tests.staff.conftest import NOW, TODAY, make_usual, prescribe_to

WEDNESDAY = date(2026, 3, 11)


class Program:
    """A clinic's program: asks with its token, sends and takes JSON."""

    def __init__(self, token, key):
        self.token, self.key = token, key
        self.browser = Browser(headers={"Authorization": f"Bearer {key}"})

    def get(self, path, **headers):
        return self.browser.get(f"/api/v1/{path}", headers=_named(headers))

    def post(self, path, body=None, **headers):
        return self.send("post", path, body, **headers)

    def patch(self, path, body=None, **headers):
        return self.send("patch", path, body, **headers)

    def send(self, verb, path, body=None, **headers):
        send = getattr(self.browser, verb)
        return send(f"/api/v1/{path}", body or {}, content_type="application/json", headers=_named(headers))


def _named(headers):
    return {name.replace("_", "-"): value for name, value in headers.items()}


def make_world():
    """Return a clinic with one of everything that the API can name, and a token for each scope."""
    course = make_usual()
    clinic, prescriber = course.clinic, course.prescribed_by
    owner = StaffMemberFactory(clinic=clinic, role=Role.OWNER, display_name="Ilze", is_treating=False)
    room = RoomFactory(clinic=clinic, name="Room 1")
    session = book(course, TODAY, time(11), now=NOW, room=room)
    later = book(course, WEDNESDAY, time(11), now=NOW, room=room)
    other = prescribe_to(prescriber, course.protocol, given_name="Karl", family_name="Liepa", at=14)
    pause = pause_course(
        course=other,
        from_on=date(2026, 3, 20),
        to_on=date(2026, 3, 22),
        reason="travel",
        by=actor_of(prescriber),
        now=NOW,
    )
    tokens = {scope: token_for(owner, scope) for scope in ("read", "write", "reports", "export")}
    return SimpleNamespace(
        clinic=clinic,
        prescriber=prescriber,
        owner=owner,
        room=room,
        course=course,
        client=course.client,
        protocol=course.protocol,
        session=session,
        later=later,
        other=other,
        pause=Pause.objects.get(pk=pause.pk),
        flag=Flag.objects.filter(course=other, resolved_at=None).first(),
        reminder=Reminder.objects.filter(session=later, channel=Channel.EMAIL).first(),
        tokens=tokens,
    )


def token_for(owner, *scopes):
    return issue_token(
        clinic=owner.clinic,
        name=f"Program that may {' and '.join(scopes)}",
        scopes=scopes,
        expires_on=date(2027, 3, 9),
        by=actor_of(owner),
        now=NOW,
    )


_WORLD = Mould(make_world, now=NOW)


@pytest.fixture(autouse=True)
def fresh_counts():
    """Requests are counted in the cache, which is Redis where there is one."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def clock():
    """Monday morning, until the test moves it."""
    with time_machine.travel(NOW, tick=False) as moved:
        yield moved


@pytest.fixture
def world(db, clock):
    return _WORLD.cast()


@pytest.fixture
def reader(world):
    return Program(*world.tokens["read"])


@pytest.fixture
def writer(world):
    return Program(*world.tokens["write"])


@pytest.fixture
def reporter(world):
    return Program(*world.tokens["reports"])


@pytest.fixture
def exporter(world):
    return Program(*world.tokens["export"])


@pytest.fixture
def stranger(world):
    """A program of another clinic that may everything."""
    owner = StaffMemberFactory(clinic=ClinicFactory(name="Elsewhere"), role=Role.OWNER)
    return Program(*token_for(owner, "read", "write", "reports", "export"))
