"""One plain sentence per finding, as templates that pages can translate.

A page translates with `ngettext(*SENTENCES[key], number) % values`, all three from `sentence_parts`.
"""

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from courses.core.types import Finding

# Key: singular and plural. The key is the finding's kind, with the cause or the severity where the words differ.
SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "behind": (
        "Sessions of this phase came %(number)s day late in all; the limit is %(limit)s.",
        "Sessions of this phase came %(number)s days late in all; the limit is %(limit)s.",
    ),
    "booked_late": (
        "Session %(session)s is booked for %(on)s, %(number)s open day after its window.",
        "Session %(session)s is booked for %(on)s, %(number)s open days after its window.",
    ),
    "contraindicated": (
        "%(number)s booking lies on a day with a recorded contraindication.",
        "%(number)s bookings lie on days with a recorded contraindication.",
    ),
    "decision_due": (
        "%(number)s session of %(limit)s at most is done: decide how many more, or end this phase.",
        "%(number)s sessions of %(limit)s at most are done: decide how many more, or end this phase.",
    ),
    "interrupted": (
        "%(number)s day has passed since the last session or restart: ask the prescriber how to go on.",
        "%(number)s days have passed since the last session or restart: ask the prescriber how to go on.",
    ),
    "lapsed": (
        "Session %(session)s is %(number)s day late: a prescriber must restart, continue or stop the course.",
        "Session %(session)s is %(number)s days late: a prescriber must restart, continue or stop the course.",
    ),
    "misbooked": (
        "%(number)s booking lies on a closed or paused day, or after the end of the course.",
        "%(number)s bookings lie on closed or paused days, or after the end of the course.",
    ),
    "missed_streak": (
        "%(number)s session in a row was missed or cancelled at short notice.",
        "%(number)s sessions in a row were missed or cancelled at short notice.",
    ),
    "off_protocol": (
        "%(number)s session breaks the protocol in its length or in the order of treatments.",
        "%(number)s sessions break the protocol in their length or in the order of treatments.",
    ),
    "overdue": (
        "Session %(session)s is %(number)s day overdue.",
        "Session %(session)s is %(number)s days overdue.",
    ),
    "overdue.client": (
        "Session %(session)s is %(number)s day overdue after the client missed or cancelled.",
        "Session %(session)s is %(number)s days overdue after the client missed or cancelled.",
    ),
    "overdue.clinic": (
        "Session %(session)s is %(number)s day overdue after the clinic cancelled.",
        "Session %(session)s is %(number)s days overdue after the clinic cancelled.",
    ),
    "too_frequent": (
        "A session comes %(number)s day too early: no harm, but the effect is reduced.",
        "A session comes %(number)s days too early: no harm, but the effect is reduced.",
    ),
    "unbooked.notice": (
        "Session %(session)s is soon due, from %(on)s on, and nothing is booked.",
        "Session %(session)s is soon due, from %(on)s on, and nothing is booked.",
    ),
    "unbooked.warning": (
        "Session %(session)s has been due since %(on)s and nothing is booked.",
        "Session %(session)s has been due since %(on)s and nothing is booked.",
    ),
    "unrecorded": (
        "%(number)s past booking has no outcome recorded.",
        "%(number)s past bookings have no outcome recorded.",
    ),
}


class SentenceParts(NamedTuple):
    """What a page needs to say a finding in its own language."""

    key: str
    number: int
    values: dict[str, object]


def sentence_parts(finding: "Finding") -> SentenceParts:
    """Return the template key, the number that decides the plural, and the values of a finding."""
    key: str = finding.kind
    for detail in (finding.severity, finding.cause):
        if f"{finding.kind}.{detail}" in SENTENCES:
            key = f"{finding.kind}.{detail}"
    number = finding.days if finding.count is None else finding.count
    values: dict[str, object] = {
        "number": number,
        "limit": finding.limit,
        "session": finding.session,
        "on": finding.on,
    }
    return SentenceParts(key, number or 0, values)


def finding_sentence(finding: "Finding") -> str:
    """Return the English sentence of a finding."""
    key, number, values = sentence_parts(finding)
    singular, plural = SENTENCES[key]
    return (singular if number == 1 else plural) % values
