"""Codes by which a client whose birth date is unknown proves to be the client: sent to another of the client's addresses."""

import hmac
from datetime import datetime, timedelta
from typing import Final

from clients.models import Client
from courses.models import Course
from reminders.codes import code_of
from reminders.convert import load_client_facts
from reminders.models import LIVE_STATES, Reminder, ReminderRule, ReminderState, Trigger

CODE_FOR: Final = timedelta(minutes=15)
# Each costs the clinic a message; more are asked for by nobody who reads them.
_CODES_AN_HOUR: Final = 3


def code_channel(client: Client, *, but: str) -> str:
    """Return the channel over which a code can go, never the one that carried the link; else an empty text.

    Cost: four queries.
    """
    rule = _rule(client)
    if rule is None:
        return ""
    reachable = load_client_facts(client, client.clinic).reachable
    return next((name for name in rule.channels if name in reachable and name != but), "")


def send_code(*, client: Client, course: Course, but: str, now: datetime) -> bool:
    """Make the message of a new code; return whether there is one: not after several within the hour.

    A double press makes one.
    Cost: about eight queries.
    """
    channel, rule = code_channel(client, but=but), _rule(client)
    codes = Reminder.objects.filter(client=client, trigger=Trigger.ACCESS_CODE)
    lately = codes.filter(created_at__gt=now - timedelta(hours=1)).count()
    if not channel or rule is None or lately >= _CODES_AN_HOUR:
        return False
    row = Reminder(
        clinic_id=client.clinic_id,
        client=client,
        course=course,
        rule=rule,
        rule_version=rule.version,
        trigger=rule.trigger,
        channel=channel,
        subject_key=f"code:{client.code}",
        subject_revision=codes.count() + 1,
        about="code",
        send_at=now,
        expires_at=now + CODE_FOR,
        created_at=now,
    )
    Reminder.objects.bulk_create([row], ignore_conflicts=True)
    return True


def is_code(client: Client, typed: str, *, now: datetime) -> bool:
    """Return whether somebody typed a code that was sent to a client lately; one query."""
    rows = Reminder.objects.filter(
        client=client,
        trigger=Trigger.ACCESS_CODE,
        created_at__gt=now - CODE_FOR,
        state__in=(*LIVE_STATES, ReminderState.SENT, ReminderState.UNCERTAIN),
    )
    found = "".join(typed.split())
    return any(hmac.compare_digest(code_of(row).encode(), found.encode()) for row in rows)


def _rule(client: Client) -> ReminderRule | None:
    """Return the clinic's rule for codes, while it may send any."""
    rules = ReminderRule.objects.for_clinic(client.clinic).filter(trigger=Trigger.ACCESS_CODE)
    rule = rules.first()
    return rule if rule is not None and rule.is_active and rule.channels else None
