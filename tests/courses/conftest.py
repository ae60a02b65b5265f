"""A clinic in Riga with one prescriber, one room, and a course that starts on Monday 2 March 2026."""

import pytest

from tests.courses.build import FIVE
from tests.factories import (
    ClientFactory,
    ClinicFactory,
    ProtocolFactory,
    RoomFactory,
    StaffMemberFactory,
    actor_of,
    prescribe,
)


@pytest.fixture
def clinic(db):
    return ClinicFactory()


@pytest.fixture
def member(clinic):
    return StaffMemberFactory(clinic=clinic)


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
def client_row(clinic):
    return ClientFactory(clinic=clinic)


@pytest.fixture
def protocol(clinic):
    return ProtocolFactory(clinic=clinic)


@pytest.fixture
def course(member, client_row, protocol):
    return prescribe(member=member, client=client_row, protocol=protocol)


@pytest.fixture
def five(member, client_row, protocol):
    """A course of five sessions, every one to two days, nothing booked."""
    return prescribe(member=member, client=client_row, protocol=protocol, phases=FIVE)


@pytest.fixture
def foreign_member(db):
    return StaffMemberFactory(clinic=ClinicFactory())
