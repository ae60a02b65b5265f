"""Root routes only; each face lists its own."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from operators import admin as operator_pages
from reminders.views import healthz

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("api/v1/", include("api.urls")),
    path("api/hooks/", include("api.hooks.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("c/", include("portal.urls")),
    *([path(f"{settings.OPERATOR_PATH}/", operator_pages.site.urls)] if settings.OPERATOR_PATH else []),
    path("", include("staff.urls")),
]
