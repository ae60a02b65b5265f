"""Findings with their whole history, and messages with what became of each."""

from datetime import date
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinics.models import Clinic
from courses.models import Flag
from courses.selectors import is_awake, search_words
from exports.columns import Column, Kind, Privacy, Table, code_column, personal
from exports.core.choice import Choice
from exports.tables.narrowing import practitioner_of, within
from reminders.models import Reminder
from reminders.selectors import MessageFilter, filter_messages

ALL: Final = "all"

# ---------------------------------------------------------------- findings


def _find_findings(clinic: Clinic, choice: Choice, today: date) -> QuerySet[Any]:
    """Return findings: with "all" the resolved ones too, else what Needs attention shows under the same filters."""
    flags = Flag.objects.for_clinic(clinic)
    show = choice.filters.get("show", "")
    if show != ALL:
        flags = flags.filter(resolved_at__isnull=True)
        flags = flags.exclude(is_awake(today)) if show == "snoozed" else flags.filter(is_awake(today))
    if show == "new":
        flags = flags.filter(acknowledged_at__isnull=True)
    for name in ("severity", "kind", "cause"):
        if value := choice.filters.get(name):
            flags = flags.filter(**{name: value})
    if practitioner := practitioner_of(clinic, choice):
        flags = flags.filter(course__practitioner=practitioner)
    order = ("opened_at", "pk") if show == ALL else ("-severity_rank", "since_on", "pk")
    return within(flags, "opened_at", choice, clinic).order_by(*order)


FINDINGS: Final = Table(
    name="findings",
    title=_("Findings"),
    about=_("What slipped, since when, whose doing it was, and how it was resolved."),
    icon="flag",
    find=_find_findings,
    filters=("show", "severity", "kind", "cause", "practitioner", "period"),
    period=pgettext_lazy("period", "Found"),
    columns=(
        code_column("finding", _("Finding"), "code", "finding"),
        code_column("course", _("Course"), "course__code", "course"),
        code_column("client", _("Client"), "course__client__code", "client"),
        personal("given_name", _("Given name"), "course__client__given_name"),
        personal("family_name", _("Family name"), "course__client__family_name"),
        Column("protocol", _("Protocol"), Kind.WORD, "course__protocol__slug", Privacy.PROTOCOL, "protocol"),
        Column("kind", pgettext_lazy("of finding", "Kind"), source="kind"),
        Column("severity", _("Severity"), source="severity"),
        Column("days", _("Days"), Kind.NUMBER, "days"),
        Column("count", _("How many"), Kind.NUMBER, "count"),
        Column("cause", _("Cause"), source="cause"),
        Column("since", _("Since"), Kind.DAY, "since_on"),
        Column("opened_at", pgettext_lazy("a finding", "Found"), Kind.MOMENT, "opened_at"),
        Column("acknowledged_at", _("Acknowledged"), Kind.MOMENT, "acknowledged_at"),
        personal("acknowledged_by", _("Acknowledged by"), "acknowledged_by__display_name"),
        personal("note", _("Note"), "acknowledged_note"),
        Column("put_off_until", _("Put off until"), Kind.DAY, "snoozed_until_on"),
        Column("resolved_at", pgettext_lazy("a finding", "Resolved"), Kind.MOMENT, "resolved_at"),
        Column("resolved_by", pgettext_lazy("a finding", "Resolved by"), source="resolved_reason"),
    ),
)

# ---------------------------------------------------------------- messages


def _find_messages(clinic: Clinic, choice: Choice, today: date) -> QuerySet[Any]:
    group = choice.filters.get("show", "")
    if not group:
        rows = Reminder.objects.for_clinic(clinic).filter(
            **{name: value for name in ("channel", "trigger") if (value := choice.filters.get(name))}
        )
        for word in search_words(choice.search):
            rows = rows.filter(client__search_text__contains=word)
        return within(rows, "send_at", choice, clinic).order_by("-send_at", "-pk")
    wanted = MessageFilter(
        group=group,
        channel=choice.filters.get("channel", ""),
        trigger=choice.filters.get("trigger", ""),
        from_on=choice.from_on,
        to_on=choice.to_on,
        text=choice.search,
    )
    return filter_messages(clinic, wanted)


MESSAGES: Final = Table(
    name="messages",
    title=_("Messages"),
    about=_("Every message with its decision: sent, or why not. What it said is left out."),
    icon="mail",
    find=_find_messages,
    filters=("show", "channel", "trigger", "period", "q"),
    period=pgettext_lazy("period", "To be sent"),
    columns=(
        code_column("message", _("Message"), "code", "message"),
        code_column("client", _("Client"), "client__code", "client"),
        personal("given_name", _("Given name"), "client__given_name"),
        personal("family_name", _("Family name"), "client__family_name"),
        code_column("course", _("Course"), "course__code", "course"),
        code_column("session", _("Session"), "session__code", "session"),
        Column("trigger", _("Occasion"), source="trigger"),
        Column("channel", _("Channel"), source="channel"),
        Column("send_at", pgettext_lazy("a message", "To be sent"), Kind.MOMENT, "send_at"),
        Column("expires_at", _("Of use until"), Kind.MOMENT, "expires_at"),
        Column("state", _("State"), source="state"),
        Column("reason", _("Reason"), source="decision_reason"),
        Column("decided_at", _("Decided"), Kind.MOMENT, "decided_at"),
        Column("sent_at", pgettext_lazy("a message", "Sent"), Kind.MOMENT, "sent_at"),
        Column("attempts", _("Attempts"), Kind.NUMBER, "attempt_count"),
        Column("delivery", _("Delivery"), source="delivery"),
        Column("delivered_at", _("Reported"), Kind.MOMENT, "delivered_at"),
    ),
)
