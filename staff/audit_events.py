"""What the owner asks of the audit log, and the names of whom and what its events speak of."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from audit.models import ActorKind, AuditEvent
from clients.models import Client
from clinics.models import ApiToken, Clinic, Room, StaffMember
from courses.convert import zone_of
from courses.models import Course, Protocol
from hooks.services.endpoints import endpoints_of
from imports.models import ImportBatch
from reminders.models import Answer, ChannelAccount, Reminder, ReminderRule
from reports.cells import Cell
from reports.exporters import CHUNK
from staff.presenters import client_url, course_url
from staff.presenters.audit import AuditLine, action_words, changes_of
from staff.presenters.channels import channel_label
from staff.presenters.messages import recipient_name
from staff.presenters.rules import rule_title

CLIENTS: Final = "clients"
PROGRAMS: Final = "programs"
SYSTEM: Final = "system"
BY_KIND: Final = {CLIENTS: ActorKind.CLIENT, PROGRAMS: ActorKind.TOKEN, SYSTEM: ActorKind.SYSTEM}
# Details that hold the code of a member of staff, and those that hold a room's.
STAFF_DETAILS: Final = ("member", "practitioner")
ROOM_DETAILS: Final = ("room",)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What of the log is asked for; the default is everything. `since` is included, `until` is not."""

    action: str = ""
    by_kind: str = ""
    by_code: uuid.UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    about: uuid.UUID | None = None

    @property
    def is_narrowed(self) -> bool:
        return self != AuditFilter()


def filter_events(clinic: Clinic, wanted: AuditFilter) -> QuerySet[AuditEvent]:
    """Return the clinic's events that are asked for, newest first."""
    events: QuerySet[AuditEvent] = AuditEvent.objects.for_clinic(clinic)
    if wanted.action:
        events = events.filter(action=wanted.action)
    if wanted.by_kind:
        events = events.filter(actor_kind=BY_KIND[wanted.by_kind])
    if wanted.by_code:
        events = events.filter(actor_kind=ActorKind.STAFF, actor_code=wanted.by_code)
    if wanted.since:
        events = events.filter(at__gte=wanted.since)
    if wanted.until:
        events = events.filter(at__lt=wanted.until)
    if wanted.about:
        events = events.filter(subject_code=wanted.about)
    return events.order_by("-at", "-pk")


@dataclass(frozen=True, slots=True)
class Named:
    """What something is called, and where it is shown, if anywhere."""

    name: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """Names by code: of those who acted, of what events are about, and of whom and what details mention."""

    actors: dict[uuid.UUID, Named] = field(default_factory=dict)
    subjects: dict[uuid.UUID, Named] = field(default_factory=dict)
    mentioned: dict[uuid.UUID, str] = field(default_factory=dict)


def load_names(clinic: Clinic, events: Sequence[AuditEvent]) -> Names:
    """Return the names that the events need, as far as their owners still exist.

    Cost: at most twelve queries, however many events.
    """
    about: dict[str, set[uuid.UUID]] = {}
    for event in events:
        if event.subject_code:
            about.setdefault(event.subject_kind, set()).add(event.subject_code)
    acting = {event.actor_code for event in events if event.actor_code}
    told = {code for event in events for code in _told_codes(event, STAFF_DETAILS)}
    staff = _staff(clinic, acting | told | about.get("staff_member", set()))
    rooms = {code for event in events for code in _told_codes(event, ROOM_DETAILS)}
    clients = _clients(clinic, acting | about.get("client", set()))
    tokens = _tokens(clinic, acting | about.get("api_token", set()))
    return Names(
        actors=clients | staff | tokens,
        subjects={
            **clients,
            **staff,
            **tokens,
            **_courses(clinic, about.get("course", set())),
            **_messages(clinic, about.get("reminder", set())),
            **_answers(clinic, about.get("answer", set())),
            **_protocols(clinic, about.get("protocol", set())),
            **_hooks(clinic, about.get("webhook", set())),
            **_imports(clinic, about.get("import", set())),
            **_rules(clinic, about.get("rule", set())),
            **_channels(clinic, about.get("channel_account", set())),
        },
        mentioned={code: named.name for code, named in staff.items()} | _rooms(clinic, rooms),
    )


def _told_codes(event: AuditEvent, names: Iterable[str]) -> Iterable[uuid.UUID]:
    for details in (event.old, event.new):
        for name in names:
            if code := read_code(details.get(name)):
                yield code


def read_code(value: object) -> uuid.UUID | None:
    """Return a code that an event tells as text; nothing for anything else."""
    try:
        return uuid.UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _staff(clinic: Clinic, codes: set[uuid.UUID]) -> dict[uuid.UUID, Named]:
    rows = StaffMember.objects.for_clinic(clinic).filter(code__in=codes).values_list("code", "display_name")
    return {code: Named(name, reverse("staff:people-edit", args=[code])) for code, name in rows}


def _clients(clinic: Clinic, codes: set[uuid.UUID]) -> dict[uuid.UUID, Named]:
    rows = Client.objects.for_clinic(clinic).filter(code__in=codes, erased_at=None)
    return {row.code: Named(row.name, client_url(row)) for row in rows}


def _courses(clinic: Clinic, codes: set[uuid.UUID]) -> dict[uuid.UUID, Named]:
    rows = Course.objects.for_clinic(clinic).filter(code__in=codes).select_related("client")
    return {
        row.code: Named(
            _("Course of %(name)s") % {"name": row.client.name or _("a former client")}, course_url(row)
        )
        for row in rows
    }


