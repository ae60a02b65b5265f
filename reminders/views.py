"""The health page: says which part is well and which is not, and nothing about anybody."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from reminders.services.health import check_parts


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    parts = check_parts()
    red = [part.name for part in parts if part.is_red]
    answer = {"status": "failing" if red else "ok", "red": red, **{part.name: part.answer for part in parts}}
    return JsonResponse(answer, status=503 if red else 200)
