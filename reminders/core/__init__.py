"""Which messages should exist: facts of clinic, client and course in, messages out; pure."""

from reminders.core.ahead import AWAITED, has_booking, is_paused_on, slot_text, untold, upcoming
from reminders.core.desired import TELLING, desired_reminders, pick_channel
from reminders.core.facts import (
    ClientFacts,
    ClinicFacts,
    CourseFacts,
    Desired,
    RuleSpec,
    SessionFacts,
    Told,
    Trigger,
)
from reminders.core.holding_out import is_held_out
from reminders.core.quiet_hours import QUIET_MARGIN, QuietHours, move_earlier, move_later, quiet_span

__all__ = [
    "AWAITED",
    "QUIET_MARGIN",
    "TELLING",
    "ClientFacts",
    "ClinicFacts",
    "CourseFacts",
    "Desired",
    "QuietHours",
    "RuleSpec",
    "SessionFacts",
    "Told",
    "Trigger",
    "desired_reminders",
    "has_booking",
    "is_held_out",
    "is_paused_on",
    "move_earlier",
    "move_later",
    "pick_channel",
    "quiet_span",
    "slot_text",
    "untold",
    "upcoming",
]
