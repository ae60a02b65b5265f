"""Founding clinics and giving them people and rooms; who may do what."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from audit.models import AuditEvent
from audit.services import SYSTEM
from clinics.access import CAPABILITIES, Capability, is_allowed
from clinics.models import Clinic, Role, Room, StaffMember
from clinics.services import add_room, add_staff_member, choose_language, create_clinic
from tests.factories import ClinicFactory, RoomFactory, StaffMemberFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)


def test_clinic_is_founded_with_its_zone():
    clinic = create_clinic(name=" Riga ", time_zone="Europe/Riga", by=SYSTEM, now=NOW, language="ru")

    assert Clinic.objects.values_list("name", "time_zone", "language", "created_at").get() == (
        "Riga",
        "Europe/Riga",
        "ru",
        NOW,
    )
    assert AuditEvent.objects.values_list("action", "clinic_code").get() == ("clinic.created", clinic.code)


@pytest.mark.parametrize(
    ("name", "zone", "slot"),
    [
        ("", "Europe/Riga", 15),
        ("Riga", "Mars/Base", 15),
        ("Riga", "localtime", 15),
        ("Riga", "Europe/Riga", 0),
    ],
)
def test_impossible_clinic_is_refused(name, zone, slot):
    with pytest.raises(ValidationError):
        create_clinic(name=name, time_zone=zone, by=SYSTEM, now=NOW, slot_step_minutes=slot)
    assert (Clinic.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_user_has_one_role_in_a_clinic_and_may_have_others_elsewhere():
    first, second, user = ClinicFactory(), ClinicFactory(), UserFactory()
    arguments = {"user": user, "display_name": "Eva", "by": SYSTEM, "now": NOW}

    add_staff_member(clinic=first, role="owner", **arguments)
    add_staff_member(clinic=second, role="analyst", **arguments)

    for clinic, role in ((first, "analyst"), (ClinicFactory(), "wizard")):
        with pytest.raises(ValidationError):
            add_staff_member(clinic=clinic, role=role, **arguments)
    assert list(StaffMember.objects.order_by("pk").values_list("clinic", "role")) == [
        (first.pk, "owner"),
        (second.pk, "analyst"),
    ]


def test_room_name_is_taken_once_in_a_clinic():
    room = RoomFactory()

    for name in (room.name, " "):
        with pytest.raises(ValidationError):
            add_room(clinic=room.clinic, name=name, by=SYSTEM, now=NOW)
    add_room(clinic=ClinicFactory(), name=room.name, by=SYSTEM, now=NOW)
    assert Room.objects.count() == 2


def test_language_is_one_that_the_product_speaks():
    user = UserFactory()

    choose_language(user=user, language="ru", by=SYSTEM, now=NOW)
    with pytest.raises(ValidationError):
        choose_language(user=user, language="xx", by=SYSTEM, now=NOW)

    user.refresh_from_db()
    assert user.language == "ru"
    assert AuditEvent.objects.values_list("old", "new").get() == ({"language": ""}, {"language": "ru"})


def test_roles_hold_exactly_what_they_need():
    held = {role: sorted(capability.value for capability in found) for role, found in CAPABILITIES.items()}

    assert held == {
        "owner": ["book", "export", "manage", "prescribe", "read", "record"],
        "prescriber": ["book", "prescribe", "read", "record"],
        "practitioner": ["read", "record"],
        "receptionist": ["book", "read", "record"],
        "analyst": ["export", "read"],
    }
    assert set(CAPABILITIES) == set(Role)
    assert is_allowed(StaffMemberFactory.build(role="analyst", clinic=None, user=None), Capability.EXPORT)
