"""What people do to a course while its messages go out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from audit.models import ActorKind
from audit.services import Actor
from clients.models import Consent
from courses.errors import CourseError
from courses.models import TreatmentSession
from courses.services import cancel_session, move_session

KINDS: Final = ("cancel", "move", "opt_out")


def make_change(code: str, kind: str, *, clock: Callable[[], datetime]) -> str:
    """Cancel or move one session, or withdraw its client's consent; return "done" or why not."""
    session = TreatmentSession.objects.select_related("course__clinic", "course__prescribed_by").get(
        code=code
    )
    doctor = session.course.prescribed_by
    now = clock()
    by = Actor(ActorKind.STAFF, code=doctor.code, staff_member_id=doctor.pk)
    try:
        if kind == "cancel":
            cancel_session(session=session, whose="clinic", by=by, now=now)
        elif kind == "move":
            assert session.starts_at is not None, "a booking has its slot"
            later = session.starts_at + timedelta(days=2)
            move_session(session=session, starts_at=later, practitioner=None, room=None, by=by, now=now)
        else:
            Consent.objects.filter(client=session.client_id, withdrawn_at=None).update(
                withdrawn_at=now, withdrawn_source="faults"
            )
    except CourseError as error:
        return error.code
    return "done"
