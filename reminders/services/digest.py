"""The morning's summary for staff: one message a day to each who wants it, planned shortly before its time."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from clinics.core import to_utc
from clinics.models import Clinic, StaffMember
from courses.convert import load_calendars
from reminders.models import Reminder, ReminderRule, Trigger

# A row is made this long before it goes: long enough for a slow tick, short enough for late wishes.
_PLANNED_AHEAD: Final = timedelta(minutes=30)


def plan_digests(*, now: datetime) -> int:
    """Plan today's summaries of all clinics whose time is near, and return how many were new.

    None on a day on which the clinic is closed: the next one then looks back further. Safe to run twice and
    at once: the rows' unique key holds the day.
    Cost: one query when no clinic's time is near, else five.
    """
    near = [(rule, *slot) for rule in _rules() if (slot := _slot(rule, now)) is not None]
    if not near:
        return 0
    calendars = load_calendars([rule.clinic for rule, _, _ in near])
    by_clinic = {
        rule.clinic_id: (rule, send_at, expires_at)
        for rule, send_at, expires_at in near
        if calendars[rule.clinic_id].is_open(_local_day(rule.clinic, send_at))
    }
    rows = [_row(member, *by_clinic[member.clinic_id], now=now) for member in _members(by_clinic)]
    known = set(
        Reminder.objects.filter(
            rule__in=[rule for rule, _, _ in near], subject_key__in=[row.subject_key for row in rows]
        ).values_list("rule_id", "subject_key", "subject_revision")
    )
    fresh = [row for row in rows if (row.rule_id, row.subject_key, row.subject_revision) not in known]
    Reminder.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def _rules() -> QuerySet[ReminderRule]:
    return ReminderRule.objects.filter(trigger=Trigger.STAFF_DIGEST, is_active=True).select_related("clinic")


def _members(clinics: dict[int, tuple[ReminderRule, datetime, datetime]]) -> QuerySet[StaffMember]:
    members = StaffMember.objects.filter(
        clinic__in=clinics, is_active=True, gets_digest=True, user__is_active=True
    )
    return members.exclude(user__email="").select_related("user")


def _local_day(clinic: Clinic, at: datetime) -> date:
    return at.astimezone(ZoneInfo(clinic.time_zone)).date()


def _slot(rule: ReminderRule, now: datetime) -> tuple[datetime, datetime] | None:
    """Return when today's summary goes and until when it is of use, or None when that is not near."""
    if rule.at_time is None or not rule.channels:
        return None
    zone = ZoneInfo(rule.clinic.time_zone)
    # Shortly after midnight belongs to today, shortly before it to tomorrow.
    day = (now + _PLANNED_AHEAD).astimezone(zone).date()
    send_at = to_utc(day, rule.at_time, zone)
    expires_at = send_at + timedelta(minutes=rule.useful_minutes)
    return (send_at, expires_at) if send_at - _PLANNED_AHEAD <= now < expires_at else None


def _row(
    member: StaffMember, rule: ReminderRule, send_at: datetime, expires_at: datetime, *, now: datetime
) -> Reminder:
    day = _local_day(rule.clinic, send_at)
    return Reminder(
        clinic_id=rule.clinic_id,
        staff_member=member,
        rule=rule,
        rule_version=rule.version,
        trigger=rule.trigger,
        channel=rule.channels[0],
        subject_key=f"staff:{member.code}",
        # The day itself is the revision, so that a day has one summary however often it is planned.
        subject_revision=day.toordinal(),
        about=f"morning:{day.isoformat()}",
        send_at=send_at,
        expires_at=expires_at,
        created_at=now,
    )
