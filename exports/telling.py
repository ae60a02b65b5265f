"""The mail that a file is ready: a link behind the login, and not a word about what is in it."""

import logging
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from clinics.jobs import JobError
from exports.models import ExportFile
from reminders.channels.base import Message
from reminders.channels.email import EmailChannel
from reminders.services.fence import is_held
from reminders.texts.compiling import Filled
from reminders.texts.rendering import write_html, write_text

logger = logging.getLogger(__name__)
# Where files are fetched; a link to one by itself would be no shorter and would end with it.
_PAGE: Final = "/exports/"


class NotSentError(Exception):
    """The mail server did not take it now: the job tries again."""


def tell(export: ExportFile, *, now: datetime, is_last_try: bool) -> bool:
    """Mail whoever it was made for that their file is ready; return whether that is done.

    Raises: JobError "held" while nothing may be sent from this database, "not_mailed" when nothing more is tried;
    NotSentError when it is worth another try.
    """
    if export.told_at is not None:
        return True
    if is_held():
        raise JobError("held")
    with EmailChannel() as channel:
        outcome = channel.send(_message(export))
    if outcome.kind in ("sent", "uncertain"):
        export.told_at = now
        export.save(update_fields=["told_at"])
        return True
    logger.warning("The mail about export %s did not go: %s.", export.code, outcome.code)
    if is_last_try or outcome.kind == "permanent":
        raise JobError("not_mailed")
    raise NotSentError(outcome.code)


def _message(export: ExportFile) -> Message:
    clinic, user = export.clinic, export.made_for.user
    language = user.language or clinic.language
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    with translation.override(language):
        subject = _("Your file is ready")
        blocks = [
            Filled("text", (_("A file that is made for you regularly is ready. It is kept for a day."),)),
            Filled("button", (_("Sign in and fetch it"), f"{settings.BASE_URL.rstrip('/')}{_PAGE}")),
            Filled("text", (_("You can end this on the same page."),)),
        ]
        return Message(
            key=f"<export-{export.code}@{host}>",
            address=user.email,
            subject=subject,
            text=write_text(blocks),
            html=write_html(blocks, language=language, subject=subject, clinic=clinic.name),
            sender_name=clinic.sender_name or clinic.name,
            reply_to=clinic.reply_to_email,
            clinic_id=clinic.pk,
        )
