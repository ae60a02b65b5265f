"""Django's admin as the operator's pages: hidden from everybody else, and without a login of its own."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext_lazy as _

from operators.access import is_operator


class OperatorSite(AdminSite):
    site_header = _("Regimen: the operator's pages")
    site_title = _("Operator")
    index_title = _("This installation")
    index_template = "operators/index.html"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return is_operator(request)

    def admin_view(  # type: ignore[override]  # the stubs name the very function that is given
        self, view: Callable[..., Any], cacheable: bool = False
    ) -> Callable[..., HttpResponseBase]:
        shown = super().admin_view(view, cacheable)

        @wraps(shown)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.has_permission(request):
                return _refuse(request)
            response: HttpResponseBase = shown(request, *args, **kwargs)
            response.headers["Cache-Control"] = "no-store"
            return response

        return guarded

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("admin:index") if self.has_permission(request) else _refuse(request)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method == "POST":
            logout(request)
        return redirect(settings.LOGIN_URL)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_change_password")


def _refuse(request: HttpRequest) -> HttpResponse:
    """Send strangers to the login, tell superuser what is missing, and hide the pages from everybody else."""
    user = request.user
    if not user.is_authenticated:
        here = urlencode({"next": request.get_full_path()})
        return redirect(f"{resolve_url(settings.LOGIN_URL)}?{here}")
    if not user.is_superuser:
        raise Http404
    context = {"has_second_step": is_mfa_enabled(user)}
    return render(request, "operators/second_step.html", context, status=403)


site = OperatorSite(name="admin")
