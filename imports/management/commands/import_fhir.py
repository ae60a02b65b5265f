import sys
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.text import capfirst

from audit.models import ActorKind
from audit.services import Actor
from clients.models import Client
from clinics.models import StaffMember
from courses.convert import local_today
from courses.core.fhir import ReadPrescription
from courses.errors import CourseError
from courses.models import Protocol
from courses.prescription_words import phase_words, prescription_words
from courses.services import CourseDraft, check_draft, prescribe_course
from imports.fhir import MOST_BYTES, read_file, refusal_words
from imports.management.operation import find_member


class Command(BaseCommand):
    help = (
        "Read a prescription from a FHIR file (Timing, ServiceRequest, CarePlan or Bundle) and say what it is; "
        "with --apply prescribe it. Exit 1 when it cannot be kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="JSON, or - for the input")
        parser.add_argument(
            "--apply", action="store_true", help="prescribe the course; else nothing is changed"
        )
        parser.add_argument("--client", type=UUID, help="the client's code; else the one that the file names")
        parser.add_argument("--protocol", help="the protocol's slug; else the one that the file names")
        parser.add_argument(
            "--start", type=date.fromisoformat, help="YYYY-MM-DD; else as the file says, else today"
        )
        parser.add_argument("--clinic", type=UUID, help="the clinic's code, where there is more than one")
        parser.add_argument("--by", help="e-mail of the prescriber; else the first owner")

    def handle(
        self,
        *,
        file: str,
        apply: bool,
        client: UUID | None,
        protocol: str | None,
        start: date | None,
        clinic: UUID | None,
        by: str | None,
        **options: Any,
    ) -> None:
        now = timezone.now()
        try:
            read = read_file(_content(file))
            self._tell(read)
            member = find_member(clinic, by)
            draft = CourseDraft(
                clinic=member.clinic,
                client=_find_client(member, str(client or read.client_code)),
                protocol=_find_protocol(member, protocol, read.protocol_code),
                start_on=start or read.start_on or local_today(member.clinic, now),
                phases=read.phases,
                minutes_by_session=read.minutes_by_session if any(read.minutes_by_session) else (),
            )
            check_draft(draft, now=now)
            self.stdout.write(
                f"{'Prescribes' if apply else 'Would prescribe'} {draft.protocol.slug} to client {draft.client.code} "
                f"from {draft.start_on}, as {member.get_role_display()}; nothing is booked."
            )
            if apply:
                actor = Actor(ActorKind.STAFF, code=member.code, staff_member_id=member.pk)
                course = prescribe_course(draft=draft, by=actor, now=now)
                self.stdout.write(f"Course {course.code}.")
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}.") from error
        except CourseError as error:
            named = "\n".join(f"{path}: {sentence}" for path, sentence in error.fields.items())
            raise CommandError(named or error.message) from error

    def _tell(self, read: ReadPrescription) -> None:
        """Write the prescription in words, what each phase gives and forgives, and what is left out."""
        self.stdout.write(capfirst(prescription_words(read.phases)) + ".")
        for number, phase in enumerate(read.phases, 1):
            cadence = phase.cadence
            self.stdout.write(
                f"Phase {number}, {phase.kind}: {phase_words(phase)}; rest {cadence.rest_days}, "
                f"flex {cadence.flex_days}, grace {phase.grace_days}, lapse {phase.lapse_days} days."
            )
        for note in read.notes:
            self.stdout.write(f"{note.path}: {refusal_words(note)}")
        if read.phases_ended or read.restarts:
            self.stdout.write("Left out, since a new course begins: phases ended early, and restarts.")


def _content(file: str) -> bytes:
    """Return the file, or a byte more than is read."""
    if file == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    with Path(file).open("rb") as source:
        return source.read(MOST_BYTES + 1)


def _find_client(member: StaffMember, code: str) -> Client:
    try:
        found = Client.objects.for_clinic(member.clinic).filter(code=UUID(code), erased_at=None).first()
    except ValueError:
        found = None
    if found is None:
        raise CommandError("--client: name a client of the clinic by the code; the file names none.")
    return found


def _find_protocol(member: StaffMember, slug: str | None, code: str) -> Protocol:
    """Return the protocol asked for, else the current version of the one that the file names."""
    protocols = Protocol.objects.for_clinic(member.clinic)
    if slug is None:
        try:
            slug = protocols.filter(code=UUID(code)).values_list("slug", flat=True).first()
        except ValueError:
            slug = None
    found = protocols.filter(slug=slug or "", is_current=True).first()
    if found is None:
        raise CommandError("--protocol: name a protocol of the clinic by its slug; the file names none.")
    return found
