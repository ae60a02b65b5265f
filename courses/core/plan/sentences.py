"""One plain sentence for each reason of a plan, as templates that pages can translate.

A page translates with `ngettext(*SENTENCES[key], number) % values`, all three from `sentence_parts`.
"""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from courses.core.sentences import SentenceParts

if TYPE_CHECKING:
    from courses.core.plan.results import Reason

# Key: singular and plural. The key is the kind of the reason, with its cause where the words differ.
SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "window": ("Due on %(due_from)s.", "Due from %(due_from)s to %(due_by)s."),
    "pinned": ("Pinned to its place by a person.", "Pinned to its place by a person."),
    "kept": ("Already booked, and left where it is.", "Already booked, and left where it is."),
    "extra": (
        "Booked for %(on)s, after the end of the course.",
        "Booked for %(on)s, after the end of the course.",
    ),
    "closed": ("The clinic is closed on %(dates)s.", "The clinic is closed on %(dates)s."),
    "paused": ("The course is paused on %(dates)s.", "The course is paused on %(dates)s."),
    "contraindicated": (
        "A contraindication is active on %(dates)s.",
        "A contraindication is active on %(dates)s.",
    ),
    "absent": ("Nobody who treats is in on %(dates)s.", "Nobody who treats is in on %(dates)s."),
    "full": ("There is no free time on %(dates)s.", "There is no free time on %(dates)s."),
    "too_soon": ("Too soon to plan on %(dates)s.", "Too soon to plan on %(dates)s."),
    "preferred": (
        "Suits the client's wishes better than %(dates)s.",
        "Suits the client's wishes better than %(dates)s.",
    ),
    "spacing": (
        "Chosen over %(dates)s so that all sessions together are best spaced.",
        "Chosen over %(dates)s so that all sessions together are best spaced.",
    ),
    "late": ("Lies %(number)s day after its window.", "Lies %(number)s days after its window."),
    "early": ("Lies %(number)s day before its window.", "Lies %(number)s days before its window."),
    "missed_weekday": ("Not on a preferred weekday.", "Not on a preferred weekday."),
    "missed_time": ("Not at a preferred time.", "Not at a preferred time."),
    "missed_practitioner": (
        "Not with the preferred practitioner.",
        "Not with the preferred practitioner.",
    ),
    "session_early": (
        "The session kept on %(on)s is %(number)s day before its window.",
        "The session kept on %(on)s is %(number)s days before its window.",
    ),
    "session_late.absent": (
        "The session on %(on)s is %(number)s day after its window: nobody who treats was in before.",
        "The session on %(on)s is %(number)s days after its window: nobody who treats was in before.",
    ),
    "session_late.closed": (
        "The session on %(on)s is %(number)s day after its window: the clinic was closed before.",
        "The session on %(on)s is %(number)s days after its window: the clinic was closed before.",
    ),
    "session_late.contraindicated": (
        "The session on %(on)s is %(number)s day after its window: a contraindication was active before.",
        "The session on %(on)s is %(number)s days after its window: a contraindication was active before.",
    ),
    "session_late.full": (
        "The session on %(on)s is %(number)s day after its window: there was no free time before.",
        "The session on %(on)s is %(number)s days after its window: there was no free time before.",
    ),
    "session_late.kept": (
        "The session kept on %(on)s is %(number)s day after its window.",
        "The session kept on %(on)s is %(number)s days after its window.",
    ),
    "session_late.paused": (
        "The session on %(on)s is %(number)s day after its window: the course was paused before.",
        "The session on %(on)s is %(number)s days after its window: the course was paused before.",
    ),
    "session_late.spacing": (
        "The session on %(on)s is %(number)s day after its window, so that the others fit.",
        "The session on %(on)s is %(number)s days after its window, so that the others fit.",
    ),
    "session_late.too_soon": (
        "The session on %(on)s is %(number)s day after its window, which was over too early to plan into.",
        "The session on %(on)s is %(number)s days after its window, which was over too early to plan into.",
    ),
    "session_lost.closed": (
        "The session kept on %(on)s lies on a day when the clinic is closed.",
        "The session kept on %(on)s lies on a day when the clinic is closed.",
    ),
    "session_lost.contraindicated": (
        "The session kept on %(on)s lies on a day with an active contraindication.",
        "The session kept on %(on)s lies on a day with an active contraindication.",
    ),
    "session_lost.paused": (
        "The session kept on %(on)s lies in a pause.",
        "The session kept on %(on)s lies in a pause.",
    ),
    "not_asked": (
        "%(number)s session is not planned: the prescription asks for no more.",
        "%(number)s sessions are not planned: the prescription asks for no more.",
    ),
    "no_slot": (
        "%(number)s session found no slot up to %(on)s.",
        "%(number)s sessions found no slot up to %(on)s.",
    ),
    "no_slot.absent": (
        "%(number)s session found no slot up to %(on)s: nobody who treats is in until then.",
        "%(number)s sessions found no slot up to %(on)s: nobody who treats is in until then.",
    ),
    "no_slot.closed": (
        "%(number)s session found no slot up to %(on)s: the clinic is closed until then.",
        "%(number)s sessions found no slot up to %(on)s: the clinic is closed until then.",
    ),
    "no_slot.contraindicated": (
        "%(number)s session found no slot up to %(on)s: a contraindication is active until then.",
        "%(number)s sessions found no slot up to %(on)s: a contraindication is active until then.",
    ),
    "no_slot.full": (
        "%(number)s session found no slot up to %(on)s: there is no free time until then.",
        "%(number)s sessions found no slot up to %(on)s: there is no free time until then.",
    ),
    "no_slot.paused": (
        "%(number)s session found no slot up to %(on)s: the course is paused until then.",
        "%(number)s sessions found no slot up to %(on)s: the course is paused until then.",
    ),
}


def sentence_parts(reason: "Reason") -> SentenceParts:
    """Return the template key, the number that decides the plural, and the values of a reason."""
    values: dict[str, object] = {"number": reason.number, "on": reason.on}
    values |= {"due_from": reason.due_from, "due_by": reason.due_by, "dates": _spans(reason.dates)}
    key = f"{reason.kind}.{reason.cause}" if reason.cause else reason.kind
    return SentenceParts(key, reason.number, values)


def reason_sentence(reason: "Reason") -> str:
    """Return the English sentence of a reason."""
    key, number, values = sentence_parts(reason)
    singular, plural = SENTENCES[key]
    return (singular if number == 1 else plural) % values


def _spans(dates: Sequence[date]) -> str:
    """Return ordered dates with neighbours drawn together, without a word that would need translation."""
    breaks = [n for n, (one, two) in enumerate(pairwise(dates), 1) if (two - one).days > 1]
    edges = [0, *breaks, len(dates)]
    spans = [dates[from_n:to_n] for from_n, to_n in pairwise(edges) if from_n < to_n]
    return ", ".join(f"{span[0]}" if len(span) == 1 else f"{span[0]}–{span[-1]}" for span in spans)
