"""Noting events: a row for each endpoint that wants one, in the transaction of the change itself."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from courses.models import Course, Flag, TreatmentSession
from hooks.core import event_id
from hooks.models import EndpointState, HookDelivery, HookEndpoint
from hooks.services.waking import wake_after_commit

Facts = Mapping[str, Any]
_LISTENING: Final = (EndpointState.ACTIVE, EndpointState.PAUSED)


def note_event(
    course: Course, event: str, *, key: str, now: datetime, **more: Facts | Callable[[], Facts]
) -> None:
    """Write a row for each endpoint of the course's clinic that wants the event; told twice, it is one.

    `key` is what the event is about and which state of it. `more` are further parts of what is told, or how to
    make them when somebody wants to know.
    Cost: none where no endpoint of the clinic wants the event, else two statements.
    """
    if event not in course.clinic.hook_events:
        return
    endpoints = HookEndpoint.objects.for_clinic(course.clinic).filter(state__in=_LISTENING)
    wanting = [endpoint for endpoint in endpoints if event in endpoint.events]
    if not wanting:
        return
    ident = event_id(event, key)
    parts = {name: part() if callable(part) else part for name, part in more.items()}
    body = write_body(event, course_facts(course), at=now, clinic=str(course.clinic.code), **parts)
    HookDelivery.objects.bulk_create(
        [
            HookDelivery(
                clinic=course.clinic,
                endpoint=endpoint,
                event_id=ident,
                event=event,
                body=body,
                occurred_at=now,
                next_at=now,
            )
            for endpoint in wanting
        ],
        ignore_conflicts=True,
    )
    wake_after_commit()


def write_body(event: str, course: Facts | None, *, at: datetime, clinic: str, **parts: Facts) -> str:
    """Return the body of a call: ids, codes, kinds and times, as docs/webhooks.md lists them."""
    data = {"clinic": clinic, **({"course": course} if course else {}), **parts}
    return json.dumps({"type": event, "timestamp": at.isoformat(), "data": data})


def course_facts(course: Course) -> Facts:
    """Return what is told of a course."""
    return {
        "id": str(course.code),
        "client": str(course.client.code),
        "protocol": str(course.protocol.code),
        "status": str(course.status),
    }


def session_facts(session: TreatmentSession) -> Facts:
    """Return what is told of a session."""
    return {
        "id": str(session.code),
        "status": str(session.status),
        "on": session.on.isoformat(),
        "starts_at": _instant(session.starts_at),
        "ends_at": _instant(session.ends_at),
        "practitioner": str(session.practitioner.code) if session.practitioner else None,
        "room": str(session.room.code) if session.room else None,
    }


def flag_facts(flag: Flag) -> Facts:
    """Return what is told of a flag."""
    return {
        "id": str(flag.code),
        "kind": str(flag.kind),
        "severity": str(flag.severity),
        "since_on": flag.since_on.isoformat(),
        "opened_at": _instant(flag.opened_at),
        "resolved_at": _instant(flag.resolved_at),
        "resolved_reason": str(flag.resolved_reason) or None,
    }


def pause_facts(details: Facts) -> dict[str, Facts]:
    """Return what is told of the days of a pause, where a verb was about one; its reason is clinical."""
    if "from_on" not in details:
        return {}
    return {"pause": {"from_on": details["from_on"], "to_on": details["to_on"]}}


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
