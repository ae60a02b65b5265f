"""Root routes only; each face lists its own."""

from django.urls import URLPattern, URLResolver, include, path

from reminders.views import healthz

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("api/v1/", include("api.urls")),
    path("api/hooks/", include("api.hooks.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("c/", include("portal.urls")),
    path("", include("staff.urls")),
]
