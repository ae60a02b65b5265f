"""Two registrations of one person become one; nothing of either is lost."""

from collections.abc import Collection
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from audit.services import Actor
from clients.duplicates import fold_client, stamp_of
from clients.models import Client
from clinics.services import lock_clinic
from courses.services.changes import transacting
from courses.services.merging import move_courses
from reminders.models import Answer, Reminder


def merge_clients(
    *, kept: Client, gone: Client, taken: Collection[str], by: Actor, now: datetime, seen: str = ""
) -> Client:
    """Bring everything of one client over to another, who stays; return that one.

    `taken` names the fields and channels for which the other one's value stays, `seen` is the stamp of both as they
    were looked at. Courses, sessions, messages, answers, permissions with their history, links: all of it moves.
    Raises: ValidationError `stale` or `not_mergeable`; CourseError `bookings_overlap`.
    """
    with transacting():
        # Nothing is prescribed for either meanwhile.
        lock_clinic(kept.clinic)
        # And what is compared stays as it is; in one order, as wherever several are locked.
        locked = Client.objects.select_for_update(of=("self",)).prefetch_related("contact_points")
        rows = {row.pk: row for row in locked.filter(pk__in=(kept.pk, gone.pk)).order_by("pk")}
        kept, gone = rows[kept.pk], rows[gone.pk]
        if seen and seen != stamp_of(kept, gone):
            raise ValidationError(
                _("The data of one of the two have changed since. Look at both again."), code="stale"
            )
        kept, gone = fold_client(kept=kept, gone=gone, taken=taken, by=by, now=now)
        # Before the courses: the messages that follow from them are looked for under the one who stays.
        Reminder.objects.filter(client=gone).update(client=kept)
        Answer.objects.filter(client=gone).update(client=kept)
        move_courses(kept=kept, gone=gone, by=by, now=now)
    return kept
