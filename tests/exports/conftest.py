"""A clinic full of what must not get out, in every field that people can write."""

from datetime import date, time, timedelta
from types import SimpleNamespace

import pytest

from clients.models import ContactPoint
from clinics.models import Closure, Role
from courses.models import Flag, TreatmentSession
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
from tests.staff.conftest import NOW, START, TODAY, monday  # noqa: F401  # fixtures

# In every field; a name with it is a person's, and the sign in front makes it a formula besides.
CANARY = "Kanarina"


@pytest.fixture(autouse=True)
def export_folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"
    return settings.EXPORT_DIR


def make_world():
    """Return the owner of a clinic in which every free text is a formula with the canary in it."""
    clinic = ClinicFactory(name="Kalnina Clinic")
    owner = StaffMemberFactory(clinic=clinic, role=Role.OWNER, display_name=f"=Dr {CANARY}", is_treating=True)
    owner.user.email = f"{CANARY}@example.org".lower()
    owner.user.save(update_fields=["email"])
    client = ClientFactory(
        clinic=clinic,
        given_name=f"=cmd|' /C {CANARY}'!A0",
        family_name=f"＝{CANARY}",
        birth_on=date(1986, 3, 9),
        health_notes=f"\t=1+1 {CANARY};=2\r\nsecond line",
    )
    ContactPoint.objects.create(
        clinic=clinic, client=client, channel="email", value=f"{CANARY}@example.com".lower()
    )
    ContactPoint.objects.create(clinic=clinic, client=client, channel="sms", value="+37126543210")
    protocol = ProtocolFactory(
        clinic=clinic, slug=CANARY.lower(), name_en=f"@{CANARY}", modality=f"+{CANARY}"
    )
    course = prescribe(now=START, member=owner, client=client, protocol=protocol, practitioner=owner)
    attend(course, [date(2026, 3, 2), date(2026, 3, 4)], time(10))
    room = RoomFactory(clinic=clinic, name=f"-{CANARY}")
    book(course, TODAY, time(11), now=NOW, room=room)
    TreatmentSession.objects.for_clinic(clinic).update(
        note=f"\x01=1 {CANARY}", cancel_reason=f" \u200b=1 {CANARY}", correction_reason=CANARY
    )
    Flag.objects.for_clinic(clinic).filter(kind="overdue").update(
        acknowledged_at=NOW, acknowledged_by=owner, acknowledged_note=f"=1 {CANARY}"
    )
    Closure.objects.create(
        clinic=clinic,
        from_on=TODAY + timedelta(days=20),
        to_on=TODAY + timedelta(days=20),
        reason=f"=1 {CANARY}",
    )
    return owner


_WORLD = Mould(make_world, now=NOW)


@pytest.fixture
def owner(db):
    return _WORLD.cast()


@pytest.fixture
def world(owner):
    clinic = owner.clinic
    return SimpleNamespace(
        clinic=clinic,
        owner=owner,
        course=clinic.courses.get(),
        client=clinic.clients.get(),
        session=clinic.sessions.get(status="booked"),
    )
