"""What is left of the courses of a client who is erased: what was prescribed and what happened, without words."""

from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _

from audit.services import Actor
from clients.models import Client
from courses.models import (
    BOOKED_STATUSES,
    ContraindicationOverride,
    Course,
    Flag,
    FlagCall,
    Pause,
    PhaseEnd,
    PrescriptionRevision,
    ReactionReport,
    RecordedContraindication,
    ResolvedReason,
    Restart,
    TreatmentSession,
    Waiting,
)
from courses.services.changes import changing, transacting
from courses.services.deciding import cancel_ahead, discontinue_course

# Where the database asks for a reason, this stands for what was written.
_UNSAID: Final = "–"


def erase_courses(*, client: Client, by: Actor, now: datetime) -> int:
    """Stop the client's courses, cancel what is booked ahead, and take away every word somebody wrote; return how many.

    Days, outcomes and numbers stay, so that reports count as before.
    Raises: CourseError for anybody but a prescriber.
    Cost: about forty queries a running course, a dozen in all for the words.
    """
    with transacting():
        courses = list(Course.objects.filter(client=client).select_related("clinic", "client").order_by("pk"))
        for course in courses:
            if course.is_open:
                discontinue_course(course=course, by=by, now=now, reason=_("client erased"))
            elif course.sessions.filter(status__in=BOOKED_STATUSES, starts_at__gt=now).exists():
                _free_slots(course, by=by, now=now)
        _take_words_away(client)
        # There is nobody left to see to, and nobody to offer anything to.
        ReactionReport.objects.filter(session__client=client, handled_at=None).update(handled_at=now)
        Waiting.objects.filter(session__client=client, ended_at=None).update(ended_at=now)
    return len(courses)


def _free_slots(course: Course, *, by: Actor, now: datetime) -> None:
    with changing(
        course,
        action="session_cancelled",
        by=by,
        now=now,
        reason=ResolvedReason.CANCELLED,
        is_open_required=False,
    ) as locked:
        cancel_ahead(locked, by=by, now=now, reason="")


def _take_words_away(client: Client) -> None:
    of_course = {"course__client": client}
    TreatmentSession.objects.filter(client=client).update(note="", cancel_reason="", correction_reason="")
    ReactionReport.objects.filter(session__client=client).update(note="")
    Course.objects.filter(client=client).exclude(end_reason="").update(end_reason=_UNSAID)
    Pause.objects.filter(**of_course).update(note="")
    PhaseEnd.objects.filter(**of_course).update(reason="")
    Restart.objects.filter(**of_course).update(reason="")
    PrescriptionRevision.objects.filter(**of_course).exclude(reason="").update(reason=_UNSAID)
    ContraindicationOverride.objects.filter(**of_course).update(reason=_UNSAID)
    Flag.objects.filter(**of_course).update(acknowledged_note="")
    FlagCall.objects.filter(flag__course__client=client).update(note="")
    RecordedContraindication.objects.filter(client=client).update(note="")
