"""Telling clients who wait that an earlier slot is free: one message an offer, made with the tick that finds it."""

from datetime import datetime, timedelta
from typing import Final

from courses.models import EarlierOutcome, EarlierSlot
from reminders.convert import load_client_facts, rule_spec
from reminders.core import move_later, pick_channel, slot_text
from reminders.models import Reminder, ReminderRule, Trigger
from reminders.services.seeding import seed_rules

_TOLD_AT_ONCE: Final = 200


def tell_earlier_slots(*, now: datetime) -> int:
    """Make the messages of offers that have none yet, and return how many.

    In quiet hours they wait; one that could only come too late is not made. Safe to run twice and at once: the
    rows' unique key holds the offer.
    Cost: one query when there is nothing to tell, else about eight an offer.
    """
    untold = EarlierSlot.objects.filter(told_at=None, outcome=EarlierOutcome.OPEN, expires_at__gt=now)
    untold = untold.select_related("clinic", "freed", "waiting__session__course__client")
    rows = []
    offers = list(untold.order_by("created_at", "pk")[:_TOLD_AT_ONCE])
    for offer in offers:
        row = _row(offer, now=now)
        if row is not None:
            rows.append(row)
    Reminder.objects.bulk_create(rows, ignore_conflicts=True)
    EarlierSlot.objects.filter(pk__in=[offer.pk for offer in offers], told_at=None).update(told_at=now)
    return len(rows)


def _row(offer: EarlierSlot, *, now: datetime) -> Reminder | None:
    rules = ReminderRule.objects.for_clinic(offer.clinic).filter(trigger=Trigger.EARLIER_SLOT)
    rule = rules.first()
    if rule is None:
        seed_rules(clinic=offer.clinic, now=now)
        rule = rules.first()
    if rule is None or not rule.is_active or not rule.channels:
        return None
    session = offer.waiting.session
    client = session.course.client
    facts = load_client_facts(client, offer.clinic)
    send_at = move_later(now, quiet=facts.quiet)
    expires_at = min(offer.expires_at, now + timedelta(minutes=rule.useful_minutes))
    if send_at >= expires_at:
        return None
    return Reminder(
        clinic=offer.clinic,
        client=client,
        course=session.course,
        session=session,
        rule=rule,
        rule_version=rule.version,
        trigger=rule.trigger,
        channel=pick_channel(rule_spec(rule), facts),
        subject_key=f"offer:{offer.code}",
        subject_revision=1,
        about=slot_text(offer.freed.starts_at),
        send_at=send_at,
        expires_at=expires_at,
        created_at=now,
    )
