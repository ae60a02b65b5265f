"""The worklist: an open flag with whom to call and what was done about it."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from courses.core.ribbon import RibbonFacts
from courses.models import Flag, TreatmentSession
from staff.presenters.badges import Badge
from staff.presenters.clients import telephone
from staff.presenters.courses import protocol_name
from staff.presenters.flags import cause_words, flag_sentence, flag_words, severity_badge
from staff.templatetags.interface import day


@dataclass(frozen=True, slots=True)
class FlagLine:
    """One open flag as a line of the worklist."""

    flag: Flag
    severity: Badge
    title: str
    sentence: str
    cause: str
    protocol: str
    phone: str
    phone_url: str
    ribbon: RibbonFacts
    booking: TreatmentSession | None
    since: str
    last_call: str
    is_put_off: bool
    can_act: bool

    @property
    def pick(self) -> str:
        """Return how a check box names the flag: with what is seen of it now."""
        return f"{self.flag.code}:{self.flag.stamp}"


def flag_line(
    flag: Flag, *, ribbon: RibbonFacts, booking: TreatmentSession | None, today: date, can_act: bool
) -> FlagLine:
    phone, phone_url = telephone(flag.course.client)
    put_off = flag.snoozed_until_on
    return FlagLine(
        flag=flag,
        severity=severity_badge(flag),
        title=flag_words(flag),
        sentence=flag_sentence(flag),
        cause=cause_words(flag),
        protocol=protocol_name(flag.course),
        phone=phone,
        phone_url=phone_url,
        ribbon=ribbon,
        booking=booking,
        since=since_words(flag, today=today),
        last_call=last_call_words(flag, today=today),
        is_put_off=put_off is not None and put_off > today,
        can_act=can_act,
    )


def since_words(flag: Flag, *, today: date) -> str:
    if flag.since_on >= today:
        return _("since today")
    return _("since %(day)s") % {"day": day(flag.since_on, today)}


def last_call_words(flag: Flag, *, today: date) -> str:
    """Return what became of the latest call about a flag; empty before the first."""
    calls = list(flag.calls.all())
    if not calls:
        return ""
    latest = calls[0]
    words = _("%(day)s, %(who)s: %(outcome)s") % {
        "day": day(latest.created_at, today),
        "who": latest.by.display_name,
        "outcome": latest.get_outcome_display(),
    }
    return f"{words}. {latest.note}" if latest.note else words
