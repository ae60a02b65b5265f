"""Everything that is kept about one client, for the client: as data and as a page to read, in one archive."""

import io
import json
import zipfile
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from clients.models import Client
from courses.models import Course, ReactionReport, RecordedContraindication, TreatmentSession
from reminders.models import Answer, Reminder

ZIP_TYPE: Final = "application/zip"
_VERSION: Final = 1


def personal_data(client: Client, *, now: datetime) -> dict[str, Any]:
    """Return what is kept about a client as JSON values: words as stored, days and instants as ISO 8601.

    Shape: one list a kind, each in the order in which it came to be; nothing of the staff but what they wrote
    about the client.
    Cost: ten queries.
    """
    return {
        "version": _VERSION,
        "made_at": now.isoformat(timespec="seconds"),
        "clinic": client.clinic.name,
        "client": _client(client),
        "addresses": list(client.contact_points.values("channel", "value", "disabled_at", "disabled_reason")),
        "permissions": list(
            client.consents.order_by("granted_at", "pk").values(
                "channel", "granted_at", "granted_source", "withdrawn_at", "withdrawn_source"
            )
        ),
        "conditions": list(
            RecordedContraindication.objects.filter(client=client)
            .order_by("from_on", "pk")
            .values("condition", "from_on", "to_on", "note")
        ),
        "courses": [_course(course) for course in _courses(client)],
        "messages": [_message(row) for row in _messages(client)],
        "answers": list(
            Answer.objects.filter(client=client)
            .order_by("answered_at", "pk")
            .values("kind", "via", "channel", "text", "answered_at")
        ),
    }


def archive(data: dict[str, Any]) -> bytes:
    """Return a ZIP archive with the data as JSON and as a page in the present language."""
    plain = json.loads(json.dumps(data, default=_plain))
    page = render_to_string("reports/personal_data.html", {"sections": _sections(plain), "data": plain})
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("client.json", json.dumps(plain, ensure_ascii=False, indent=2))
        files.writestr("client.html", page)
    return target.getvalue()


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _client(client: Client) -> dict[str, Any]:
    person = client.prefers_practitioner
    names = (
        "code", "given_name", "family_name", "birth_on", "language", "time_zone", "health_notes",
        "prefers_weekdays", "prefers_from_time", "prefers_to_time", "quiet_from_time", "quiet_to_time",
        "detail_level", "created_at",
    )  # fmt: skip
    values = {name: getattr(client, name) for name in names}
    return values | {"prefers_practitioner": person.display_name if person else None}


def _courses(client: Client) -> QuerySet[Course]:
    courses = Course.objects.filter(client=client).select_related("protocol", "prescribed_by")
    return courses.prefetch_related(
        "pauses", "sessions__practitioner", "sessions__room", "sessions__reaction_report"
    ).order_by("start_on", "pk")


def _course(course: Course) -> dict[str, Any]:
    return {
        "code": course.code,
        "protocol": course.protocol.name_en,
        "status": course.status,
        "start_on": course.start_on,
        "ended_at": course.ended_at,
        "end_reason": course.end_reason,
        "prescribed_by": course.prescribed_by.display_name,
        "pauses": [
            {"from_on": one.from_on, "to_on": one.to_on, "reason": one.reason, "note": one.note}
            for one in course.pauses.all()
        ],
        "sessions": [_session(session) for session in course.sessions.all()],
    }


def _session(session: TreatmentSession) -> dict[str, Any]:
    names = (
        "on", "starts_at", "ends_at", "status", "minutes", "reaction", "pain_before", "pain_after",
        "treatments", "note", "cancel_reason", "correction_reason",
    )  # fmt: skip
    values = {name: getattr(session, name) for name in names}
    report: ReactionReport | None = getattr(session, "reaction_report", None)
    said = (
        {"said_reaction": report.reaction, "said_pain": report.pain, "said_note": report.note}
        if report
        else {}
    )
    return (
        values
        | {
            "practitioner": session.practitioner.display_name if session.practitioner else None,
            "room": session.room.name if session.room else None,
        }
        | (said or dict.fromkeys(("said_reaction", "said_pain", "said_note")))
    )


def _messages(client: Client) -> QuerySet[Reminder]:
    return Reminder.objects.filter(client=client).order_by("send_at", "pk")


def _message(row: Reminder) -> dict[str, Any]:
    names = ("trigger", "channel", "state", "decision_reason", "send_at", "sent_at", "delivery")
    return {name: getattr(row, name) for name in names}


# ---------------------------------------------------------------- the page


def _sections(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the data as titled tables: a head and rows of text each."""
    sessions = [
        {"course": course["protocol"], **session}
        for course in data["courses"]
        for session in course["sessions"]
    ]
    pauses = [
        {"course": course["protocol"], **pause} for course in data["courses"] for pause in course["pauses"]
    ]
    courses = [
        {name: value for name, value in course.items() if name not in ("pauses", "sessions")}
        for course in data["courses"]
    ]
    return [
        _table(title, rows)
        for title, rows in (
            (_("About the client"), [data["client"]]),
            (_("Addresses"), data["addresses"]),
            (_("Permissions"), data["permissions"]),
            (_("Conditions"), data["conditions"]),
            (_("Courses"), courses),
            (_("Pauses"), pauses),
            (_("Sessions"), sessions),
            (_("Messages"), data["messages"]),
            (_("Answers"), data["answers"]),
        )
        if rows
    ]


def _table(title: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    head = [name.replace("_", " ") for name in rows[0]]
    return {"title": title, "head": head, "rows": [[_cell(value) for value in row.values()] for row in rows]}


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)
