"""What a clinic says of itself and how it books; what changes assessments re-assesses the running courses."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from audit.services import Actor, record
from clients.services import checked_phone
from clinics.models import Clinic
from clinics.services import check_printable, check_time_zone
from courses.models import Course
from courses.services.calendar import reassess_clinic
from courses.services.changes import transacting

_WORDS: Final = ("name", "address", "phone")
# The least and the most of each number.
LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "booking_lead_days": (0, 60),
    "booking_horizon_days": (7, 365),
    "notice_hours": (0, 168),
    "longest_pause_days": (1, 365),
    "slot_step_minutes": (5, 240),
}
CHANGEABLE: Final = (*_WORDS, "language", "country", "time_zone", *LIMITS)


def is_time_zone_open(clinic: Clinic) -> bool:
    """Return whether the clinic's time zone may still change: the days of its courses are counted in it.

    Cost: one query.
    """
    return not Course.objects.for_clinic(clinic).exists()


def change_clinic(
    *,
    clinic: Clinic,
    values: Mapping[str, Any],
    by: Actor,
    now: datetime,
    known: Mapping[str, Any] | None = None,
) -> Clinic:
    """Change what the clinic says of itself and how it books, and return it.

    known: the values that were shown when these were typed; what somebody else has changed since is refused.
    Raises: ValidationError by field; TypeError for a field that is not one of these.
    Cost: three queries; with another booking lead also those of reassess_clinic().
    """
    if unknown := set(values) - set(CHANGEABLE):
        raise TypeError(f"These are no details of a clinic: {', '.join(sorted(unknown))}.")
    with transacting():
        locked = Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
        new = {name: value.strip() if name in _WORDS else value for name, value in values.items()}
        old = {name: getattr(locked, name) for name in CHANGEABLE}
        changed = sorted(name for name, value in new.items() if old[name] != value)
        if known is not None:
            # What was left as it was shown is not meant to undo somebody else's change.
            changed = [name for name in changed if name not in known or known[name] != new[name]]
            _refuse_overtaken(old, known, changed)
        for name in changed:
            setattr(locked, name, new[name])
        _check(locked, changed)
        if not changed:
            return locked
        if "slot_step_minutes" in changed:
            # A plan made on the old grid is stale.
            locked.calendar_version += 1
        locked.save(update_fields=[*changed, "calendar_version"])
        if "booking_lead_days" in changed:
            reassess_clinic(locked, now=now)
        told = [name for name in changed if name not in _WORDS]
        record(
            "clinic.details_changed",
            at=now,
            by=by,
            clinic_code=locked.code,
            subject_kind="clinic",
            subject_code=locked.code,
            old={name: old[name] for name in told},
            # Of names and addresses only which.
            new={"fields": changed, **{name: new[name] for name in told}},
        )
    return locked


def _refuse_overtaken(old: Mapping[str, Any], known: Mapping[str, Any], changed: list[str]) -> None:
    overtaken = [name for name in changed if name in known and known[name] != old[name]]
    if overtaken:
        raise ValidationError(
            {
                name: ValidationError(
                    _(
                        "Somebody has meanwhile changed this to “%(value)s”. Save again to put yours in place."
                    ),
                    code="changed_meanwhile",
                    params={"value": old[name]},
                )
                for name in overtaken
            }
        )


def _check(clinic: Clinic, changed: list[str]) -> None:
    """Refuse what is impossible among the changed fields; what was stored before is left in peace."""
    errors: dict[str, Any] = {}
    for name in set(changed) & set(_WORDS):
        try:
            check_printable(getattr(clinic, name))
        except ValidationError as error:
            errors[name] = error
    for name in set(changed) & set(LIMITS):
        least, most = LIMITS[name]
        if not least <= getattr(clinic, name) <= most:
            errors[name] = _("Choose from %(least)s to %(most)s.") % {"least": least, "most": most}
    if "phone" in changed and clinic.phone and "phone" not in errors:
        try:
            checked_phone(clinic.phone, country=clinic.country, may_extend=True)
        except ValidationError as error:
            errors["phone"] = error
    if "time_zone" in changed:
        try:
            check_time_zone(clinic.time_zone)
        except ValidationError as error:
            errors["time_zone"] = error
        if not is_time_zone_open(clinic):
            errors["time_zone"] = _("The time zone stays: there are courses whose days are counted in it.")
    if errors:
        raise ValidationError(errors)
    clinic.clean_fields(exclude=[field.name for field in Clinic._meta.fields if field.name not in changed])
