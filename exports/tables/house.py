"""The house's own rows: protocols, people, closures, and who did what."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.models import AuditEvent
from clinics.access import Capability
from clinics.models import Clinic, Closure, StaffMember
from courses.models import Protocol, ProtocolPhase
from courses.selectors import running_by_protocol
from exports.columns import Column, Kind, Privacy, Table, code_column, personal
from exports.core.choice import Choice
from exports.tables.narrowing import within
from reports.cells import Cell

# ---------------------------------------------------------------- protocols


def _find_protocols(clinic: Clinic, choice: Choice, today: date) -> QuerySet[Any]:
    return Protocol.objects.for_clinic(clinic).filter(is_current=True).order_by("name_en", "pk")


def _phases(ids: Sequence[int], clinic: Clinic, today: date) -> Mapping[int, Mapping[str, Cell]]:
    """Return each protocol's phases in short, and how many courses of it run; three queries."""
    running = running_by_protocol(clinic)
    slugs = dict(Protocol.objects.filter(pk__in=ids).order_by().values_list("pk", "slug"))
    spoken: defaultdict[int, list[str]] = defaultdict(list)
    for phase in ProtocolPhase.objects.filter(protocol__in=ids).order_by("position"):
        spoken[phase.protocol_id].append(_in_short(phase))
    return {
        pk: {"phases": " | ".join(spoken[pk]), "running": running.get(slug, 0)} for pk, slug in slugs.items()
    }


def _in_short(phase: ProtocolPhase) -> str:
    """Return a phase as: kind frequency/period_min-period_max sessions_min-sessions_max duration."""
    parts = [phase.kind, f"{phase.frequency}/{phase.period_min}-{phase.period_max}d"]
    if phase.sessions_max:
        parts.append(f"{phase.sessions_min}-{phase.sessions_max}x")
    if phase.duration_days:
        parts.append(f"{phase.duration_days}d")
    return " ".join(parts)


PROTOCOLS: Final = Table(
    name="protocols",
    title=_("Protocols"),
    about=_("The protocols in force, each with its phases and how many courses run."),
    icon="clipboard-list",
    find=_find_protocols,
    lookup=_phases,
    columns=(
        Column("protocol", _("Protocol"), Kind.WORD, "slug", Privacy.PROTOCOL, "protocol"),
        Column("version", _("Version"), Kind.NUMBER, "version"),
        personal("name_en", _("Name in English"), "name_en"),
        personal("name_ru", _("Name in Russian"), "name_ru"),
        personal("modality", _("Kind of treatment"), "modality"),
        Column("phases", _("Phases")),
        Column("running", _("Running courses"), Kind.NUMBER),
        Column("retired_at", _("Retired"), Kind.MOMENT, "retired_at"),
    ),
)

# ---------------------------------------------------------------- people


def _find_people(clinic: Clinic, choice: Choice, today: date) -> QuerySet[Any]:
    return StaffMember.objects.for_clinic(clinic).order_by("position", "display_name", "pk")


PEOPLE: Final = Table(
    name="people",
    title=_("People"),
    about=_("Everybody who works here, with role and login."),
    icon="users-group",
    find=_find_people,
    needs=Capability.MANAGE,
    columns=(
        code_column("person", _("Person"), "code", "staff"),
        personal("name", _("Name"), "display_name"),
        personal("email", _("E-mail"), "user__email"),
        Column("role", _("Role"), source="role"),
        Column("treats", _("Treats"), Kind.TRUTH, "is_treating"),
        Column("has_access", _("Has access"), Kind.TRUTH, "is_active"),
    ),
)

# ---------------------------------------------------------------- closures


def _find_closures(clinic: Clinic, choice: Choice, today: date) -> QuerySet[Any]:
    closures = Closure.objects.for_clinic(clinic)
    if choice.from_on:
        closures = closures.filter(to_on__gte=choice.from_on)
    if choice.to_on:
        closures = closures.filter(from_on__lte=choice.to_on)
    return closures.order_by("from_on", "pk")


CLOSURES: Final = Table(
    name="closures",
    title=_("Closures"),
    about=_("The days on which the clinic is closed."),
    icon="calendar-off",
    find=_find_closures,
    filters=("period",),
    period=pgettext_lazy("period", "Closed"),
    columns=(
        Column("from_on", _("From"), Kind.DAY, "from_on"),
        Column("to_on", _("To"), Kind.DAY, "to_on"),
        personal("reason", _("Reason"), "reason"),
    ),
)

# ---------------------------------------------------------------- audit log


def _find_events(clinic: Clinic, choice: Choice, today: date) -> QuerySet[Any]:
    events: QuerySet[Any] = AuditEvent.objects.for_clinic(clinic)
    return within(events, "at", choice, clinic).order_by("-at", "-pk")


def _details(ids: Sequence[int], clinic: Clinic, today: date) -> Mapping[int, Mapping[str, Cell]]:
    """Return who acted, by name, and what was before and after; two queries."""
    rows = list(AuditEvent.objects.filter(pk__in=ids).order_by())
    names = dict(StaffMember.objects.for_clinic(clinic).values_list("code", "display_name"))
    return {
        row.pk: {
            "by": names.get(row.actor_code) if row.actor_code else None,
            "old": json.dumps(row.old, ensure_ascii=False) if row.old else None,
            "new": json.dumps(row.new, ensure_ascii=False) if row.new else None,
        }
        for row in rows
    }


AUDIT: Final = Table(
    name="audit",
    title=_("Audit log"),
    about=_("Who did what, when, and what it was before; in the words that programs use."),
    icon="history",
    find=_find_events,
    lookup=_details,
    filters=("period",),
    period=pgettext_lazy("period", "Done"),
    needs=Capability.MANAGE,
    # What an event tells names codes that a pseudonym would have to stand for.
    has_anonymous=False,
    columns=(
        Column("at", _("When"), Kind.MOMENT, "at"),
        Column("by_kind", _("Who, kind"), source="actor_kind"),
        Column("by_code", _("Who, code"), Kind.CODE, "actor_code"),
        personal("by", _("Who")),
        Column("action", _("What"), source="action"),
        Column("subject_kind", _("About, kind"), source="subject_kind"),
        Column("subject", _("About, code"), Kind.CODE, "subject_code"),
        personal("old", _("Before")),
        personal("new", _("After")),
    ),
)
