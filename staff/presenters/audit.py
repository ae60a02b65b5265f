"""The audit log in words: what was done, to what, and how it changed; nothing here runs a query.

Of what an event tells, only details that are named here are shown: a reason in somebody's own words never is.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from audit.models import AuditEvent
from clients.models import Channel
from clinics.models import Language, ListPage, Role, Scope
from courses.models import CallOutcome, PlanPolicy, SessionStatus
from exports.tables import TABLES
from imports.models import ImportKind
from reminders.models import ReminderState
from reports.catalogue import CATALOGUE
from staff.presenters.people import hours_lines
from staff.presenters.protocols import FIELD_WORDS as PROTOCOL_FIELDS
from staff.templatetags.interface import clock, day

Words = str | Promise

_GROUPS: Final[tuple[tuple[Words, Mapping[str, Words]], ...]] = (
    (
        gettext_lazy("Courses"),
        {
            "course.prescribed": gettext_lazy("Prescribed"),
            "course.plan_applied": gettext_lazy("Plan applied"),
            "course.disruption_undone": gettext_lazy("Absence or closure taken back"),
            "course.session_booked": gettext_lazy("Session booked"),
            "course.reaction_reported": gettext_lazy("Client said how a session was"),
            "course.waiting_began": gettext_lazy("Client waits for an earlier time"),
            "course.waiting_ended": gettext_lazy("Client no longer waits for an earlier time"),
            "course.report_closed": gettext_lazy("Client's report seen to"),
            "course.session_moved": gettext_lazy("Session moved"),
            "course.session_confirmed": gettext_lazy("Session confirmed"),
            "course.session_cancelled": gettext_lazy("Session cancelled"),
            "course.session_arrived": gettext_lazy("Arrival recorded"),
            "course.session_attended": gettext_lazy("Attendance recorded"),
            "course.session_no_show": gettext_lazy("No-show recorded"),
            "course.session_walked_in": gettext_lazy("Attendance without a booking recorded"),
            "course.session_undone": gettext_lazy("Taken back at once"),
            "course.session_corrected": gettext_lazy("Outcome corrected"),
            "course.paused": gettext_lazy("Paused"),
            "course.resumed": gettext_lazy("Pause ended"),
            "course.pause_removed": gettext_lazy("Pause removed"),
            "course.target_set": gettext_lazy("Number of sessions decided"),
            "course.phase_ended": gettext_lazy("Phase ended"),
            "course.restarted": gettext_lazy("Restarted"),
            "course.prescription_changed": gettext_lazy("Prescription changed"),
            "course.discontinued": gettext_lazy("Stopped"),
            "course.condition_recorded": gettext_lazy("Condition recorded"),
            "course.condition_ended": gettext_lazy("Condition ended"),
            "course.condition_overridden": gettext_lazy("Condition set aside"),
            "course.exported": gettext_lazy("Course exported"),
            "course.client_merged": gettext_lazy("Client merged with another"),
            "flag.acknowledged": gettext_lazy("Finding acknowledged"),
            "flag.snoozed": gettext_lazy("Finding put off"),
            "flag.released": gettext_lazy("Finding put back on the list"),
            "flag.called": gettext_lazy("Call recorded"),
        },
    ),
    (
        gettext_lazy("Clients"),
        {
            "client.registered": gettext_lazy("Client registered"),
            "client.updated": gettext_lazy("Client's data changed"),
            "client.merged": gettext_lazy("Two clients merged"),
            "client.erased": gettext_lazy("Client's data erased"),
            "client.exported": gettext_lazy("Client's data exported"),
            "clients.listed": gettext_lazy("List of clients read"),
            "client.read": gettext_lazy("Client's data looked at"),
            "client.condition_recorded": gettext_lazy("Condition recorded"),
            "client.condition_ended": gettext_lazy("Condition ended"),
            "client.address_changed": gettext_lazy("Address changed"),
            "contact.disabled": gettext_lazy("Address switched off"),
            "contact.enabled": gettext_lazy("Address switched on again"),
            "client.channel_started": gettext_lazy("Messages allowed"),
            "client.channel_stopped": gettext_lazy("Messages stopped"),
            "client.links_revoked": gettext_lazy("Links taken back"),
            "client.wishes_changed": gettext_lazy("Wishes about messages changed"),
            "client.feed_made": gettext_lazy("Calendar address made"),
            "client.page_kept": gettext_lazy("Page kept on the client's telephone"),
            "client.copy_given": gettext_lazy("Copy of the data given to the client"),
            "client.erasure_asked": gettext_lazy("Erasure asked for"),
            "client.erasure_request_closed": gettext_lazy("Request for erasure seen to"),
        },
    ),
    (
        gettext_lazy("Messages"),
        {
            "reminder.sent_now": gettext_lazy("Message sent by hand"),
            "reminder.sent_again": gettext_lazy("Message sent once more"),
            "reminder.stopped": gettext_lazy("Message stopped"),
            "reminder.arrived": gettext_lazy("Message marked as arrived"),
            "reminder.closed": gettext_lazy("Message taken off the list"),
            "answer.closed": gettext_lazy("Answer taken off the list"),
        },
    ),
    (
        gettext_lazy("People"),
        {
            "clinic.staff_added": gettext_lazy("Person added"),
            "staff.invited": gettext_lazy("Link to sign in sent"),
            "staff.changed": gettext_lazy("Person changed"),
            "staff.hours_changed": gettext_lazy("Working hours changed"),
            "staff.deactivated": gettext_lazy("Access taken away"),
            "staff.reactivated": gettext_lazy("Access given back"),
            "staff.login_off": gettext_lazy("Login switched off"),
            "staff.login_on": gettext_lazy("Login switched on again"),
            "staff.second_step_reset": gettext_lazy("Second step reset"),
            "staff.second_step_on": gettext_lazy("Second step switched on"),
            "staff.second_step_off": gettext_lazy("Second step switched off"),
            "staff.recovery_codes_made": gettext_lazy("Recovery codes made"),
            "view.saved": gettext_lazy("View of a list saved"),
            "view.changed": gettext_lazy("View of a list changed"),
            "view.removed": gettext_lazy("View of a list removed"),
        },
    ),
    (
        gettext_lazy("Settings"),
        {
            "clinic.created": gettext_lazy("Clinic founded"),
            "clinic.shut": gettext_lazy("Access of everybody taken away"),
            "clinic.deactivated": gettext_lazy("Clinic deactivated"),
            "clinic.reactivated": gettext_lazy("Clinic reactivated"),
            "clinic.let_in": gettext_lazy("Owners let in again"),
            "clinic.guide_closed": gettext_lazy("Guide put away"),
            "clinic.details_changed": gettext_lazy("Clinic's details changed"),
            "clinic.room_added": gettext_lazy("Room added"),
            "clinic.room_renamed": gettext_lazy("Room renamed"),
            "clinic.room_retired": gettext_lazy("Room taken out of use"),
            "clinic.room_reopened": gettext_lazy("Room taken into use again"),
            "clinic.hours_changed": gettext_lazy("Opening hours changed"),
            "clinic.closure_added": gettext_lazy("Closure added"),
            "clinic.closure_removed": gettext_lazy("Closure removed"),
            "clinic.absence_added": gettext_lazy("Absence added"),
            "clinic.absence_removed": gettext_lazy("Absence removed"),
            "clinic.protocols_loaded": gettext_lazy("Protocols loaded"),
            "protocol.created": gettext_lazy("Protocol made"),
            "protocol.revised": gettext_lazy("Protocol changed"),
            "protocol.retired": gettext_lazy("Protocol taken out of use"),
            "protocol.reopened": gettext_lazy("Protocol taken into use again"),
            "clinic.messages_changed": gettext_lazy("Message settings changed"),
            "clinic.digest_chosen": gettext_lazy("Morning summary chosen"),
            "rule.changed": gettext_lazy("Rule changed"),
            "rule.paused": gettext_lazy("Rule paused"),
            "rule.resumed": gettext_lazy("Rule switched on again"),
            "rule.tested": gettext_lazy("Test message sent"),
            "channel.saved": gettext_lazy("Channel set up"),
            "channel.switched_on": gettext_lazy("Channel switched on"),
            "channel.switched_off": gettext_lazy("Channel switched off"),
            "channel.tested": gettext_lazy("Channel tested"),
            "import.applied": gettext_lazy("Spreadsheet imported"),
            "import.undone": gettext_lazy("Import undone"),
            "token.issued": gettext_lazy("API token made"),
            "token.revoked": gettext_lazy("API token revoked"),
            "webhook.added": gettext_lazy("Webhook set up"),
            "webhook.changed": gettext_lazy("Webhook changed"),
            "webhook.paused": gettext_lazy("Webhook paused"),
            "webhook.resumed": gettext_lazy("Webhook switched on again"),
            "webhook.switched_off": gettext_lazy("Webhook switched off by itself"),
            "webhook.secret_renewed": gettext_lazy("Secret of a webhook renewed"),
            "webhook.tested": gettext_lazy("Webhook tested"),
            "webhook.sent_again": gettext_lazy("Call of a webhook sent again"),
            "webhook.removed": gettext_lazy("Webhook removed"),
        },
    ),
    (
        gettext_lazy("Background work"),
        {
            "job.started": gettext_lazy("Work started"),
            "job.cancelled": gettext_lazy("Work stopped"),
            "job.retried": gettext_lazy("Work continued"),
        },
    ),
    (
        gettext_lazy("Exports"),
        {
            "clients.exported": gettext_lazy("Clients exported"),
            "courses.exported": gettext_lazy("Courses exported"),
            "sessions.exported": gettext_lazy("Sessions exported"),
            "findings.exported": gettext_lazy("Findings exported"),
            "messages.exported": gettext_lazy("Messages exported"),
            "protocols.exported": gettext_lazy("Protocols exported"),
            "people.exported": gettext_lazy("People exported"),
            "closures.exported": gettext_lazy("Closures exported"),
            "figures.exported": gettext_lazy("Figures exported"),
            "report.exported": gettext_lazy("Report exported"),
            "audit.exported": gettext_lazy("Audit log exported"),
            "course.card_made": gettext_lazy("Course card made"),
            "export.fetched": gettext_lazy("Made file fetched"),
            "export.removed": gettext_lazy("Made file removed"),
            "export.scheduled": gettext_lazy("Regular file set up"),
            "export.unscheduled": gettext_lazy("Regular file ended"),
        },
    ),
)
_ACTIONS: Final = {action: words for _label, actions in _GROUPS for action, words in actions.items()}


def action_choices() -> list[tuple[Words, list[tuple[str, Words]]]]:
    """Return what can be done, by groups, as choices of a form."""
    return [(label, list(actions.items())) for label, actions in _GROUPS]


def action_words(action: str) -> str:
    """Return what was done; an action that has no words yet says its own name."""
    words = _ACTIONS.get(action)
    return str(words) if words else capfirst(action.rpartition(".")[2].replace("_", " "))


# ---------------------------------------------------------------- details

_FIELDS: Final[Mapping[str, Words]] = {
    "name": gettext_lazy("name"),
    "display_name": gettext_lazy("name"),
    "address": gettext_lazy("address"),
    "given_name": gettext_lazy("given name"),
    "family_name": gettext_lazy("family name"),
    "birth_on": gettext_lazy("date of birth"),
    "language": gettext_lazy("language"),
    "email": gettext_lazy("e-mail"),
    "phone": gettext_lazy("telephone"),
    "telegram": gettext_lazy("Telegram"),
    "whatsapp": gettext_lazy("WhatsApp"),
    "health_notes": gettext_lazy("health notes"),
    "prefers_weekdays": gettext_lazy("wished weekdays"),
    "prefers_from_time": gettext_lazy("wished times"),
    "prefers_to_time": gettext_lazy("wished times"),
    "prefers_practitioner": gettext_lazy("wished practitioner"),
    "sender_name": gettext_lazy("sender's name"),
    "reply_to_email": gettext_lazy("address for answers"),
    "quiet_from_time": gettext_lazy("quiet hours"),
    "quiet_to_time": gettext_lazy("quiet hours"),
    "detail_level": gettext_lazy("how much messages say"),
    "time_zone": gettext_lazy("time zone"),
    "daily_message_cap": gettext_lazy("messages a day"),
    "shows_treatment_in_messages": gettext_lazy("treatment named in messages"),
    "reminder_holdout_percent": gettext_lazy("sessions without a reminder"),
    **PROTOCOL_FIELDS,
}
_LABELS: Final[Mapping[str, Words]] = {
    "starts_at": gettext_lazy("Time"),
    "on": gettext_lazy("Day"),
    "start_on": gettext_lazy("Start"),
    "from_on": gettext_lazy("From"),
    "to_on": gettext_lazy("To"),
    "until_on": gettext_lazy("Until"),
    "status": gettext_lazy("Status"),
    "state": gettext_lazy("State"),
    "practitioner": gettext_lazy("Practitioner"),
    "room": gettext_lazy("Room"),
    "member": gettext_lazy("Person"),
    "role": gettext_lazy("Role"),
    "is_treating": gettext_lazy("Treats clients"),
    "working_hours": gettext_lazy("Working hours"),
    "target": gettext_lazy("Sessions"),
    "policy": gettext_lazy("Way of replanning"),
    "whose": gettext_lazy("Cancelled by"),
    "outcome": gettext_lazy("Outcome"),
    "channel": gettext_lazy("Channel"),
    "language": gettext_lazy("Language"),
    "country": gettext_lazy("Country"),
    "time_zone": gettext_lazy("Time zone"),
    "booking_lead_days": gettext_lazy("Book so many days ahead"),
    "booking_horizon_days": gettext_lazy("Plan so many days ahead"),
    "notice_hours": gettext_lazy("Hours of notice"),
    "longest_pause_days": gettext_lazy("Longest pause in days"),
    "slot_step_minutes": gettext_lazy("Minutes from one start to the next"),
    "wants": gettext_lazy("Comes"),
    "version": gettext_lazy("Version"),
    "report": gettext_lazy("Report"),
    "table": gettext_lazy("Table"),
    "format": gettext_lazy("Format"),
    "anonymous": gettext_lazy("Anonymised"),
    "count": gettext_lazy("Number"),
    "fields": gettext_lazy("Changed"),
    "scopes": pgettext_lazy("a token", "May"),
    "page": gettext_lazy("List"),
    "is_shared": gettext_lazy("Shared"),
    "import_kind": gettext_lazy("What"),
    "host": pgettext_lazy("a webhook", "Address"),
}
_CHOICES: Final[Mapping[str, Mapping[str, Words]]] = {
    "status": dict(SessionStatus.choices),
    "state": dict(ReminderState.choices),
    "role": dict(Role.choices),
    "policy": dict(PlanPolicy.choices),
    "outcome": dict(CallOutcome.choices),
    "channel": dict(Channel.choices),
    "language": dict(Language.choices),
    "page": dict(ListPage.choices),
    "import_kind": dict(ImportKind.choices),
    "whose": {"client": gettext_lazy("the client"), "clinic": gettext_lazy("the clinic")},
    "report": {slug: entry.title for slug, entry in CATALOGUE.items()},
    "table": {name: table.title for name, table in TABLES.items()},
    "wants": {"yes": gettext_lazy("yes"), "no": gettext_lazy("no")},
}
_NOTHING: Final = pgettext_lazy("no value", "none")


@dataclass(frozen=True, slots=True)
class Change:
    """One detail of an event; without `old` it is just a fact."""

    label: str
    new: str
    old: str = ""

    def __str__(self) -> str:
        return f"{self.label}: {self.old} → {self.new}" if self.old else f"{self.label}: {self.new}"


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One event of the log. `about_code` asks for everything about the same; addresses are empty without a page."""

    at: datetime
    what: str
    who: str
    who_url: str
    about: str
    about_url: str
    about_code: uuid.UUID | None
    changes: tuple[Change, ...]


