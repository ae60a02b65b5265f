"""What every staff page's frame needs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def navigation(request: HttpRequest) -> dict[str, Any]:
    return {"is_demo": settings.DEMO, "member": getattr(request, "staff_member", None)}
