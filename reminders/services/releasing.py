"""After a restore: what may have gone out since the backup is withheld, and the rest may go."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from audit.services import Actor, record
from courses.services import reassess_due
from reminders.models import (
    LIVE_STATES,
    AttemptOutcome,
    Delivery,
    DeliveryAttempt,
    DeliveryReport,
    Installation,
    Reason,
    Reminder,
    ReminderState,
)
from reminders.services.expiring import expire_stale
from reminders.services.fence import ROW, held_reason, install
from reminders.services.outcomes import UNCLAIMED
from reminders.services.outside import new_epoch, write_mark

# A message takes along what the same client is due within this time over the same channel.
_TAKEN_ALONG_WITHIN: Final = timedelta(hours=1)
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Survey:
    """What a release would do: numbers of messages, nobody's."""

    # Their time had come before the backup, and they were waiting in it.
    waiting: int
    # Their time came after the backup.
    come_due: int
    # They may have gone along with one of these, before their time.
    taken_along: int
    # Their use has passed; they expire whatever is decided.
    stale: int
    # They go out: at once, and when their time comes.
    go_at_once: int
    go_later: int
    # Providers have reported so many messages delivered, and bounced or unwanted, since the hold began.
    reported_delivered: int
    reported_failed: int

    @property
    def withheld(self) -> int:
        return self.waiting + self.come_due + self.taken_along


@dataclass(frozen=True, slots=True)
class Choice:
    """What the operator says: the moment of the backup, or the moment before which nothing may go any more."""

    since: datetime | None = None
    expire_before: datetime | None = None

    def __post_init__(self) -> None:
        if (self.since is None) == (self.expire_before is None):
            raise ValueError("Name either the moment of the backup or the moment to withhold up to.")

    def come_due(self, *, now: datetime) -> Q:
        """Return which live rows are withheld because of their own time.

        A row that was waiting in the backup may have gone out a moment after it, so `since` withholds all
        whose time has come. `expire_before` is for a false alarm: what is due from then on still goes.
        """
        if self.expire_before is not None:
            return Q(send_at__lt=self.expire_before)
        return Q(send_at__lte=now)


def survey_outbox(choice: Choice, *, now: datetime) -> Survey:
    """Count what a release with this choice would withhold, expire and let go.

    Cost: eight counts.
    """
    rows = _live().filter(expires_at__gt=now)
    mine = choice.come_due(now=now)
    edge = choice.since or choice.expire_before or now
    taken_along = _taken_along(choice, now=now).count()
    rest = rows.exclude(mine)
    return Survey(
        waiting=rows.filter(mine, send_at__lt=edge).count(),
        come_due=rows.filter(mine, send_at__gte=edge).count(),
        taken_along=taken_along,
        stale=_live().filter(expires_at__lte=now).count(),
        go_at_once=rest.filter(send_at__lte=now).count(),
        go_later=rest.filter(send_at__gt=now).count() - taken_along,
        reported_delivered=_reports(kind=Delivery.DELIVERED),
        reported_failed=_reports(kind__in=(Delivery.BOUNCED, Delivery.COMPLAINED)),
    )


def release_outbox(choice: Choice, *, by: Actor, now: datetime) -> Survey:
    """Withhold what the choice says, give this database a new epoch, and let the rest go; return the numbers.

    Courses are assessed first: what the time since the backup makes of them is due now, and may have gone
    out then as well. Anything that fails leaves the outbox held.
    Raises: ValueError when nothing is held. Cost: two updates for each 500 rows, in one transaction.
    """
    if not held_reason():
        raise ValueError("Nothing is held.")
    while reassess_due(now=now):
        # In portions of its own; what raises is put off, so this ends.
        continue
    with transaction.atomic():
        row = Installation.objects.select_for_update().get(pk=install(now=now).pk)
        survey = survey_outbox(choice, now=now)
        expire_stale(now=now)
        along = list(_taken_along(choice, now=now).values_list("pk", flat=True))
        come_due = list(_live().filter(choice.come_due(now=now)).values_list("pk", flat=True))
        _withhold([*come_due, *along], now=now)
        reason, old = row.held_reason, row.epoch
        row.epoch, row.beat, row.seen_at = new_epoch(), 0, now
        row.held_at, row.held_reason = None, ""
        row.save()
        record(
            "outbox.released",
            at=now,
            by=by,
            clinic_code=None,
            subject_kind="installation",
            subject_code=None,
            old={"reason": reason},
            new=asdict(survey),
        )
        # Last, and before the commit: should that fail, the database has an epoch that the file does not know.
        write_mark(row.epoch, 0, instead_of=old)
    return survey


def _live() -> QuerySet[Reminder]:
    return Reminder.objects.filter(state__in=LIVE_STATES)


def _taken_along(choice: Choice, *, now: datetime) -> QuerySet[Reminder]:
    """Return the rows whose time is yet to come that may have gone out with one whose time has come."""
    if choice.since is None:
        return Reminder.objects.none()
    leading = _live().filter(client=OuterRef("client"), channel=OuterRef("channel"), send_at__lte=now)
    return _live().filter(
        Exists(leading), send_at__gt=now, send_at__lte=now + _TAKEN_ALONG_WITHIN, expires_at__gt=now
    )


def _withhold(pks: Sequence[int], *, now: datetime) -> None:
    for start in range(0, len(pks), _AT_ONCE):
        some = pks[start : start + _AT_ONCE]
        DeliveryAttempt.objects.filter(reminder__in=some, outcome=AttemptOutcome.SENDING).update(
            outcome=AttemptOutcome.UNCERTAIN, finished_at=now, error_code="restored"
        )
        _live().filter(pk__in=some).update(
            state=ReminderState.SUPPRESSED,
            decision_reason=Reason.HELD,
            decided_at=now,
            retry_at=None,
            # Whoever had claimed it before the backup finds the claim void.
            generation=F("generation") + 1,
            **UNCLAIMED,
        )


def _reports(**kinds: Any) -> int:
    held_at = Installation.objects.filter(pk=ROW).values_list("held_at", "seen_at").first()
    if held_at is None:
        return 0
    return DeliveryReport.objects.filter(received_at__gte=held_at[0] or held_at[1], **kinds).count()
