"""What every staff page's frame needs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from staff.navigation import Item, menu


def navigation(request: HttpRequest) -> dict[str, Any]:
    member = getattr(request, "staff_member", None)

    def items() -> list[Item]:
        match = request.resolver_match
        return menu(member, match.url_name or "" if match else "") if member else []

    # Lazy: a fragment has no frame, so it costs no query.
    return {"is_demo": settings.DEMO, "member": member, "navigation": SimpleLazyObject(items)}
