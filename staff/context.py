"""What every staff page's frame needs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from clinics.access import Capability, is_allowed
from clinics.clock import database_now, uptime
from courses.convert import local_today
from hooks.models import HookEndpoint
from hooks.services.endpoints import off_by_itself
from reminders.channels.kept import KEPT_EMAIL
from reminders.services.health import find_trouble
from staff.guide import Guide, load_guide
from staff.navigation import Item, menu


def navigation(request: HttpRequest) -> dict[str, Any]:
    member = getattr(request, "staff_member", None)

    def items() -> list[Item]:
        match = request.resolver_match
        if not member or match is None:
            return []
        return menu(member, match.url_name or "", today=local_today(member.clinic, timezone.now()))

    def trouble() -> str:
        if not member or not is_allowed(member, Capability.MANAGE):
            return ""
        words = _trouble_words(find_trouble(now=database_now(), up_for=uptime()))
        return words or _hook_words(off_by_itself(member.clinic))

    def guide() -> Guide | None:
        if not member or not is_allowed(member, Capability.MANAGE):
            return None
        return load_guide(member.clinic)

    # Lazy: a fragment has no frame, so it costs no query.
    return {
        "guide": SimpleLazyObject(guide),
        "is_demo": settings.DEMO,
        "is_mail_kept": settings.EMAIL_BACKEND == KEPT_EMAIL,
        "member": member,
        "navigation": SimpleLazyObject(items),
        "printed_on": timezone.now(),
        "trouble": SimpleLazyObject(trouble),
    }


def _hook_words(endpoint: HookEndpoint | None) -> str:
    """Return what an owner has to know about a program that is told of nothing any more; nothing when all are."""
    if endpoint is None:
        return ""
    return _("The webhook “%(name)s” was switched off: %(reason)s. See Settings, Webhooks.") % {
        "name": endpoint.name,
        "reason": endpoint.get_off_reason_display(),
    }


def _trouble_words(trouble: str) -> str:
    """Return what an owner has to know about messages that do not go out; nothing when they do."""
    words = {
        "held": _(
            "No messages are sent: this database was restored or copied. Whoever runs the installation can release them."
        ),
        "late": _("No messages are sent: the installation's clock has stopped. Tell whoever runs it."),
        "jumping": _(
            "No messages are sent for the moment: the installation's clock has jumped. Tell whoever runs it."
        ),
    }
    return words.get(trouble, "")
