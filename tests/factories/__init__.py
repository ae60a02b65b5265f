"""Factories without surprises: what a test needs and nothing else; courses are made by the services, their past as rows."""

from tests.factories.clinics import (
    ClinicFactory,
    RoomFactory,
    StaffMemberFactory,
    UserFactory,
    actor_of,
)
from tests.factories.courses import (
    ClientFactory,
    CourseFactory,
    ProtocolFactory,
    attend,
    book,
    intensive,
    maintenance,
    prescribe,
)

__all__ = [
    "ClientFactory",
    "ClinicFactory",
    "CourseFactory",
    "ProtocolFactory",
    "RoomFactory",
    "StaffMemberFactory",
    "UserFactory",
    "actor_of",
    "attend",
    "book",
    "intensive",
    "maintenance",
    "prescribe",
]
