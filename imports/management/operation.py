"""What both commands share: a file is checked, and with --apply imported; problems are named by row."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.models import ActorKind
from audit.services import Actor
from clinics.models import Clinic, Role, StaffMember
from courses.errors import CourseError
from imports.models import ImportBatch, RowOutcome
from imports.services import (
    begin_applying,
    choose_columns,
    count_outcomes,
    discard,
    run_all,
    start_import,
)
from imports.words import field_words


class ImportCommand(BaseCommand):
    """Reads FILE; without --apply nothing is changed. Exit 1 where a row was refused."""

    kind = ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, metavar="FILE", help="CSV or .xlsx, the first line names the columns"
        )
        parser.add_argument(
            "--apply", action="store_true", help="import what is sound; else it is only checked"
        )
        parser.add_argument("--clinic", type=UUID, help="the clinic's code, where there is more than one")
        parser.add_argument("--by", help="e-mail of the member of staff who imports; else the first owner")

    def handle(self, *, file: Path, apply: bool, clinic: UUID | None, by: str | None, **options: Any) -> None:
        member = find_member(clinic, by)
        actor = Actor(ActorKind.STAFF, code=member.code, staff_member_id=member.pk)
        now = timezone.now()
        try:
            batch = start_import(
                clinic=member.clinic,
                kind=self.kind,
                file_name=file.name,
                content=file.read_bytes(),
                by=actor,
                now=now,
                language="en",
            )
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}.") from error
        except CourseError as error:
            raise CommandError(f"{file}: {error.message}") from error
        try:
            batch = choose_columns(batch=batch, columns=batch.columns)
            run_all(batch, "imports.check", by=actor, now=now)
            self._tell(batch)
            if apply and any(outcome in count_outcomes(batch) for outcome in ("new", "changed")):
                batch = begin_applying(batch=batch, by=actor, now=now)
                run_all(batch, "imports.apply", by=actor, now=now)
                self.stdout.write(_counted(batch))
        except CourseError as error:
            named = "; ".join(f"{field_words(name)}: {text}" for name, text in error.fields.items())
            raise CommandError(named or error.message) from error
        finally:
            batch.refresh_from_db()
            if batch.is_open:
                discard(batch=batch)
        if batch.pk and RowOutcome.REFUSED in self.seen:
            raise CommandError("Mend the rows named above and import the file again.", returncode=1)

    def _tell(self, batch: ImportBatch) -> None:
        self.seen = count_outcomes(batch)
        for row in batch.rows.filter(outcome=RowOutcome.REFUSED):
            for name, sentence in row.problems:
                where = f"{field_words(name)}: " if name else ""
                self.stdout.write(f"row {row.number}: {where}{sentence}")
        self.stdout.write(_counted(batch))


def _counted(batch: ImportBatch) -> str:
    counts = count_outcomes(batch)
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))


def find_member(clinic_code: UUID | None, email: str | None) -> StaffMember:
    """Return who acts: the member with the e-mail, else the clinic's first owner.

    Raises: CommandError where the clinic is not the only one and not named, or has no such member.
    """
    clinics = Clinic.objects.order_by("pk")
    if clinic_code is not None:
        clinics = clinics.filter(code=clinic_code)
    if len(clinics) != 1:
        raise CommandError("--clinic: name one clinic by its code.")
    members = StaffMember.objects.for_clinic(clinics[0]).filter(is_active=True).select_related("clinic")
    found = members.filter(user__email__iexact=email) if email else members.filter(role=Role.OWNER)
    member = found.first()
    if member is None:
        raise CommandError(
            "--by: nobody of the clinic has this e-mail." if email else "The clinic has no owner."
        )
    return member
