"""What every staff page's frame needs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from courses.convert import local_today
from staff.navigation import Item, menu


def navigation(request: HttpRequest) -> dict[str, Any]:
    member = getattr(request, "staff_member", None)

    def items() -> list[Item]:
        match = request.resolver_match
        if not member or match is None:
            return []
        return menu(member, match.url_name or "", today=local_today(member.clinic, timezone.now()))

    # Lazy: a fragment has no frame, so it costs no query.
    return {"is_demo": settings.DEMO, "member": member, "navigation": SimpleLazyObject(items)}
