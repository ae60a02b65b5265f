"""A clinic in Riga on Monday 9 March 2026 at ten, its people logged in, and a course with bookings."""

from datetime import UTC, date, datetime, time
from functools import partial

import pytest
import time_machine
from django.test import Client as Browser

from clinics.models import Role
from tests.factories import (
    ClientFactory,
    ClinicFactory,
    ProtocolFactory,
    RoomFactory,
    StaffMemberFactory,
    attend,
    book,
    prescribe,
)
from tests.factories.moulds import Mould

TODAY = date(2026, 3, 9)
NOW = datetime(2026, 3, 9, 8, tzinfo=UTC)
START = datetime(2026, 3, 2, 4, tzinfo=UTC)
THURSDAY = datetime(2026, 3, 5, 8, tzinfo=UTC)
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
HTMX = {"HX-Request": "true"}


def make_clinic():
    return ClinicFactory(name="Kalnina Clinic")


def make_prescriber(clinic):
    return StaffMemberFactory(clinic=clinic, role=Role.PRESCRIBER, display_name="Dr Ozola")


def make_protocol(clinic):
    return ProtocolFactory(clinic=clinic, slug="manual")


def prescribe_to(prescriber, protocol, *, given_name="Anna", family_name="Berzina", attended=(2, 4), at=10):
    client = ClientFactory(
        clinic=prescriber.clinic,
        given_name=given_name,
        family_name=family_name,
        search_text=f"{given_name} {family_name}".lower(),
    )
    course = prescribe(
        now=START, member=prescriber, client=client, protocol=protocol, practitioner=prescriber
    )
    if attended:
        attend(course, [date(2026, 3, number) for number in attended], time(at))
    return course


def make_usual():
    clinic = make_clinic()
    return prescribe_to(make_prescriber(clinic), make_protocol(clinic))


_USUAL = Mould(make_usual, now=NOW)


@pytest.fixture(autouse=True)
def monday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def usual(db, request):
    """The clinic in which a test that asks for `course` finds itself; none for other tests."""
    return _USUAL.cast() if "course" in request.fixturenames else None


@pytest.fixture
def clinic(usual, db):
    return usual.clinic if usual else make_clinic()


@pytest.fixture
def prescriber(usual, clinic):
    return usual.prescribed_by if usual else make_prescriber(clinic)


@pytest.fixture
def room(clinic):
    return RoomFactory(clinic=clinic, name="Room 1")


@pytest.fixture
def protocol(usual, clinic):
    return usual.protocol if usual else make_protocol(clinic)


@pytest.fixture
def log_in():
    """Return a function that logs a staff member in and gives their browser."""

    def log_in(member):
        browser = Browser()
        browser.force_login(member.user, backend=BACKEND)
        return browser

    return log_in


@pytest.fixture
def browser_of(clinic, log_in):
    """Return a function that gives the browser of a new member of the clinic with a role."""

    def browser_of(role, **fields):
        return log_in(StaffMemberFactory(clinic=clinic, role=role, is_treating=False, **fields))

    return browser_of


@pytest.fixture
def reception(browser_of):
    return browser_of(Role.RECEPTIONIST)


@pytest.fixture
def make_course(prescriber, protocol):
    """Return a function that prescribes a course, attended on the 2nd and 4th unless told."""
    return partial(prescribe_to, prescriber, protocol)


@pytest.fixture
def course(usual):
    return usual


@pytest.fixture
def session(course, room):
    """A booking of today at eleven: the third session."""
    return book(course, TODAY, time(11), now=NOW, room=room)
