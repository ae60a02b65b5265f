"""A clinic in Riga with one prescriber, one room, and a course that starts on Monday 2 March 2026."""

from functools import partial

import pytest

from tests.courses.build import FIVE, MONDAY
from tests.factories import (
    ClientFactory,
    ClinicFactory,
    ProtocolFactory,
    RoomFactory,
    StaffMemberFactory,
    actor_of,
    prescribe,
)
from tests.factories.moulds import Mould


def make_course(**options):
    member = StaffMemberFactory(clinic=ClinicFactory())
    client_row, protocol = ClientFactory(clinic=member.clinic), ProtocolFactory(clinic=member.clinic)
    return prescribe(member=member, client=client_row, protocol=protocol, **options)


_USUAL = {
    "course": Mould(make_course, now=MONDAY),
    "five": Mould(partial(make_course, phases=FIVE), now=MONDAY),
}


@pytest.fixture
def usual(db, request):
    """The course with which a test that asks for one begins, and its clinic; none for other tests."""
    asked = [name for name in _USUAL if name in request.fixturenames]
    return _USUAL[asked[0]].cast() if len(asked) == 1 else None


@pytest.fixture
def clinic(usual, db):
    return usual.clinic if usual else ClinicFactory()


@pytest.fixture
def member(usual, clinic):
    return usual.prescribed_by if usual else StaffMemberFactory(clinic=clinic)


@pytest.fixture
def by(member):
    return actor_of(member)


@pytest.fixture
def receptionist(clinic):
    return actor_of(StaffMemberFactory(clinic=clinic, role="receptionist", is_treating=False))


@pytest.fixture
def room(clinic):
    return RoomFactory(clinic=clinic)


@pytest.fixture
def client_row(usual, clinic):
    return usual.client if usual else ClientFactory(clinic=clinic)


@pytest.fixture
def protocol(usual, clinic):
    return usual.protocol if usual else ProtocolFactory(clinic=clinic)


@pytest.fixture
def course(usual, member, client_row, protocol):
    return usual or prescribe(member=member, client=client_row, protocol=protocol)


@pytest.fixture
def five(usual, member, client_row, protocol):
    """A course of five sessions, every one to two days, nothing booked."""
    return usual or prescribe(member=member, client=client_row, protocol=protocol, phases=FIVE)


@pytest.fixture
def foreign_member(db):
    return StaffMemberFactory(clinic=ClinicFactory())
