"""The reader's language and order of dates, and the clinic's wall clock, for pages, their errors and everything they render."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from clinics.dates import reading_dates


class ReaderMiddleware:
    """Speak the language the user chose, write dates in their order, and tell times in the zone of their clinic."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # An anonymous visitor costs no query: without a session cookie there is nobody to look up.
        if not request.user.is_authenticated:
            return self.get_response(request)
        if request.user.language:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        with reading_dates(request.user.date_order):
            member = getattr(request, "staff_member", None)
            if not member:
                return self.get_response(request)
            with timezone.override(ZoneInfo(member.clinic.time_zone)):
                return self.get_response(request)