def _messages(clinic: Clinic, codes: set[uuid.UUID]) -> dict[uuid.UUID, Named]:
    rows = Reminder.objects.for_clinic(clinic).filter(code__in=codes).select_related("client", "staff_member")
    return {
        row.code: Named(
            _("Message to %(name)s") % {"name": recipient_name(row)},
            reverse("staff:message-detail", args=[row.code]),
        )
        for row in rows
    }


def _answers(clinic: Clinic, codes: set[uuid.UUID]) -> dict[uuid.UUID, Named]:
    rows = Answer.objects.for_clinic(clinic).filter(code__in=codes).select_related("client")
    return {row.code: Named(row.client.name or _("a former client"), client_url(row.client)) for row in rows}


def _rules(clinic: Clinic, codes: set[uuid.UUID]) -> dict[uuid.UUID, Named]:
    rows = ReminderRule.objects.for_clinic(clinic).filter(code__in=codes)
    return {row.code: Named(rule_title(row), reverse("staff:rule-edit", args=[row.code])) for row in rows}


def _protocols(clinic: Clinic, codes: set[uuid.UUID]) -> dict[uuid.UUID, Named]:
    """Return protocols by the codes of any of their versions, under the name and at the page of the one in force."""
    slugs = Protocol.objects.for_clinic(clinic).filter(code__in=codes).values("slug")
    rows = list(Protocol.objects.for_clinic(clinic).filter(slug__in=slugs) if codes else ())
    language = get_language() or "en"
    current = {
        row.slug: Named(row.name_in(language), reverse("staff:protocol-detail", args=[row.code]))
        for row in rows
        if row.is_current
    }
    return {row.code: current[row.slug] for row in rows}


def _tokens(clinic: Clinic, codes: set[uuid.UUID]) -> dict[uuid.UUID, Named]:
    rows = ApiToken.objects.for_clinic(clinic).filter(code__in=codes).values_list("code", "name")
    return {code: Named(name, reverse("staff:token-list")) for code, name in rows}


def _hooks(clinic: Clinic, codes: set[uuid.UUID]) -> dict[uuid.UUID, Named]:
    rows = endpoints_of(clinic).filter(code__in=codes).values_list("code", "name")
    return {code: Named(name, reverse("staff:hook-detail", args=[code])) for code, name in rows}


def _imports(clinic: Clinic, codes: set[uuid.UUID]) -> dict[uuid.UUID, Named]:
    rows = ImportBatch.objects.for_clinic(clinic).filter(code__in=codes).values_list("code", "file_name")
    return {code: Named(name, reverse("staff:import-detail", args=[code])) for code, name in rows}


def _channels(clinic: Clinic, codes: set[uuid.UUID]) -> dict[uuid.UUID, Named]:
    rows = ChannelAccount.objects.for_clinic(clinic).filter(code__in=codes)
    return {
        row.code: Named(channel_label(row.channel), reverse("staff:channel-edit", args=[row.code]))
        for row in rows
    }


def _rooms(clinic: Clinic, codes: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(Room.objects.for_clinic(clinic).filter(code__in=codes).values_list("code", "name"))


def audit_lines(clinic: Clinic, events: Sequence[AuditEvent], *, today: date) -> list[AuditLine]:
    """Return events as lines of the log, in their order.

    Cost: those of load_names().
    """
    names = load_names(clinic, events)
    return [_line(event, names, today=today) for event in events]


def _line(event: AuditEvent, names: Names, *, today: date) -> AuditLine:
    who = _who(event, names)
    about = names.subjects.get(event.subject_code) if event.subject_code else None
    return AuditLine(
        at=event.at,
        what=action_words(event.action),
        who=who.name,
        who_url=who.url,
        about=about.name if about else "",
        about_url=about.url if about else "",
        about_code=event.subject_code if about else None,
        changes=changes_of(event, names.mentioned, today=today),
    )


def _who(event: AuditEvent, names: Names) -> Named:
    if event.actor_kind == ActorKind.SYSTEM or event.actor_code is None:
        return Named(_("the operator") if event.actor_code else _("the system"))
    if event.actor_code in names.actors:
        return names.actors[event.actor_code]
    is_client = event.actor_kind == ActorKind.CLIENT
    return Named(_("a former client") if is_client else _("a former staff member"))


class AuditExporter:
    """The events of the log, one a row, newest first.

    Cost: thirteen queries a thousand events; memory does not grow with their number.
    """

    name = "audit"

    def __init__(self, clinic: Clinic, events: QuerySet[AuditEvent], *, today: date) -> None:
        self._clinic = clinic
        self._events = events
        self._today = today

    def head(self) -> Sequence[str]:
        return (_("When"), _("Who"), _("What"), _("About"), _("Details"))

    def rows(self) -> Iterator[Sequence[Cell]]:
        chunk: list[AuditEvent] = []
        for event in self._events.iterator(chunk_size=CHUNK):
            chunk.append(event)
            if len(chunk) == CHUNK:
                yield from self._rows(chunk)
                chunk = []
        yield from self._rows(chunk)

    def _rows(self, events: Sequence[AuditEvent]) -> Iterator[Sequence[Cell]]:
        zone = zone_of(self._clinic)
        # A stream is read after the middleware has put the zone of the process back.
        with timezone.override(zone):
            lines = audit_lines(self._clinic, events, today=self._today) if events else []
        for line in lines:
            details = "; ".join(str(change) for change in line.changes)
            yield line.at.astimezone(zone), line.who, line.what, line.about, details
