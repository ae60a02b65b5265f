"""How a clinic writes to its clients, whatever the rule: sender, quiet hours, the day's cap, what may be named."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.services import Actor, record
from clinics.models import Clinic
from clinics.services import check_printable
from reminders.services.resyncing import request_resync

CHANGEABLE: Final = (
    "sender_name",
    "reply_to_email",
    "quiet_from_time",
    "quiet_to_time",
    "daily_message_cap",
    "shows_treatment_in_messages",
    "reminder_holdout_percent",
)
# What moves or makes messages that wait already.
_TIMING: Final = frozenset({"quiet_from_time", "quiet_to_time", "shows_treatment_in_messages"})
CAP_MOST: Final = 20
HOLDOUT_MOST: Final = 50


def change_message_settings(*, clinic: Clinic, values: Mapping[str, Any], by: Actor, now: datetime) -> Clinic:
    """Change how the clinic writes to its clients and return it; messages that wait follow with the next ticks.

    Raises: ValidationError by field; TypeError for a field that is not one of these settings.
    """
    if unknown := set(values) - set(CHANGEABLE):
        raise TypeError(f"These are no message settings: {', '.join(sorted(unknown))}.")
    with transaction.atomic():
        locked = Clinic.objects.select_for_update().get(pk=clinic.pk)
        changed = sorted(name for name, value in values.items() if getattr(locked, name) != value)
        for name in changed:
            setattr(locked, name, values[name])
        _check(locked)
        if not changed:
            return locked
        locked.save(update_fields=changed)
        if _TIMING & set(changed):
            request_resync(clinic=locked, now=now)
        record(
            "clinic.messages_changed",
            at=now,
            by=by,
            clinic_code=locked.code,
            subject_kind="clinic",
            subject_code=locked.code,
            # Which of them, not the address that answers go to.
            new={"fields": changed},
        )
    return locked


def _check(clinic: Clinic) -> None:
    for name in ("sender_name", "reply_to_email"):
        try:
            check_printable(getattr(clinic, name))
        except ValidationError as error:
            raise ValidationError({name: error}) from error
    if not 1 <= clinic.daily_message_cap <= CAP_MOST:
        raise ValidationError(
            {"daily_message_cap": _("Choose from 1 to %(most)s messages a day.") % {"most": CAP_MOST}}
        )
    if not 0 <= clinic.reminder_holdout_percent <= HOLDOUT_MOST:
        raise ValidationError(
            {"reminder_holdout_percent": _("Choose from 0 to %(most)s %%.") % {"most": HOLDOUT_MOST}}
        )
    clinic.clean_fields(exclude=[field.name for field in Clinic._meta.fields if field.name not in CHANGEABLE])
