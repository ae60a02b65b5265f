import pytest
from anymail.signals import AnymailTrackingEvent

from reminders.channels.bounces import is_for_good


@pytest.mark.parametrize(
    ("reason", "raw", "expected"),
    [
        ("bounced", {"RecordType": "Bounce", "Type": "HardBounce"}, True),
        ("bounced", {"RecordType": "Bounce", "Type": "SoftBounce"}, False),
        ("bounced", {"event": "hard_bounce"}, True),
        ("bounced", {"event": "soft_bounce"}, False),
        ("bounced", {"event": "bounce", "hard_bounce": True}, True),
        ("bounced", {"event": "bounce", "hard_bounce": False}, False),
        ("bounced", {"event-data": {"event": "failed", "severity": "permanent"}}, True),
        ("bounced", {"event-data": {"event": "failed", "severity": "temporary"}}, False),
        ("invalid", {"msys": {"message_event": {"type": "bounce", "bounce_class": 10}}}, True),
        ("bounced", {"msys": {"message_event": {"type": "bounce", "bounce_class": "22"}}}, False),
        ("bounced", {"type": "email.bounced", "data": {"bounce": {"type": "Permanent"}}}, True),
        ("bounced", {"type": "email.bounced", "data": {"bounce": {"type": "Transient"}}}, False),
        # A filter's refusal is about the message, whatever else is said.
        ("blocked", {"event": "hard_bounce"}, False),
        ("bounced", None, False),
        ("bounced", {"a": {"b": {"c": {"d": {"event": "hard_bounce"}}}}}, False),
    ],
)
def test_only_a_bounce_for_good_is_one(reason, raw, expected):
    event = AnymailTrackingEvent(event_type="bounced", reject_reason=reason, esp_event=raw)

    assert is_for_good(event) is expected
