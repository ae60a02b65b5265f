"""What clients said after a visit, and that they want to be erased, as lines of the worklist."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from clients.models import ErasureRequest
from courses.models import PauseReason, Reaction, ReactionReport
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
        words=_report_words(report),
        when=moment_words(report.reported_at, today=today),
        close_url=reverse("staff:report-close", args=[report.code]),
        pause_url=f"{reverse('staff:session-pause', args=[session.code])}?{query}" if proposes else "",
    )


def _report_words(report: ReactionReport) -> str:
    parts = [] if report.reaction == Reaction.NONE else [capfirst(report.get_reaction_display())]
    if report.pain is not None:
        parts.append(_("pain %(pain)s of 10") % {"pain": report.pain})
    if report.note:
        parts.append(report.note)
    return " · ".join(parts)


def erasure_line(request: ErasureRequest, *, today: date) -> FromClient:
    return FromClient(
        name=request.client.name,
        url=client_url(request.client),
        title=_("Wants everything about them to be erased"),
        words=_("Decide what the law lets you erase, and tell the client."),
        when=moment_words(request.asked_at, today=today),
        close_url=reverse("staff:erasure-close", args=[request.client.code]),
    )
