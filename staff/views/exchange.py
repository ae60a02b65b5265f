"""What goes to other programs and comes from them: a course as FHIR, visits for a calendar, a prescription in FHIR."""

import json
import uuid
from typing import Any, Final

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.services import record
from clients.models import Client
from clinics.access import Capability
from clinics.models import Clinic
from courses.convert import local_today
from courses.core.fhir import ReadPrescription
from courses.errors import CourseError
from courses.models import Course, Protocol
from imports.fhir import read_file, refusal_words
from reports.fhir import MEDIA_TYPE as FHIR_TYPE
from reports.fhir import course_bundle
from reports.ics import MEDIA_TYPE as ICS_TYPE
from reports.ics import course_calendar, practitioner_calendar
from staff.access import StaffRequest, acting, staff_page
from staff.answers import add_refusal
from staff.exchange_forms import FhirForm, OwnSessionsForm
from staff.prescribe_forms import MOST_PHASES, phase_initial
from staff.views.course import find_course
from staff.views.prescribe import show_filled

_FROM_FHIR: Final = "staff/course/from_fhir.html"


# ---------------------------------------------------------------- out


@staff_page(read=Capability.EXPORT)
def export_course(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Send a course as a FHIR R5 bundle."""
    course, now = find_course(request, code), timezone.now()
    body = json.dumps(course_bundle(course, now=now), ensure_ascii=False, indent=2)
    _record(request, course, "fhir")
    return _attached(body.encode(), FHIR_TYPE, f"course-{course.code}.json")


@staff_page(read=Capability.EXPORT)
def export_sessions(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    """Send a course's visits as a calendar file."""
    course, now = find_course(request, code), timezone.now()
    body = course_calendar(course, now=now)
    _record(request, course, "ics")
    return _attached(body, ICS_TYPE, f"course-{course.code}.ics")


@staff_page(read=Capability.READ)
def export_own_sessions(request: StaffRequest) -> HttpResponse:
    """Send one's own visits of some days as a calendar file; nobody else's can be asked for."""
    member, now = request.staff_member, timezone.now()
    form = OwnSessionsForm(request.GET, today=local_today(member.clinic, now))
    if not form.is_valid():
        raise BadRequest("The days are from_on and to_on, a year at most.")
    period = form.period()
    record(
        "sessions.exported",
        at=now,
        by=acting(request),
        clinic_code=member.clinic.code,
        subject_kind="staff_member",
        subject_code=member.code,
        new={"format": "ics", "from_on": period.from_on.isoformat(), "to_on": period.to_on.isoformat()},
    )
    body = practitioner_calendar(member, from_on=period.from_on, to_on=period.to_on, now=now)
    name = f"sessions-{period.from_on.isoformat()}-{period.to_on.isoformat()}.ics"
    return _attached(body, ICS_TYPE, name)


def _record(request: StaffRequest, course: Course, file_format: str) -> None:
    record(
        "course.exported",
        at=timezone.now(),
        by=acting(request),
        clinic_code=course.clinic.code,
        subject_kind="course",
        subject_code=course.code,
        new={"format": file_format},
    )


def _attached(body: bytes, media_type: str, name: str) -> HttpResponse:
    """Return a file to keep; its name holds a code or days, never a person."""
    response = HttpResponse(body, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# ---------------------------------------------------------------- in


@staff_page(read=Capability.PRESCRIBE, write=Capability.PRESCRIBE)
def prescribe_from_fhir(request: StaffRequest) -> HttpResponse:
    """Read a prescription from FHIR and fill the sentence with it; nothing is saved before a prescriber has looked."""
    source = request.POST if request.method == "POST" else request.GET
    asked = {name: source.get(name, "") for name in ("client", "protocol")}
    form = FhirForm(request.POST, request.FILES) if request.method == "POST" else FhirForm()
    refusals: list[tuple[str, str]] = []
    if form.is_bound and form.is_valid():
        try:
            read = read_file(form.content())
            if len(read.phases) > MOST_PHASES:
                raise CourseError(
                    _("At most %(most)s phases fit here.") % {"most": MOST_PHASES}, code="too_many"
                )
        except CourseError as error:
            refusals = list(error.fields.items())
            add_refusal(form, error)
        else:
            return _fill(request, read, asked)
    context = {"form": form, "asked": asked, "refusals": refusals}
    return render(request, _FROM_FHIR, context, status=422 if form.errors else 200)


def _fill(request: StaffRequest, read: ReadPrescription, asked: dict[str, str]) -> HttpResponse:
    clinic = request.staff_member.clinic
    steps = zip(read.phases, read.minutes_by_session, strict=True)
    initial = {
        "client": asked["client"] or _known_client(clinic, read.client_code),
        "protocol": asked["protocol"] or _current_protocol(clinic, read.protocol_code),
        "start_on": read.start_on or local_today(clinic, timezone.now()),
    }
    return show_filled(
        request, initial, [phase_initial(spec, by_session) for spec, by_session in steps], _notes(read)
    )


def _notes(read: ReadPrescription) -> list[str]:
    """Return what of the file is not in the sentence, each as a sentence."""
    notes = [f"{note.path}: {refusal_words(note)}" for note in read.notes]
    if read.phases_ended or read.restarts:
        notes.append(_("Phases ended early and restarts are left out: a new course begins."))
    if any(phase.target is not None for phase in read.phases):
        notes.append(_("The number of sessions decided on is left out: it is set on the course's page."))
    return notes


def _known_client(clinic: Clinic, code: str) -> str:
    """Return the code of the client that the file names, if it is one of the clinic's."""
    found = Client.objects.for_clinic(clinic).filter(erased_at=None, code=_uuid(code)).first()
    return str(found.code) if found else ""


def _current_protocol(clinic: Clinic, code: str) -> str:
    """Return the code of the version that can be prescribed of the protocol that the file names, if there is one."""
    protocols = Protocol.objects.for_clinic(clinic)
    slugs = protocols.filter(code=_uuid(code)).values("slug")
    found = protocols.filter(slug__in=slugs, is_current=True, retired_at=None).first()
    return str(found.code) if found else ""


def _uuid(code: str) -> Any:
    try:
        return uuid.UUID(code)
    except ValueError:
        return None
