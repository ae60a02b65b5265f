"""The worklist: acknowledging, putting off and calling because of a flag."""

from datetime import date, datetime

from django.utils.translation import gettext as _

from audit.services import Actor, record
from courses.convert import local_today
from courses.errors import CourseError
from courses.models import CallOutcome, Flag, FlagCall
from courses.services.changes import fitting_text, refuse, require_staff, transacting


def acknowledge_flag(*, flag: Flag, by: Actor, now: datetime, note: str = "", seen: str = "") -> None:
    """Put on record that somebody saw the flag and takes care of it.

    `seen` is the flag's stamp as the reader saw it; one that others took care of since is left to them.
    Raises: CourseError when the flag has been resolved, or changed since it was seen.
    """
    with transacting():
        flag = _lock_flag(flag, seen=seen)
        flag.acknowledged_at = now
        flag.acknowledged_by = require_staff(by, flag.clinic)
        flag.acknowledged_note = fitting_text(note, column=Flag.acknowledged_note, field="note")
        flag.save(update_fields=["acknowledged_at", "acknowledged_by", "acknowledged_note"])
        _record(flag, "acknowledged", by=by, now=now)


def snooze_flag(
    *, flag: Flag, until_on: date, by: Actor, now: datetime, note: str = "", seen: str = ""
) -> None:
    """Hide the flag from the worklist until a day; it comes back earlier when it grows more severe.

    `seen` as in acknowledge_flag().
    Raises: CourseError when the day is not after today, or the flag has been resolved or changed since it was seen.
    """
    with transacting():
        flag = _lock_flag(flag, seen=seen)
        if until_on <= local_today(flag.clinic, now):
            raise refuse("until_on", _("Choose a day after today."), code="date_past")
        flag.snoozed_until_on = until_on
        flag.acknowledged_at = now
        flag.acknowledged_by = require_staff(by, flag.clinic)
        flag.acknowledged_note = fitting_text(note, column=Flag.acknowledged_note, field="note")
        flag.save(
            update_fields=["snoozed_until_on", "acknowledged_at", "acknowledged_by", "acknowledged_note"]
        )
        _record(flag, "snoozed", by=by, now=now, until_on=until_on.isoformat())


def release_flag(
    *,
    flag: Flag,
    by: Actor,
    now: datetime,
    was_acknowledged: bool = False,
    snoozed_until_on: date | None = None,
    seen: str = "",
) -> None:
    """Take back that somebody takes care of the flag, or that it was put off: it is on the worklist again.

    One that `was_acknowledged` before stays so; `snoozed_until_on` is what held before. `seen` as in
    acknowledge_flag().
    Raises: CourseError when the flag has been resolved, or changed since it was seen.
    """
    with transacting():
        flag = _lock_flag(flag, seen=seen)
        fields = ["snoozed_until_on"]
        flag.snoozed_until_on = snoozed_until_on
        if not was_acknowledged:
            flag.acknowledged_at, flag.acknowledged_by, flag.acknowledged_note = None, None, ""
            fields += ["acknowledged_at", "acknowledged_by", "acknowledged_note"]
        flag.save(update_fields=fields)
        _record(flag, "released", by=by, now=now)


def record_call(
    *, flag: Flag, outcome: str, by: Actor, now: datetime, note: str = "", next_on: date | None = None
) -> FlagCall:
    """Put on record one attempt to reach the client; with `next_on` the flag is put off until then.

    Raises: CourseError for an unknown outcome, a next day that is not after today, a resolved flag.
    """
    if outcome not in CallOutcome:
        raise refuse("outcome", _("Choose how the call ended."), code="unknown_outcome")
    with transacting():
        flag = _lock_flag(flag)
        if next_on is not None and next_on <= local_today(flag.clinic, now):
            raise refuse("next_on", _("Choose a day after today."), code="date_past")
        call = FlagCall.objects.create(
            clinic_id=flag.clinic_id,
            flag=flag,
            outcome=outcome,
            note=fitting_text(note, column=FlagCall.note, field="note"),
            next_on=next_on,
            by=require_staff(by, flag.clinic),
            created_at=now,
        )
        if next_on is not None:
            flag.snoozed_until_on = next_on
            flag.save(update_fields=["snoozed_until_on"])
        _record(flag, "called", by=by, now=now, outcome=outcome)
    return call


def _lock_flag(flag: Flag, *, seen: str = "") -> Flag:
    locked = Flag.objects.select_for_update(of=("self",)).select_related("clinic", "course").get(pk=flag.pk)
    if locked.resolved_at is not None:
        raise CourseError(_("This has been resolved in the meantime."), code="flag_resolved")
    if seen and seen != locked.stamp:
        raise CourseError(_("Somebody took care of this meanwhile; look at it again."), code="stale")
    return locked


def _record(flag: Flag, verb: str, *, by: Actor, now: datetime, **details: str) -> None:
    record(
        f"flag.{verb}",
        at=now,
        by=by,
        clinic_code=flag.clinic.code,
        subject_kind="course",
        subject_code=flag.course.code,
        new={"kind": flag.kind, **details},
    )
