"""Erasing a client: the person goes, the counts stay."""

from datetime import datetime

from django.db.models import Q

from audit.services import Actor, record
from clients.erasure import anonymise_client
from clients.models import Client
from clinics.services import lock_clinic
from courses.models import Course
from courses.services.changes import transacting
from courses.services.erasing import erase_courses
from reminders.models import Answer, KeptMessage, Reminder
from reminders.services.handling import CLOSABLE
from reminders.services.syncing import sync_course_reminders


def erase_client(*, client: Client, by: Actor, now: datetime) -> None:
    """Erase a client for good: names, addresses, notes and answers go, links end, sessions and messages ahead are off.

    What was attended, when and in which course stays and is nobody's. Nothing can bring the person back, and the
    audit trail, which never held a name, says only that it was done. A message that is going at this moment
    cannot be called back.
    Raises: ValidationError `client_erased` the second time; CourseError for anybody but a prescriber.
    """
    with transacting():
        # Nothing is prescribed for the client meanwhile.
        lock_clinic(client.clinic)
        # What was kept of messages is found by the addresses, which go first.
        kept = _kept_messages(client)
        erased = anonymise_client(client=client, by=by, now=now)
        erase_courses(client=erased, by=by, now=now)
        KeptMessage.objects.filter(pk__in=kept).delete()
        for course_id in Course.objects.filter(client=erased).order_by("pk").values_list("pk", flat=True):
            sync_course_reminders(course_id=course_id, now=now)
        answers = Answer.objects.filter(client=erased)
        answers.update(text="")
        # There is nobody left to see to.
        answers.filter(handled_at=None).update(handled_at=now)
        Reminder.objects.filter(client=erased, state__in=CLOSABLE, handled_at=None).update(handled_at=now)
        record(
            "client.erased",
            at=now,
            by=by,
            clinic_code=erased.clinic.code,
            subject_kind="client",
            subject_code=erased.code,
        )


def _kept_messages(client: Client) -> list[int]:
    ids = Reminder.objects.filter(client=client).exclude(message_id="").values_list("message_id", flat=True)
    addresses = client.contact_points.values_list("value", flat=True)
    kept = KeptMessage.objects.filter(clinic_id=client.clinic_id).filter(
        Q(message_id__in=list(ids)) | Q(message_id="", to_header__in=list(addresses))
    )
    return list(kept.values_list("pk", flat=True))
