"""What the models are called on the operator's pages; nowhere else does a reader meet these names."""

from collections.abc import Mapping
from typing import Final

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

APPS: Final[Mapping[str, Promise]] = {
    "audit": pgettext_lazy("operator", "What was done"),
    "clinics": pgettext_lazy("operator", "Clinics and logins"),
    "reminders": pgettext_lazy("operator", "Messages and clocks"),
}

_CODE: Final = pgettext_lazy("operator", "code")
_CLINIC: Final = pgettext_lazy("operator", "clinic")
_LANGUAGE: Final = pgettext_lazy("operator", "language")
_NAME: Final = pgettext_lazy("operator", "name")
_FAILED: Final = pgettext_lazy("operator", "last failed")
_STARTED: Final = pgettext_lazy("operator", "last started")
_SUCCEEDED: Final = pgettext_lazy("operator", "last succeeded")

# Of each model: one, many, and its fields that are shown.
MODELS: Final[Mapping[str, tuple[Promise, Promise, Mapping[str, Promise]]]] = {
    "audit.AuditEvent": (
        pgettext_lazy("operator", "audit event"),
        pgettext_lazy("operator", "audit events"),
        {
            "at": pgettext_lazy("operator", "when"),
            "action": pgettext_lazy("operator", "what"),
            "actor_kind": pgettext_lazy("operator", "who"),
            "actor_code": pgettext_lazy("operator", "code of who"),
            "subject_kind": pgettext_lazy("operator", "about"),
            "subject_code": pgettext_lazy("operator", "code of what it is about"),
            "clinic_code": pgettext_lazy("operator", "code of the clinic"),
        },
    ),
    "clinics.User": (
        pgettext_lazy("operator", "user"),
        pgettext_lazy("operator", "users"),
        {
            "code": _CODE,
            "language": _LANGUAGE,
            "is_active": pgettext_lazy("operator", "may sign in"),
            "is_superuser": pgettext_lazy("operator", "operator"),
            "last_login": pgettext_lazy("operator", "last signed in"),
            "date_joined": pgettext_lazy("operator", "since"),
        },
    ),
    "clinics.Clinic": (
        _CLINIC,
        pgettext_lazy("operator", "clinics"),
        {
            "code": _CODE,
            "name": _NAME,
            "country": pgettext_lazy("operator", "country"),
            "time_zone": pgettext_lazy("operator", "time zone"),
            "language": _LANGUAGE,
            "created_at": pgettext_lazy("operator", "founded"),
            "deactivated_at": pgettext_lazy("operator", "deactivated"),
            "is_demo": pgettext_lazy("operator", "demonstration"),
            "is_being_set_up": pgettext_lazy("operator", "being set up"),
            "calendar_version": pgettext_lazy("operator", "version of the calendar"),
            "daily_message_cap": pgettext_lazy("operator", "messages to a client a day, at most"),
        },
    ),
    "clinics.StaffMember": (
        pgettext_lazy("operator", "staff member"),
        pgettext_lazy("operator", "staff members"),
        {
            "code": _CODE,
            "display_name": _NAME,
            "user": pgettext_lazy("operator", "user"),
            "clinic": _CLINIC,
            "role": pgettext_lazy("operator", "role"),
            "is_treating": pgettext_lazy("operator", "treats clients"),
            "gets_digest": pgettext_lazy("operator", "gets the morning summary"),
            "is_active": pgettext_lazy("operator", "has access"),
        },
    ),
    "reminders.Reminder": (
        pgettext_lazy("operator", "message"),
        pgettext_lazy("operator", "messages"),
        {
            "code": _CODE,
            "clinic": _CLINIC,
            "trigger": pgettext_lazy("operator", "occasion"),
            "channel": pgettext_lazy("operator", "channel"),
            "state": pgettext_lazy("operator", "state"),
            "decision_reason": pgettext_lazy("operator", "reason"),
            "send_at": pgettext_lazy("operator", "to be sent"),
            "sent_at": pgettext_lazy("operator", "sent"),
            "attempt_count": pgettext_lazy("operator", "attempts"),
            "expires_at": pgettext_lazy("operator", "of no use from"),
            "decided_at": pgettext_lazy("operator", "decided"),
            "delivery": pgettext_lazy("operator", "delivery"),
            "delivered_at": pgettext_lazy("operator", "delivered"),
            "retry_at": pgettext_lazy("operator", "next attempt"),
            "lease_until": pgettext_lazy("operator", "claimed until"),
        },
    ),
    "reminders.ChannelHealth": (
        pgettext_lazy("operator", "health of a channel"),
        pgettext_lazy("operator", "health of the channels"),
        {
            "scope": pgettext_lazy("operator", "channel"),
            "clinic": _CLINIC,
            "failure_count": pgettext_lazy("operator", "failures in a row"),
            "open_until": pgettext_lazy("operator", "rests until"),
            "last_error_code": pgettext_lazy("operator", "last error"),
            "last_failed_at": _FAILED,
            "last_succeeded_at": _SUCCEEDED,
        },
    ),
    "reminders.JobState": (
        pgettext_lazy("operator", "regular work"),
        pgettext_lazy("operator", "regular work"),
        {
            "job": pgettext_lazy("operator", "work"),
            "last_started_at": _STARTED,
            "last_succeeded_at": _SUCCEEDED,
            "last_counts": pgettext_lazy("operator", "done then"),
        },
    ),
    "reminders.Installation": (
        pgettext_lazy("operator", "installation"),
        pgettext_lazy("operator", "installation"),
        {
            "beat": pgettext_lazy("operator", "heartbeats"),
            "seen_at": pgettext_lazy("operator", "last seen"),
            "held_at": pgettext_lazy("operator", "held since"),
            "held_reason": pgettext_lazy("operator", "why held"),
        },
    ),
}


def name_models() -> None:
    """Give the models, their fields and their apps names that are translated.

    Set on what is loaded and not in the models: names there would be a migration in three apps for pages of another.
    """
    for label, name in APPS.items():
        apps.get_app_config(label).verbose_name = name  # type: ignore[assignment]  # what reads it takes both
    for label, (one, many, fields) in MODELS.items():
        options = apps.get_model(label)._meta
        options.verbose_name, options.verbose_name_plural = one, many
        for field, title in fields.items():
            options.get_field(field).verbose_name = title
