"""The words of messages: shipped in every language, a clinic's own where it has some, in one format."""

from reminders.texts.editing import check_text, preview_message
from reminders.texts.rendering import sms_segments
from reminders.texts.shipped import RuleText, shipped_text
from reminders.texts.values import PLACEHOLDERS, MessageLinks, Part
from reminders.texts.writing import message_key, write_message

__all__ = [
    "PLACEHOLDERS",
    "MessageLinks",
    "Part",
    "RuleText",
    "check_text",
    "message_key",
    "preview_message",
    "shipped_text",
    "sms_segments",
    "write_message",
]
