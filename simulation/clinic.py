"""A clinic to play with: people, rooms, hours, closures and protocols, through the services."""

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from audit.models import ActorKind
from audit.services import SYSTEM, Actor
from clients.models import Client
from clients.services import Contacts, register_client
from clinics.models import Clinic, Role, StaffMember, User
from clinics.public_holidays import find_public_holidays
from clinics.services import add_room, add_staff_member, create_clinic
from courses.services import add_absence, add_closure, set_opening_hours
from courses.services.library import load_library
from simulation.people import invent_people

DEMO_PASSWORD: Final = "regimen-demo"  # noqa: S105  # shown on the login page of a demo, which never meets real data

# (name, role, treats, e-mail)
_TEAM: Final = (
    ("Dr. Marija Liepa", Role.OWNER, False, "owner@demo.example.com"),
    ("Dr. Pēteris Kalns", Role.PRESCRIBER, False, "prescriber@demo.example.com"),
    ("Anna Bite", Role.PRACTITIONER, True, "practitioner@demo.example.com"),
    ("Sergejs Morozovs", Role.PRACTITIONER, True, "practitioner2@demo.example.com"),
    ("Līga Straume", Role.PRACTITIONER, True, "practitioner3@demo.example.com"),
    ("Jana Rūsiņa", Role.RECEPTIONIST, False, "reception@demo.example.com"),
    ("Viktors Upe", Role.ANALYST, False, "analyst@demo.example.com"),
)


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of a simulated clinic and who acts for it."""

    clinic: Clinic
    prescriber: StaffMember
    receptionist: StaffMember
    practitioners: tuple[StaffMember, ...]
    clients: tuple[Client, ...]

    @property
    def doctor(self) -> Actor:
        """The prescriber as an actor."""
        return actor_of(self.prescriber)

    @property
    def desk(self) -> Actor:
        """The receptionist as an actor."""
        return actor_of(self.receptionist)


def actor_of(member: StaffMember) -> Actor:
    """Return the actor that a staff member is."""
    return Actor(ActorKind.STAFF, code=member.code, staff_member_id=member.pk)


def found_clinic(
    *,
    rng: random.Random,
    now: datetime,
    client_count: int,
    first_on: date,
    last_on: date,
    password: str | None,
    today: date | None = None,
) -> Cast:
    """Found a clinic with its team, rooms, hours, closures between the dates, protocols and clients.

    The clinic is open on `today`, whatever day that is.
    """
    clinic = create_clinic(
        name="Regimen Demo Clinic",
        time_zone="Europe/Riga",
        by=SYSTEM,
        now=now,
        language="en",
        country="LV",
        address="Elizabetes iela 1, Riga",
        phone="+371 60000000",
        sender_name="Regimen Demo Clinic",
        is_demo=True,
    )
    team = [
        add_staff_member(
            clinic=clinic,
            user=User.objects.create_user(email, password),
            role=role,
            display_name=name,
            by=SYSTEM,
            now=now,
            is_treating=treats,
        )
        for name, role, treats, email in _TEAM
    ]
    # Who opens the clinic and who runs the desk read the morning's summary.
    for member in (team[0], team[5]):
        member.gets_digest = True
        member.save(update_fields=["gets_digest"])
    for number in range(1, 5):
        add_room(clinic=clinic, name=f"Room {number}", by=SYSTEM, now=now)
    _open_clinic(clinic, team, rng, now=now, first_on=first_on, last_on=last_on, today=today or first_on)
    load_library(clinic=clinic, by=SYSTEM, now=now)
    clients = _register_clients(clinic, rng, client_count, now=now)
    return Cast(clinic, team[1], team[5], tuple(member for member in team if member.is_treating), clients)


def _register_clients(clinic: Clinic, rng: random.Random, count: int, *, now: datetime) -> tuple[Client, ...]:
    return tuple(
        register_client(
            clinic=clinic,
            contacts=Contacts(person.email, person.phone, frozenset({"email"})),
            by=SYSTEM,
            now=now,
            given_name=person.given_name,
            family_name=person.family_name,
            language=person.language,
            birth_on=person.birth_on,
            **person.wishes,
        )
        for person in invent_people(rng, count)
    )


def _open_clinic(
    clinic: Clinic,
    team: list[StaffMember],
    rng: random.Random,
    *,
    now: datetime,
    first_on: date,
    last_on: date,
    today: date,
) -> None:
    # Whoever looks at the demo on a Sunday finds the clinic at work; it then rests on Mondays.
    short, closed = (6, 7) if today.isoweekday() != 7 else (7, 1)
    week = [(weekday, time(9), time(20)) for weekday in range(1, 8) if weekday not in (short, closed)]
    set_opening_hours(clinic=clinic, hours=[*week, (short, time(10), time(16))], by=SYSTEM, now=now)
    for year in range(first_on.year, last_on.year + 1):
        for day, name in find_public_holidays(clinic.country, year, language=clinic.language).items():
            if first_on <= day <= last_on and day != today:
                add_closure(clinic=clinic, from_on=day, to_on=day, by=SYSTEM, now=now, reason=name)
    away = first_on + timedelta(days=rng.randint(40, 60))
    add_absence(
        practitioner=team[3],
        from_on=away,
        to_on=away + timedelta(days=6),
        by=SYSTEM,
        now=now,
        reason="Holiday",
    )
