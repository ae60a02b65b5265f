"""Who is an operator: a superuser who gave a second step in this very login."""

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest

from audit.models import ActorKind
from audit.services import Actor
from clinics.models import User


def is_operator(request: HttpRequest) -> bool:
    """Tell whether a request may see the operator's pages; a role in a clinic is no reason."""
    user = request.user
    if not (user.is_authenticated and user.is_active and user.is_superuser):
        return False
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, user))


def acting(request: HttpRequest) -> Actor:
    """Return the operator of a request as the actor of a verb: the system, by somebody's hand."""
    assert isinstance(request.user, User)
    return Actor(ActorKind.SYSTEM, code=request.user.code)
