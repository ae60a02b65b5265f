"""Which bounces are for good: an address that does not exist, rather than a full or slow mailbox."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from anymail.signals import AnymailTrackingEvent

_REASONS: Final = frozenset({"bounced", "invalid"})
# Anymail calls soft bounces by the same word; what a provider itself says of a hard one, by name and value.
_SIGNS: Final = frozenset(
    {
        ("Type", "HardBounce"),  # Postmark
        ("Type", "BadEmailAddress"),
        ("event", "hard_bounce"),  # Brevo
        ("event", "invalid_email"),
        ("hard_bounce", "True"),  # Mailjet
        ("severity", "permanent"),  # Mailgun
        ("bounce_class", "10"),  # SparkPost: invalid recipient
        ("bounce_class", "30"),  # SparkPost: no such recipient
        ("type", "Permanent"),  # Resend
    }
)
_DEEPEST: Final = 4


def is_for_good(event: AnymailTrackingEvent) -> bool:
    """Tell whether a reported bounce says that the address is of no use any more; in doubt it does not."""
    if event.reject_reason not in _REASONS:
        return False
    return not _SIGNS.isdisjoint(_pairs(event.esp_event, _DEEPEST))


def _pairs(data: Any, depth: int) -> Iterator[tuple[str, str]]:
    if not isinstance(data, Mapping) or not depth:
        return
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from _pairs(value, depth - 1)
        else:
            yield str(name), str(value)
