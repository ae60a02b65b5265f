"""Everything that the clinic holds about one client, as plain values for the client's own copy."""

from datetime import datetime
from typing import Any

from clients.models import Client, Consent, ContactPoint
from courses.models import Course, Pause, RecordedContraindication, TreatmentSession
from courses.selectors import phases_in_force
from reminders.models import Answer, Reminder

_CLIENT = (
    *("given_name", "family_name", "birth_on", "language", "time_zone", "quiet_from_time", "quiet_to_time"),
    *(
        "detail_level",
        "health_notes",
        "prefers_weekdays",
        "prefers_from_time",
        "prefers_to_time",
        "created_at",
    ),
)
_SESSION = (
    *("on", "starts_at", "ends_at", "status", "practitioner__display_name", "room__name", "confirmed_at"),
    *(
        "arrived_at",
        "cancel_reason",
        "minutes",
        "reaction",
        "pain_before",
        "pain_after",
        "treatments",
        "note",
    ),
)


def holdings_of(client: Client, *, now: datetime) -> dict[str, Any]:
    """Return what is held about a client: values as JSON has them, instants in UTC.

    Cost: ten queries.
    """
    courses = list(Course.objects.filter(client=client).select_related("protocol").order_by("start_on", "pk"))
    phases = phases_in_force([course.pk for course in courses])
    return {
        "made_at": now,
        "clinic": client.clinic.name,
        "client": {name: getattr(client, name) for name in _CLIENT},
        "addresses": _rows(ContactPoint.objects.filter(client=client), "channel", "value", "disabled_at"),
        "permissions": _rows(
            Consent.objects.filter(client=client).order_by("granted_at"),
            *("channel", "granted_at", "granted_source", "withdrawn_at", "withdrawn_source"),
        ),
        "courses": [_course(course, phases[course.pk]) for course in courses],
        "conditions": _rows(
            RecordedContraindication.objects.filter(client=client), "condition", "from_on", "to_on", "note"
        ),
        "messages": _rows(
            Reminder.objects.filter(client=client).order_by("send_at", "pk"),
            *("trigger", "channel", "send_at", "state", "decision_reason", "sent_at", "delivery"),
        ),
        "answers": _rows(
            Answer.objects.filter(client=client).order_by("answered_at", "pk"),
            *("kind", "via", "channel", "text", "refusal", "answered_at"),
        ),
    }


def _course(course: Course, phases: list[dict[str, Any]]) -> dict[str, Any]:
    hidden = ("revision__course_id",)
    return {
        "protocol": course.protocol.name_en,
        "status": course.status,
        "start_on": course.start_on,
        "ended_at": course.ended_at,
        "end_reason": course.end_reason,
        "phases": [{name: value for name, value in row.items() if name not in hidden} for row in phases],
        "sessions": _rows(TreatmentSession.objects.filter(course=course).order_by("on", "pk"), *_SESSION),
        "pauses": _rows(Pause.objects.filter(course=course), "from_on", "to_on", "reason", "note"),
    }


def _rows(rows: Any, *names: str) -> list[dict[str, Any]]:
    return [{_plain(name): value for name, value in row.items()} for row in rows.values(*names)]


def _plain(name: str) -> str:
    return name.replace("__display_name", "").replace("__name", "").replace("__", "_")
