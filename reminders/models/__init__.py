"""The reminders as rows."""

from reminders.models.channels import (
    ChannelAccount,
    ChannelHealth,
    KeptMessage,
    RateBucket,
)
from reminders.models.clockwork import (
    Installation,
    JobState,
    TickRun,
)
from reminders.models.messages import (
    DECIDED_STATES,
    LIVE_STATES,
    Answer,
    AnswerKind,
    AnswerVia,
    AttemptOutcome,
    Delivery,
    DeliveryAttempt,
    DeliveryReport,
    Reason,
    Reminder,
    ReminderState,
)
from reminders.models.rules import (
    TELLING_TRIGGERS,
    ReminderRule,
    ResyncRequest,
    RuleVersion,
    Trigger,
)

__all__ = [
    "DECIDED_STATES",
    "LIVE_STATES",
    "TELLING_TRIGGERS",
    "Answer",
    "AnswerKind",
    "AnswerVia",
    "AttemptOutcome",
    "ChannelAccount",
    "ChannelHealth",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryReport",
    "Installation",
    "JobState",
    "KeptMessage",
    "RateBucket",
    "Reason",
    "Reminder",
    "ReminderRule",
    "ReminderState",
    "ResyncRequest",
    "RuleVersion",
    "TickRun",
    "Trigger",
]
