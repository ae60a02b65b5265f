"""The clinic of a request comes from the login, never from the request's body or address."""

from collections.abc import Callable

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from clinics.models import StaffMember, User

CHOSEN_MEMBER: str = "staff_member"


class CurrentClinicMiddleware:
    """Set request.staff_member: the membership the user works under now, or None."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Lazy: static pages, health checks and the login page need no membership and no query.
        request.staff_member = SimpleLazyObject(lambda: find_staff_member(request))  # type: ignore[attr-defined]
        return self.get_response(request)


def find_staff_member(request: HttpRequest) -> StaffMember | None:
    """Return the active membership chosen in this login session, else the one the user last worked in.

    Cost: one query.
    """
    if not request.user.is_authenticated:
        return None
    return membership_of(request.user, request.session.get(CHOSEN_MEMBER))


def membership_of(user: User, chosen: str | None) -> StaffMember | None:
    """Return the active membership of a user with the code chosen, else the one last signed in with, else their first.

    One in a deactivated clinic does not count.

    Cost: one query.
    """
    members = list(
        StaffMember.objects.filter(user=user, is_active=True, clinic__deactivated_at=None)
        .select_related("clinic")
        .order_by(F("signed_in_at").desc(nulls_last=True), "pk")
    )
    return next((member for member in members if str(member.code) == chosen), members[0] if members else None)