def changes_of(event: AuditEvent, mentioned: Mapping[uuid.UUID, str], *, today: date) -> tuple[Change, ...]:
    """Return what an event tells, in a fixed order; `mentioned` are names of people and rooms by code."""
    found = []
    for name, label in _LABELS.items():
        old = _value_words(name, event.old.get(name), mentioned, today)
        new = _value_words(name, event.new.get(name), mentioned, today)
        if name in event.old and old != new:
            found.append(Change(str(label), new or str(_NOTHING), old or str(_NOTHING)))
        elif new:
            found.append(Change(str(label), new))
    return tuple(found)


def _value_words(name: str, value: Any, mentioned: Mapping[uuid.UUID, str], today: date) -> str:
    """Return a value as a person reads it; nothing for none, and for what is not to be read here."""
    if value is None or value == "":
        return ""
    try:
        return _READERS.get(name, _plain_words)(name, value, mentioned, today)
    except (TypeError, ValueError):
        # Written by another version of the program: rather unsaid than said wrongly.
        return ""


def _plain_words(name: str, value: Any, mentioned: Mapping[uuid.UUID, str], today: date) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name in _CHOICES:
        return str(_CHOICES[name].get(value, ""))
    return str(value) if isinstance(value, int | str) else ""


def _day_words(name: str, value: Any, mentioned: Mapping[uuid.UUID, str], today: date) -> str:
    return day(date.fromisoformat(value), today)


