"""What clients reach by the links in their messages, under /c/; every route must also stand in tests/portal/test_routes.py.

The two that hold a token lead on at once to an address without it.
"""

from django.urls import path

from portal import channels, visits

app_name = "portal"

urlpatterns = [
    path("v/<str:token>/", visits.open_link, name="visit-link"),
    path("visit/<slug:ref>/", visits.show_visit, name="visit"),
    path("visit/<slug:ref>/confirm/", visits.confirm, name="visit-confirm"),
    path("visit/<slug:ref>/cancel/", visits.cancel, name="visit-cancel"),
    path("u/<str:token>/", channels.open_link, name="unsubscribe-link"),
    path("messages/<slug:ref>/", channels.show_channel, name="channel"),
    path("messages/<slug:ref>/stop/", channels.stop, name="channel-stop"),
    path("messages/<slug:ref>/start/", channels.start, name="channel-start"),
]
