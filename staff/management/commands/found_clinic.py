from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from audit.services import SYSTEM
from clinics.models import Clinic, Language, User
from clinics.services import start_clinic
from clinics.zones import guess_zone, zones_of
from staff.invitations import password_key


class Command(BaseCommand):
    help = "Found a clinic with its first owner, and print how the owner gets in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the clinic's name")
        parser.add_argument("--owner", required=True, help="the owner's e-mail address")
        parser.add_argument("--owner-name", default="", help="what the owner is called; else the address")
        parser.add_argument("--country", required=True, help="two letters, such as LV")
        parser.add_argument("--time-zone", default="", help="such as Europe/Riga; else the country's")
        parser.add_argument("--language", default=Language.ENGLISH, choices=Language.values)

    def handle(self, *, name: str, owner: str, country: str, language: str, **options: Any) -> None:
        address, country = User.objects.normalize_email(owner.strip()).lower(), country.upper()
        try:
            validate_email(address)
        except ValidationError as error:
            raise CommandError(f"--owner: {' '.join(error.messages)}") from error
        time_zone = options["time_zone"] or _zone(country)
        if Clinic.objects.filter(name=name, staff_members__user__email=address).exists():
            raise CommandError(f"{address} has a clinic of this name already.")
        try:
            with transaction.atomic():
                user, _is_new = User.objects.get_or_create(
                    email=address, defaults={"password": make_password(None), "language": language}
                )
                member = start_clinic(
                    name=name,
                    country=country,
                    time_zone=time_zone,
                    language=language,
                    owner=user,
                    display_name=options["owner_name"] or address,
                    by=SYSTEM,
                    now=timezone.now(),
                )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(
            f"{member.clinic.name} ({member.clinic.code}) is founded, with the clock of {time_zone}."
        )
        self.stdout.write(_way_in(user))


def _zone(country: str) -> str:
    zones = zones_of(country)
    if not zones:
        raise CommandError(f"--country: {country} is no country that is known.")
    zone = guess_zone(country)
    if not zone:
        raise CommandError(f"--time-zone: {country} has several: {', '.join(zones)}.")
    return zone


def _way_in(user: User) -> str:
    if user.has_usable_password():
        return f"{user.email} signs in as before: {settings.BASE_URL}{reverse('account_login')}"
    uid, _dash, key = password_key(user).partition("-")
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": key})
    return f"{user.email} chooses a password here, once and within three days: {settings.BASE_URL}{path}"
