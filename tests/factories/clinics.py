"""A clinic in Riga, open Monday to Saturday from nine to seven."""

from datetime import UTC, datetime, time
from typing import Any

import factory
from factory.django import DjangoModelFactory

from audit.models import ActorKind
from audit.services import Actor
from clinics.models import Clinic, OpeningHours, Role, Room, StaffMember, User

FOUNDED = datetime(2026, 1, 1, tzinfo=UTC)


class ClinicFactory(DjangoModelFactory):
    class Meta:
        model = Clinic
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Clinic {n}")
    time_zone = "Europe/Riga"
    language = "en"
    country = "LV"
    phone = "+37120000000"
    address = "Brivibas iela 1, Riga"
    created_at = FOUNDED

    @factory.post_generation
    def weekdays(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        """The open weekdays, Monday to Saturday unless told."""
        OpeningHours.objects.bulk_create(
            OpeningHours(clinic=self, weekday=weekday, opens_time=time(9), closes_time=time(19))
            for weekday in extracted or (1, 2, 3, 4, 5, 6)
        )


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"staff{n}@example.com")

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> User:
        return User.objects.create_user(kwargs.pop("email"), kwargs.pop("password", None), **kwargs)


class StaffMemberFactory(DjangoModelFactory):
    class Meta:
        model = StaffMember

    clinic = factory.SubFactory(ClinicFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.PRESCRIBER
    display_name = factory.Sequence(lambda n: f"Practitioner {n}")
    is_treating = True
    position = factory.Sequence(lambda n: n)


class RoomFactory(DjangoModelFactory):
    class Meta:
        model = Room

    clinic = factory.SubFactory(ClinicFactory)
    name = factory.Sequence(lambda n: f"Room {n}")
    position = factory.Sequence(lambda n: n)


def actor_of(member: StaffMember) -> Actor:
    """Return the actor that a staff member is."""
    return Actor(ActorKind.STAFF, code=member.code, staff_member_id=member.pk)