def _moment_words(name: str, value: Any, mentioned: Mapping[uuid.UUID, str], today: date) -> str:
    at = datetime.fromisoformat(value)
    return f"{day(at, today)}, {clock(at)}"


def _mentioned_words(name: str, value: Any, mentioned: Mapping[uuid.UUID, str], today: date) -> str:
    return mentioned.get(uuid.UUID(value), "")


def _field_words(name: str, value: Any, mentioned: Mapping[uuid.UUID, str], today: date) -> str:
    return ", ".join(dict.fromkeys(str(_FIELDS[field]) for field in value if field in _FIELDS))


def _scope_words(name: str, value: Any, mentioned: Mapping[uuid.UUID, str], today: date) -> str:
    return ", ".join(str(Scope(scope).label) for scope in value)


def _hours_words(name: str, value: Any, mentioned: Mapping[uuid.UUID, str], today: date) -> str:
    spans = [span.split(" ") for span in value]
    hours = [(int(day), time.fromisoformat(starts), time.fromisoformat(ends)) for day, starts, ends in spans]
    return "; ".join(hours_lines(hours)) or _("as the clinic's")


_READERS: Final[Mapping[str, Callable[[str, Any, Mapping[uuid.UUID, str], date], str]]] = {
    "starts_at": _moment_words,
    **dict.fromkeys(("on", "start_on", "from_on", "to_on", "until_on"), _day_words),
    **dict.fromkeys(("practitioner", "room", "member"), _mentioned_words),
    "fields": _field_words,
    "scopes": _scope_words,
    "working_hours": _hours_words,
}
