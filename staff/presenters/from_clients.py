"""What clients said after a visit, and that they want to be erased, as lines of the worklist."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from clients.models import ErasureRequest
from courses.models import PauseReason, Reaction, ReactionReport, TreatmentSession
from staff.presenters.clients import client_url
from staff.presenters.courses import course_url
from staff.presenters.sessions import moment_words

HEALING_DAYS: Final = 5


@dataclass(frozen=True, slots=True)
class FromClient:
    """One line: who said what and when, where it leads, and the pause that it proposes, if any."""

    name: str
    url: str
    title: str
    words: str
    when: str
    close_url: str
    pause_url: str = ""


def report_line(report: ReactionReport, *, today: date, is_paused: bool) -> FromClient:
    session = report.session
    proposes = report.reaction == Reaction.BRUISES and not is_paused
    query = urlencode({"reason": PauseReason.BRUISES, "to_on": today + timedelta(days=HEALING_DAYS)})
    return FromClient(
        name=session.course.client.name,
        url=course_url(session.course),
        title=_("After the session on %(when)s") % {"when": moment_words(session.starts_at, today=today)},
        words=report_words(report),
        when=moment_words(report.reported_at, today=today),
        close_url=reverse("staff:report-close", args=[report.code]),
        pause_url=f"{reverse('staff:session-pause', args=[session.code])}?{query}" if proposes else "",
    )


def report_words(report: ReactionReport) -> str:
    """Return what a client said after a visit; all is well, without a word more, is an empty text."""
    parts = [] if report.reaction == Reaction.NONE else [capfirst(report.get_reaction_display())]
    if report.pain is not None:
        parts.append(_("pain %(pain)s of 10") % {"pain": report.pain})
    if report.note:
        parts.append(report.note)
    return " · ".join(parts)


@dataclass(frozen=True, slots=True)
class Said:
    """What a client said after a session, for the course's page; what staff recorded stands beside it."""

    words: str
    when: str
    # A person has to read it, and nobody has said yet that they did.
    is_waiting: bool


def said_after(session: TreatmentSession, *, today: date) -> Said | None:
    """Return what was said after a session, whose report is loaded with it."""
    report: ReactionReport | None = getattr(session, "reaction_report", None)
    if report is None:
        return None
    return Said(
        words=report_words(report) or _("all is well"),
        when=moment_words(report.reported_at, today=today),
        is_waiting=report.needs_person and report.handled_at is None,
    )


def erasure_line(request: ErasureRequest, *, today: date) -> FromClient:
    return FromClient(
        name=request.client.name,
        url=client_url(request.client),
        title=_("Wants everything about them to be erased"),
        words=_("Decide what the law lets you erase, and tell the client."),
        when=moment_words(request.asked_at, today=today),
        close_url=reverse("staff:erasure-close", args=[request.client.code]),
    )
