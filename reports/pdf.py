"""PDFs from pages of HTML, drawn by WeasyPrint in a process of its own that is bounded in time and memory."""

import json
import logging
import subprocess
import sys
import threading
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from reports.pdf_process import ASSETS_HOST, LIBRARY_MISSING

logger = logging.getLogger(__name__)

# A page of a course takes about a second, most of which is to load the library.
_SECONDS: Final = 30
# Of one web server's threads, so many draw at a time: each may take a gigabyte.
_slots: Final = threading.BoundedSemaphore(2)


class PdfError(Exception):
    """A PDF that could not be made, in a sentence for whoever asked for it."""


class PdfUnavailable(PdfError):
    """The machine lacks a library; the sentence says what to install."""


def render_pdf(html: str, *, base_url: str | None = None) -> bytes:
    """Return a page of HTML as a tagged PDF.

    Styles, pictures and fonts come from this project's static files alone, named as `{% static %}` names them, or
    relative to base_url; whatever else the page refers to is left out. `static/css/pdf.css` brings the typeface.
    Raises: PdfUnavailable without Pango; PdfError for what takes longer than half a minute or more than a gigabyte.
    Cost: a process of its own, one to two seconds for a page.
    """
    request = {
        "html": html,
        "base_url": base_url or f"{ASSETS_HOST}/",
        "static_url": settings.STATIC_URL,
        "folders": [str(folder) for folder in (settings.STATIC_ROOT, *settings.STATICFILES_DIRS)],
        "seconds": _SECONDS,
    }
    done = _draw(json.dumps(request).encode())
    if done.returncode == LIBRARY_MISSING:
        raise PdfUnavailable(
            _(
                "PDFs cannot be made on this server: Pango is missing. Its operator can install the packages "
                "libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0."
            )
        )
    if done.returncode:
        # Only what kind of error it was: its text could quote the page.
        logger.error(
            "A PDF could not be made, exit code %s: %s.", done.returncode, done.stderr.decode()[-80:]
        )
        raise PdfError(_("The PDF could not be made."))
    return done.stdout


def _draw(request: bytes) -> subprocess.CompletedProcess[bytes]:
    if not _slots.acquire(timeout=_SECONDS):
        raise PdfError(_("Too many PDFs are being made. Try again in a minute."))
    try:
        return subprocess.run(
            [sys.executable, "-m", "reports.pdf_process"],
            cwd=settings.BASE_DIR,
            input=request,
            capture_output=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        logger.warning("A PDF was given up after %s s.", _SECONDS)
        raise PdfError(_("The PDF took too long to make. Choose less for it.")) from error
    finally:
        _slots.release()
