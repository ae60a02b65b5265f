"""What comes back on messages: clients' answers and providers' reports, each acting once however often it arrives.

Every verb is one transaction: it does what was asked or finds out why not, and keeps the answer either way.
Courses are locked before their client, as everywhere.
"""

from reminders.services.answering.answers import actor_of
from reminders.services.answering.channels import start_channel, stop_channel
from reminders.services.answering.reports import match_reports, record_report
from reminders.services.answering.visits import (
    ChosenSlot,
    book_by_client,
    cancel_by_client,
    confirm_by_client,
    is_notice_over,
    move_by_client,
    take_earlier_by_client,
)
from reminders.services.answering.wishes import change_wishes_by_client

__all__ = [
    "ChosenSlot",
    "actor_of",
    "book_by_client",
    "cancel_by_client",
    "change_wishes_by_client",
    "confirm_by_client",
    "is_notice_over",
    "match_reports",
    "move_by_client",
    "record_report",
    "start_channel",
    "stop_channel",
    "take_earlier_by_client",
]
