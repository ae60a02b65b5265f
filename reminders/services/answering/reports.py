"""What providers report of messages afterwards: early, late, twice or in the wrong order."""

import hashlib
import re
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q, Value
from django.db.models.functions import Coalesce

from audit.services import SYSTEM, record
from clients.models import Client, ContactPoint
from clinics.models import Clinic
from courses.services.changes import transacting
from reminders.models import (
    LIVE_STATES,
    AnswerVia,
    Delivery,
    DeliveryAttempt,
    DeliveryReport,
    Reminder,
    ReminderState,
)
from reminders.services.answering.channels import lock_client, stop_channel, sync_courses
from reminders.services.outcomes import UNCLAIMED, fall_back

# The later word weighs more: what was delivered may still come back, and what came back was never read.
_EARLIER: Final = {
    Delivery.DELIVERED: ("",),
    Delivery.BOUNCED: ("", Delivery.DELIVERED),
    Delivery.COMPLAINED: ("", Delivery.DELIVERED, Delivery.BOUNCED),
}
_CODE: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MATCHED_FOR: Final = timedelta(days=3)
_MATCHED_AT_ONCE: Final = 500


def record_report(
    *,
    provider: str,
    event_id: str,
    kind: str,
    provider_id: str = "",
    reference: str = "",
    is_permanent: bool = False,
    happened_at: datetime,
    now: datetime,
    clinic: Clinic | None = None,
) -> DeliveryReport | None:
    """Keep one event of a provider and what follows from it; return None for one already on record.

    `reference` is the reminder's code, or a Message-ID that holds it; `provider_id` what the provider called the
    message. With `clinic` only that clinic's messages are looked at: the account that signed it is theirs. A
    report that comes before its attempt is on record is matched later, see match_reports(). A bounce for good
    disables the address; a complaint withdraws the consent.
    Raises: CourseError `busy` when the same may be tried again; ValueError for a kind that is none.
    """
    word = Delivery(kind)
    with transacting():
        reminder = _find_reminder(provider_id, reference, clinic)
        report, is_new = DeliveryReport.objects.get_or_create(
            provider=provider[:30],
            event_id=_fitting(event_id),
            defaults={
                "clinic_id": reminder.clinic_id if reminder else clinic.pk if clinic else None,
                "reminder": reminder,
                "provider_id": provider_id[:120],
                "kind": word,
                "is_permanent": is_permanent,
                "happened_at": happened_at,
                "received_at": now,
            },
        )
        if not is_new:
            return None
        if reminder is not None:
            _apply(report, reminder, now=now)
        return report


def match_reports(*, now: datetime) -> int:
    """Find the messages of reports that came before their attempts were on record; return how many were found.

    Safe to run twice and at once.
    Cost: one query when none is open; up to five hundred reports at once.
    """
    recent = DeliveryReport.objects.filter(reminder=None, received_at__gt=now - _MATCHED_FOR)
    waiting = recent.exclude(provider_id="").order_by("-received_at")
    return sum(_match(report, now=now) for report in waiting.select_related("clinic")[:_MATCHED_AT_ONCE])


def _match(report: DeliveryReport, *, now: datetime) -> bool:
    with transacting():
        reminder = _find_reminder(report.provider_id, "", report.clinic)
        if reminder is None:
            return False
        mine = DeliveryReport.objects.filter(pk=report.pk, reminder=None)
        if not mine.update(reminder=reminder, clinic=reminder.clinic_id):
            return False
        _apply(report, reminder, now=now)
        return True


def _fitting(event_id: str) -> str:
    """Return an event's name, or a fingerprint of one that is too long for its column."""
    return event_id if len(event_id) <= 120 else hashlib.sha256(event_id.encode()).hexdigest()


def _find_reminder(provider_id: str, reference: str, clinic: Clinic | None) -> Reminder | None:
    reminders = Reminder.objects.select_related("client", "rule")
    if clinic is not None:
        reminders = reminders.for_clinic(clinic)
    code = _CODE.search(reference)
    found = reminders.filter(code=UUID(code[0])).first() if code else None
    if found is None and provider_id:
        attempts = DeliveryAttempt.objects.filter(provider_id=provider_id[:120]).values("reminder")
        found = reminders.filter(pk__in=attempts).order_by("-pk").first()
    return found


def _apply(report: DeliveryReport, reminder: Reminder, *, now: datetime) -> None:
    """Do what follows from a report; courses and client are locked before the message's row."""
    if reminder.client is not None and report.kind == Delivery.COMPLAINED:
        stop_channel(
            client=reminder.client,
            channel=reminder.channel,
            via=AnswerVia.PROVIDER,
            event_key=f"report:{report.pk}",
            reminder=reminder,
            now=now,
        )
    elif reminder.client is not None and report.kind == Delivery.BOUNCED and report.is_permanent:
        _disable_contact(report, reminder, reminder.client, now=now)
    # Those that went along in the same message share its fate.
    told = Reminder.objects.filter(Q(pk=reminder.pk) | Q(sent_with=reminder.pk))
    # Whatever the provider did with it, it had it: nobody has to wonder any more whether it was sent, nor to
    # send it again.
    in_doubt = Q(state=ReminderState.UNCERTAIN) | Q(
        state__in=LIVE_STATES, uncertain_count__gt=0, on_wire_at=None
    )
    told.filter(in_doubt).update(
        state=ReminderState.SENT,
        decision_reason="",
        sent_at=report.happened_at,
        decided_at=Coalesce("decided_at", Value(now)),
        retry_at=None,
        **UNCLAIMED,
    )
    if report.kind == Delivery.BOUNCED and report.is_permanent:
        # As if the server had refused it at once: while it is of use, it goes over the rule's next channel.
        for row in told.filter(state=ReminderState.SENT).select_related("rule", "client", "clinic"):
            fall_back(row, now=now)
    told.filter(delivery__in=_EARLIER[Delivery(report.kind)]).update(
        delivery=report.kind, delivered_at=report.happened_at
    )


def _disable_contact(report: DeliveryReport, reminder: Reminder, client: Client, *, now: datetime) -> None:
    """Write no more to the address that the message went to; staff see it with the client."""
    attempts = DeliveryAttempt.objects.filter(reminder=reminder, contact_point__isnull=False)
    named = attempts.filter(provider_id=report.provider_id) if report.provider_id else attempts.none()
    attempt = named.order_by("-number").first() or attempts.order_by("-number").first()
    if attempt is None:
        return
    courses, client = lock_client(client)
    contacts = ContactPoint.objects.filter(pk=attempt.contact_point_id or 0, disabled_at=None)
    if not contacts.update(disabled_at=now, disabled_reason=f"bounced:{report.provider}"):
        return
    sync_courses(courses, now=now)
    record(
        "contact.disabled",
        at=now,
        by=SYSTEM,
        clinic_code=client.clinic.code,
        subject_kind="client",
        subject_code=client.code,
        new={"channel": str(reminder.channel), "reason": f"bounced:{report.provider}"},
    )
