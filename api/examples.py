"""What the description of the API shows; the tests hold each against the shape that it is an example of."""

from typing import Any, Final

_SITE: Final = "https://regimen.example.com"


def _code(number: int) -> str:
    return f"7f0b8a5c-0000-4000-8000-{number:012d}"


def page(row: dict[str, Any]) -> dict[str, Any]:
    """Return a last page with one row."""
    return {"results": [row], "next": None}


CLINIC: Final = {
    "clinic": {
        "code": _code(1),
        "name": "Kalnina Clinic",
        "time_zone": "Europe/Riga",
        "language": "en",
    },
    "token": {"name": "Web site", "scopes": ["read", "write"], "expires_at": "2027-03-09T22:00:00Z"},
}
PRACTITIONER: Final = {"code": _code(2), "display_name": "Dr Ozola"}
ROOM: Final = {"code": _code(3), "name": "Room 1"}
NEW_CLIENT: Final = {
    "given_name": "Anna",
    "family_name": "Berzina",
    "language": "en",
    "prefers_weekdays": [1, 3, 5],
    "prefers_from_time": "17:00",
    "contacts": {"email": {"address": "anna@example.com", "allowed": True}},
}
CLIENT: Final = {
    "code": _code(4),
    "given_name": "Anna",
    "family_name": "Berzina",
    "birth_on": None,
    "language": "en",
    "time_zone": "",
    "health_notes": "",
    "prefers_weekdays": [1, 3, 5],
    "prefers_from_time": "17:00",
    "prefers_to_time": None,
    "prefers_practitioner": None,
    "quiet_from_time": None,
    "quiet_to_time": None,
    "detail_level": "clinic",
    "contacts": [{"channel": "email", "address": "anna@example.com", "is_working": True}],
    "allowed": ["email"],
    "created_at": "2026-03-01T09:00:00Z",
}
_PHASE: Final = {
    "kind": "intensive",
    "frequency": 1,
    "period_min": 1,
    "period_max": 2,
    "rest_days": 1,
    "flex_days": 0,
    "sessions_min": 10,
    "sessions_max": 15,
    "duration_days": None,
    "grace_days": 1,
    "lapse_days": 14,
    "minutes_min": 30,
    "minutes_max": 60,
    "minutes_by_session": [],
}
PROTOCOL: Final = {
    "code": _code(5),
    "slug": "anti-cellulite-massage",
    "version": 2,
    "is_current": True,
    "name_en": "Anti-cellulite massage",
    "name_ru": "Антицеллюлитный массаж",
    "modality": "massage",
    "retired_at": None,
    "phases": [_PHASE],
}
PROTOCOL_DETAIL: Final = {
    **PROTOCOL,
    "summary_en": "10–15 sessions, then one every two weeks.",
    "summary_ru": "",
    "preparation_en": "Drink water, do not eat for two hours.",
    "preparation_ru": "",
    "same_day_order": [],
    "contraindications": [
        {"condition": "influenza", "strength": "temporary", "name_en": "Influenza", "name_ru": "Грипп"}
    ],
}
COURSE: Final = {
    "code": _code(6),
    "client": _code(4),
    "protocol": {
        "code": _code(5),
        "slug": "anti-cellulite-massage",
        "version": 2,
        "name": "Anti-cellulite massage",
    },
    "status": "active",
    "state": "overdue",
    "start_on": "2026-03-02",
    "ended_at": None,
    "prescribed_by": _code(2),
    "practitioner": _code(2),
    "phase": 0,
    "session": 2,
    "due_from_on": "2026-03-03",
    "due_by_on": "2026-03-04",
    "attended_count": 1,
    "attendance_rate": 0.5,
    "on_time_rate": 1.0,
    "slippage_days": 0,
    "projected_end_on": "2026-04-08",
    "assessed_on": "2026-03-10",
    "flags": ["overdue"],
}
PAUSE: Final = {
    "code": _code(7),
    "course": _code(6),
    "from_on": "2026-03-10",
    "to_on": "2026-03-14",
    "reason": "travel",
    "note": "",
    "created_at": "2026-03-09T08:00:00Z",
}
_WINDOW: Final = {
    "phase": 0,
    "session": 2,
    "due_from_on": "2026-03-03",
    "due_by_on": "2026-03-04",
    "role": "next",
    "on": None,
}
COURSE_DETAIL: Final = {
    **COURSE,
    "as_of": "2026-03-10",
    "phases": [{**_PHASE, "target": None}],
    "windows": [_WINDOW],
    "measures": {
        "attended": 1,
        "attendance_rate": 0.5,
        "on_time_rate": 1.0,
        "early_rate": 0.0,
        "late_rate": 0.0,
        "slippage_days": 0,
        "projected_end_on": "2026-04-08",
    },
    "findings": [
        {
            "kind": "overdue",
            "severity": "warning",
            "days": 2,
            "count": None,
            "since_on": "2026-03-10",
            "cause": "client",
            "says": "Session 2 is 2 days overdue after the client missed or cancelled.",
        }
    ],
    "next_check_on": "2026-03-11",
    "pauses": [PAUSE],
}
SLOTS: Final = {
    "window": _WINDOW,
    "minutes": 45,
    "slots": [
        {
            "starts_at": "2026-03-10T15:00:00Z",
            "ends_at": "2026-03-10T15:45:00Z",
            "practitioner": _code(2),
            "room": _code(3),
            "late_days": 2,
            "early_days": 0,
            "keeps_prescription": False,
        }
    ],
}
BOOK: Final = {
    "starts_at": "2026-03-10T17:00:00+02:00",
    "minutes": 45,
    "practitioner": _code(2),
    "room": _code(3),
}
SESSION: Final = {
    "code": _code(8),
    "course": _code(6),
    "client": _code(4),
    "status": "booked",
    "on": "2026-03-10",
    "starts_at": "2026-03-10T15:00:00Z",
    "ends_at": "2026-03-10T15:45:00Z",
    "practitioner": _code(2),
    "room": _code(3),
    "is_pinned": True,
    "confirmed_at": None,
    "arrived_at": None,
    "outcome_at": None,
    "cancel_reason": "",
    "correction_reason": "",
    "minutes": None,
    "reaction": None,
    "pain_before": None,
    "pain_after": None,
    "treatments": [],
    "note": "",
}
ATTENDED: Final = {
    **SESSION,
    "status": "attended",
    "outcome_at": "2026-03-10T15:50:00Z",
    "minutes": 45,
    "reaction": "none",
    "pain_before": 4,
    "pain_after": 2,
}
PROPOSAL: Final = {
    "policy": "shift",
    "digest": "5e884898da28047151d0e56f",
    "before": [{"code": _code(8), "on": "2026-03-10", "starts_at": "2026-03-10T15:00:00Z"}],
    "sessions": [
        {
            "phase": 0,
            "session": 2,
            "starts_at": "2026-03-11T15:00:00Z",
            "ends_at": "2026-03-11T15:45:00Z",
            "practitioner": _code(2),
            "room": _code(3),
            "is_pinned": False,
            "days_outside": 3,
            "preferences_missed": 0,
            "why": ["Lies 3 days after its window."],
        }
    ],
    "cost": {
        "unplaced": 0,
        "days_outside": 3,
        "preferences_missed": 0,
        "gap_distance": 8,
        "last_on": "2026-03-11",
    },
    "notes": [],
}
FLAG: Final = {
    "code": _code(9),
    "course": _code(6),
    "client": _code(4),
    "kind": "overdue",
    "severity": "warning",
    "days": 2,
    "count": None,
    "cause": "client",
    "since_on": "2026-03-10",
    "opened_at": "2026-03-09T22:00:00Z",
    "updated_at": "2026-03-09T22:00:00Z",
    "acknowledged_at": None,
    "acknowledged_note": "",
    "snoozed_until_on": None,
    "resolved_at": None,
    "resolved_reason": None,
}
FLAG_DETAIL: Final = {
    **FLAG,
    "calls": [
        {
            "outcome": "call_later",
            "note": "",
            "next_on": "2026-03-11",
            "created_at": "2026-03-10T08:00:00Z",
        }
    ],
}
REMINDER: Final = {
    "code": _code(10),
    "client": _code(4),
    "course": _code(6),
    "session": _code(8),
    "trigger": "before_session",
    "channel": "email",
    "state": "suppressed",
    "decision_reason": "already_confirmed",
    "decision": "the client has already confirmed",
    "send_at": "2026-03-10T13:00:00Z",
    "expires_at": "2026-03-10T15:00:00Z",
    "decided_at": "2026-03-10T13:00:00Z",
    "sent_at": None,
    "delivery": None,
    "delivered_at": None,
    "handled_at": None,
}
REMINDER_DETAIL: Final[dict[str, Any]] = {**REMINDER, "attempts": []}
FIGURES: Final = {
    "from_on": "2026-02-01",
    "to_on": "2026-02-28",
    "attendance": {"part": 42, "whole": 50, "rate": 0.84},
    "on_time": {"part": 36, "whole": 42, "rate": 0.8571},
    "early": 2,
    "late": 4,
    "ran": 17,
    "began": 3,
    "findings": [{"kind": "overdue", "opened": 5, "open_now": 2}],
}
_REPORT: Final = {"slug": "adherence", "title": "Adherence", "question": "Do sessions come when they should?"}
REPORTS: Final = {"results": [_REPORT]}
REPORT: Final[dict[str, Any]] = {
    **_REPORT,
    "from_on": "2026-02-01",
    "to_on": "2026-02-28",
    "weeks": None,
    "protocol": "manual",
    "practitioner": None,
    "is_empty": False,
    "figures": [
        {
            "name": "On time",
            "kind": "share",
            "value": 0.8571,
            "of": "36 of 42 sessions with a window",
            "means": "Attended inside the window.",
            "before": 0.81,
        }
    ],
    "tables": [
        {
            "name": "months",
            "title": "By month",
            "explains": "The month in which the session was.",
            "columns": [
                {"title": "Month", "kind": "month", "means": ""},
                {"title": "Sessions", "kind": "count", "means": ""},
                {"title": "On time, share", "kind": "share", "means": ""},
            ],
            "rows": [["2026-02-01", 42, 0.8571]],
        }
    ],
    "notes": ["The verdict of a course that is over stays as it was at its end."],
}
TIMING: Final = {
    "repeat": {
        "count": 10,
        "countMax": 15,
        "duration": 30,
        "durationMax": 60,
        "durationUnit": "min",
        "frequency": 1,
        "period": 1,
        "periodMax": 2,
        "periodUnit": "d",
    }
}
BUNDLE: Final = {"resourceType": "Bundle", "type": "collection", "entry": []}
READ_TIMING: Final[dict[str, Any]] = {
    "start_on": None,
    "phases": [
        {
            "kind": "intensive",
            "cadence": {"frequency": 1, "period_min": 1, "period_max": 2, "rest_days": 1, "flex_days": 0},
            "sessions_min": 10,
            "sessions_max": 15,
            "target": None,
            "duration_days": None,
            "grace_days": 1,
            "lapse_days": 14,
            "minutes_min": 30,
            "minutes_max": 60,
        }
    ],
    "minutes_by_session": [[]],
    "phases_ended": [],
    "restarts": [],
    "client": "",
    "protocol": "",
    "notes": [],
}
_COURSE_AS_JSON: Final = {
    "start_on": "2026-03-02",
    "phases": [
        {
            "kind": "intensive",
            "cadence": {"frequency": 1, "period_min": 1, "period_max": 2},
            "sessions_min": 10,
            "sessions_max": 15,
            "grace_days": 1,
            "lapse_days": 14,
        }
    ],
    "sessions": [{"on": "2026-03-02", "status": "attended"}, {"on": "2026-03-04", "status": "no_show"}],
}
ASSESS: Final = {
    "as_of": "2026-03-06",
    "clinic": {"closed_weekdays": [7]},
    "course": _COURSE_AS_JSON,
}
ASSESSED: Final = {
    "state": "overdue",
    "phase": 0,
    "session": 2,
    "due_from": "2026-03-03",
    "due_by": "2026-03-04",
    "gaps": [
        {
            "phase": 0,
            "session": 1,
            "on": "2026-03-02",
            "due_from": "2026-03-02",
            "due_by": "2026-03-04",
            "gap_days": None,
            "verdict": "on_time",
            "days": 0,
            "cause": None,
        }
    ],
    "measures": {
        "attended": 1,
        "attendance_rate": 0.5,
        "on_time_rate": 1.0,
        "early_rate": 0.0,
        "late_rate": 0.0,
        "slippage_days": 0,
        "projected_end": "2026-04-06",
    },
    "findings": [
        {
            "kind": "overdue",
            "severity": "warning",
            "days": 2,
            "since": "2026-03-06",
            "cause": "client",
            "says": "Session 2 is 2 days overdue after the client missed or cancelled.",
        }
    ],
    "next_check_on": "2026-03-10",
}
PLAN: Final = {
    **ASSESS,
    "not_before": "2026-03-06T09:00",
    "timezone": "Europe/Riga",
    "count": 1,
    "minutes": 45,
    "hours": {str(weekday): [["09:00", "18:00"]] for weekday in range(1, 6)},
}
PLANNED: Final[dict[str, Any]] = {
    "sessions": [
        {
            "phase": 0,
            "session": 2,
            "start": "2026-03-06T09:00:00+02:00",
            "end": "2026-03-06T09:45:00+02:00",
            "practitioner": None,
            "room": None,
            "pinned": False,
            "days_outside": 2,
            "preferences_missed": 0,
            "why": [
                "Due from 2026-03-03 to 2026-03-04.",
                "Too soon to plan on 2026-03-03–2026-03-05.",
                "Lies 2 days after its window.",
            ],
        }
    ],
    "cost": {
        "unplaced": 0,
        "days_outside": 2,
        "preferences_missed": 0,
        "gap_distance": 3,
        "last_on": "2026-03-06",
    },
    "notes": ["The session on 2026-03-06 is 2 days after its window, which was over too early to plan into."],
}
