"""The answer to a form without proof of its origin, for the face that it came from."""

from django.http import HttpRequest, HttpResponse
from django.views.csrf import csrf_failure as staff_failure

from portal.access import refuse_form


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer clients with a page of theirs, everybody else with the staff's."""
    if request.path_info.startswith("/c/"):
        return refuse_form(request)
    return staff_failure(request, reason=reason)
