"""A row about a running course: whose, by which protocol, since when, and what was attended."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from audit.models import ActorKind
from audit.services import Actor
from clients.models import Client
from clinics.access import Capability, is_allowed
from clinics.models import Clinic, StaffMember
from courses.convert import local_today
from courses.errors import CourseError
from courses.models import Course, Protocol, SessionStatus
from courses.services import CourseDraft, draft_of, prescribe_course, record_walk_in
from courses.services.prescribing import check_draft
from imports.core import CellError, read_count, read_date, read_dates, spread_dates
from imports.models import RowOutcome
from imports.reading import Cells, Verdict, find_clients, fingerprint, one_client, read_addresses
from imports.words import CELL_WORDS


@dataclass(frozen=True, slots=True)
class CoursePlan:
    """What would be done with a row; without a draft nothing."""

    verdict: Verdict
    draft: CourseDraft | None = None
    prescriber: StaffMember | None = None
    attended: tuple[date, ...] = ()
    # Only their number was known: the days between the first and the last are reckoned.
    is_reckoned: bool = False


def plan_course(cells: Cells, *, clinic: Clinic, by: StaffMember, now: datetime) -> CoursePlan:
    """Return what a row asks for; its problems are put down in the cells.

    Cost: some ten queries.
    """
    client = _client(cells, clinic)
    protocol = _protocol(cells, clinic)
    start_on = cells.read("start_on", read_date)
    if not cells.text("start_on"):
        cells.refuse("start_on", _("Say when the course began."))
    prescriber = _member(cells, "prescriber", clinic, lambda one: is_allowed(one, Capability.PRESCRIBE)) or by
    practitioner = _member(cells, "practitioner", clinic, lambda one: one.is_treating)
    attended, is_reckoned = _attended(cells, start_on, today=local_today(clinic, now))
    target = cells.read("target", read_count)
    if cells.problems or client is None or protocol is None or start_on is None:
        return CoursePlan(Verdict(RowOutcome.REFUSED))
    key = fingerprint("course", client.pk, protocol.slug, start_on)
    if (known := _known_course(client, protocol, start_on)) is not None:
        return CoursePlan(Verdict(_outcome_of_known(cells, known, attended, is_reckoned=is_reckoned), key))
    says = draft_of(protocol)
    phases = (replace(says.phases[0], target=target), *says.phases[1:]) if target else says.phases
    draft = CourseDraft(
        clinic=clinic,
        client=client,
        protocol=protocol,
        start_on=start_on,
        phases=phases,
        practitioner=practitioner,
        minutes_by_session=says.minutes_by_session,
    )
    _check(cells, draft, prescriber, now=now)
    outcome = RowOutcome.REFUSED if cells.problems else RowOutcome.NEW
    return CoursePlan(Verdict(outcome, key), draft, prescriber, attended, is_reckoned)


def _client(cells: Cells, clinic: Clinic) -> Client | None:
    addresses = read_addresses(cells, clinic)
    name = "phone" if "phone" in cells.values else "email"
    if not addresses:
        if not cells.problems:
            cells.refuse(name, _("Give the client's telephone or e-mail."))
        return None
    found = find_clients(addresses, clinic)
    if not found:
        cells.refuse(name, _("No client has this address. Import the clients first, or add this one."))
    return one_client(cells, found)


def _protocol(cells: Cells, clinic: Clinic) -> Protocol | None:
    wanted = cells.text("protocol").casefold()
    if not wanted:
        cells.refuse("protocol", _("Name the protocol."))
        return None
    rows = Protocol.objects.for_clinic(clinic).filter(is_current=True, retired_at=None)
    for row in rows.prefetch_related("phases", "contraindications"):
        if wanted in (row.slug, row.name_en.casefold(), row.name_ru.casefold()):
            return row
    cells.refuse(
        "protocol", _("No protocol in use has this name. Write it as it stands under Settings, Protocols.")
    )
    return None


def _member(
    cells: Cells, name: str, clinic: Clinic, is_fit: Callable[[StaffMember], bool]
) -> StaffMember | None:
    """Return the member of the clinic whom a cell names, by name or e-mail."""
    wanted = cells.text(name)
    if not wanted:
        return None
    members = StaffMember.objects.for_clinic(clinic).filter(is_active=True).select_related("clinic")
    named = members.filter(Q(display_name__iexact=wanted) | Q(user__email__iexact=wanted))
    found = [member for member in named if is_fit(member)]
    if len(found) == 1:
        return found[0]
    cells.refuse(
        name,
        _("Nobody of the clinic who may do this has this name. Write it as it stands under Settings, People.")
        if not found
        else _("Several people have this name. Write the e-mail address instead."),
    )
    return None


def _attended(cells: Cells, start_on: date | None, *, today: date) -> tuple[tuple[date, ...], bool]:
    """Return the days attended, and whether they are reckoned from their number and the last."""
    dates = cells.read("attended", read_dates) or ()
    count = cells.read("attended_count", read_count)
    last_on = cells.read("last_on", read_date)
    if dates and count is not None and count != len(dates):
        cells.refuse("attended_count", _("As many dates must stand in the row as sessions were attended."))
    is_reckoned = not dates and bool(count)
    if is_reckoned and start_on is not None and not cells.problems:
        if last_on is None:
            cells.refuse("last_on", _("Say when the last session was, or give all dates."))
            return (), False
        try:
            dates = spread_dates(start_on, last_on, count or 1)
        except CellError as error:
            cells.refuse("last_on", str(CELL_WORDS[error.code]))
    field = "last_on" if is_reckoned else "attended"
    if dates and dates[-1] > today:
        cells.refuse(field, _("Outcomes are recorded for today or the past only."))
    if dates and start_on is not None and dates[0] < start_on:
        cells.refuse(field, _("A session lies before the start of the course."))
    return dates, is_reckoned


def _known_course(client: Client, protocol: Protocol, start_on: date) -> Course | None:
    found = Course.objects.filter(client=client, protocol__slug=protocol.slug, start_on=start_on)
    return found.order_by("pk").first()


def _outcome_of_known(
    cells: Cells, course: Course, attended: tuple[date, ...], *, is_reckoned: bool
) -> RowOutcome:
    known = set(course.sessions.filter(status=SessionStatus.ATTENDED).values_list("on", flat=True))
    if len(attended) <= len(known) if is_reckoned else set(attended) <= known:
        return RowOutcome.SAME
    cells.refuse(
        "attended",
        _("This course is here already, without some of these sessions. Record them on its page."),
    )
    return RowOutcome.REFUSED


def _check(cells: Cells, draft: CourseDraft, prescriber: StaffMember, *, now: datetime) -> None:
    if not is_allowed(prescriber, Capability.PRESCRIBE):
        cells.refuse("prescriber", _("Only a prescriber may do this."))
    try:
        check_draft(draft, now=now)
    except CourseError as error:
        named = {_ours(name): text for name, text in error.fields.items()}
        cells.refuse_all(CourseError(error.message, code=error.code, fields=named))


def _ours(name: str) -> str:
    """Return the column to which a refused field of a draft belongs."""
    if name.endswith(".target"):
        return "target"
    return "protocol" if name.startswith(("overrides", "phases", "minutes")) else name


def write_course(plan: CoursePlan, *, by: Actor, now: datetime) -> Course:
    """Prescribe the course as of its start, and record what was attended.

    Whom the row names has prescribed it; what was attended is recorded by whoever imports.
    Raises: CourseError as the verbs.
    """
    # The caller applies only what the plan found to be new.
    assert plan.draft is not None
    assert plan.prescriber is not None
    member = plan.prescriber
    prescriber = Actor(ActorKind.STAFF, code=member.code, staff_member_id=member.pk)
    course = prescribe_course(draft=plan.draft, by=prescriber, now=now)
    note = _("Day reckoned from the number of sessions and the last of them.") if plan.is_reckoned else ""
    first, last = (plan.attended[0], plan.attended[-1]) if plan.attended else (None, None)
    for on in plan.attended:
        details: dict[str, Any] = {"note": "" if on in (first, last) else note}
        record_walk_in(course=course, on=on, by=by, now=now, practitioner=plan.draft.practitioner, **details)
    return course
