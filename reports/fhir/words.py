"""Our words in FHIR's: which status, severity and code stands for which of ours."""

from typing import Any, Final

from courses.core.fhir import names
from reports.cells import without_controls

COURSE: Final = names.system_url("course")
PROTOCOL: Final = names.system_url("protocol")
FINDING: Final = names.system_url("finding")
CAUSE: Final = names.system_url("cause")
RESOLVED: Final = names.system_url("resolved")
SESSION_STATUS: Final = names.system_url("session-status")
REACTION: Final = names.system_url("reaction")
STAFF_ROLE: Final = names.system_url("staff-role")
TRIGGER: Final = names.system_url("message-trigger")
CHANNEL: Final = names.system_url("message-channel")
NOT_SENT: Final = names.system_url("message-reason")

DRIFT_STATE: Final = names.extension_url("drift-state")
PAUSE: Final = names.extension_url("pause")
SESSION_NUMBER: Final = names.extension_url("session-number")
MINUTES: Final = names.extension_url("minutes")
PAIN_BEFORE: Final = names.extension_url("pain-before")
PAIN_AFTER: Final = names.extension_url("pain-after")
TREATMENT: Final = names.extension_url("treatment")
LATE_DAYS: Final = names.extension_url("days")
COUNT: Final = names.extension_url("count")
SINCE_ON: Final = names.extension_url("since-on")
SNOOZED_UNTIL: Final = names.extension_url("snoozed-until")

# HL7's own.
FLAG_DETAIL: Final = "http://hl7.org/fhir/StructureDefinition/flag-detail"
CANCELLATION: Final = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
LANGUAGES: Final = "urn:ietf:bcp:47"
URIS: Final = "urn:ietf:rfc:3986"

PLAN_STATUS: Final = {
    "draft": "draft",
    "active": "active",
    "paused": "on-hold",
    "completed": "completed",
    "discontinued": "revoked",
}
# A visit that was not attended, while it has or had a slot.
APPOINTMENT_STATUS: Final = {
    "planned": "proposed",
    "booked": "booked",
    "confirmed": "booked",
    "arrived": "arrived",
    "no_show": "noshow",
    "cancelled_late": "cancelled",
    "cancelled_by_client": "cancelled",
    "cancelled_by_clinic": "cancelled",
}
# What the client said to it.
PARTICIPANT_STATUS: Final = {
    "booked": "needs-action",
    "planned": "needs-action",
    "confirmed": "accepted",
    "arrived": "accepted",
    "no_show": "accepted",
    "cancelled_late": "declined",
    "cancelled_by_client": "declined",
    "cancelled_by_clinic": "accepted",
}
CANCELLED_BY: Final = {
    "cancelled_late": "pat",
    "cancelled_by_client": "pat",
    "cancelled_by_clinic": "prov",
}
SEVERITY: Final = {"notice": "low", "warning": "moderate", "serious": "high"}
MESSAGE_STATUS: Final = {
    "due": "preparation",
    "claimed": "in-progress",
    "sent": "completed",
    "failed": "stopped",
    "expired": "not-done",
    "cancelled": "not-done",
    "suppressed": "not-done",
    "uncertain": "unknown",
}
# How an address is reached; a clinic's own system has none that others could use.
CONTACT_SYSTEM: Final = {"email": "email", "sms": "phone", "telegram": "other", "whatsapp": "other"}


def text(value: str) -> str:
    """Return text as FHIR holds it: no control characters, nothing around it; perhaps nothing at all."""
    return without_controls(value).strip()


def coded(system: str, code: str, said: str = "") -> dict[str, Any]:
    """Return a word of one of our lists as a CodeableConcept, with what a person reads."""
    concept: dict[str, Any] = {"coding": [{"system": system, "code": code}]}
    return concept | {"text": said} if said else concept


def filled(values: dict[str, Any]) -> dict[str, Any]:
    """Return what has a value: FHIR holds neither nulls nor empty lists nor empty texts."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
