"""Writes of the reminders: what should go out is derived, claimed, sent and recorded here."""

from reminders.services.claiming import claim_due, recover_leases
from reminders.services.delivering import Sender, drain
from reminders.services.expiring import expire_stale
from reminders.services.rules import seed_rules
from reminders.services.syncing import SyncCounts, sync_course_reminders, sync_reminders_of
from reminders.services.ticking import run_tick, wake_senders
from reminders.services.wire import Claim

__all__ = [
    "Claim",
    "Sender",
    "SyncCounts",
    "claim_due",
    "drain",
    "expire_stale",
    "recover_leases",
    "run_tick",
    "seed_rules",
    "sync_course_reminders",
    "sync_reminders_of",
    "wake_senders",
]
