"""What clients reach by the links in their messages, under /c/; every route must also stand in tests/portal/test_routes.py.

Those that hold a token lead on at once to an address without it. A visit is the link's own, or another of its course.
"""

from django.urls import path

from portal import channels, courses, earlier, feeds, feelings, home, records, visits, wishes

app_name = "portal"

_visits = ("visit/<slug:ref>/", "visit/<slug:ref>/<uuid:code>/")

urlpatterns = [
    path("", home.home, name="home"),
    path("app.webmanifest", home.manifest, name="manifest"),
    path("v/<str:token>/", visits.open_link, name="visit-link"),
    path("k/<str:token>/", courses.open_link, name="course-link"),
    path("h/<str:token>/", feelings.open_link, name="feeling-link"),
    path("feeling/<slug:ref>/", feelings.say_by_link, name="feeling"),
    path("u/<str:token>/", channels.open_link, name="unsubscribe-link"),
    *(path(start, earlier.show_visit, name="visit") for start in _visits),
    *(path(start + "confirm/", visits.confirm, name="visit-confirm") for start in _visits),
    *(path(start + "cancel/", visits.cancel, name="visit-cancel") for start in _visits),
    *(path(start + "move/", visits.move, name="visit-move") for start in _visits),
    *(path(start + "feel/", feelings.feel, name="visit-feel") for start in _visits),
    *(path(start + "wait/", earlier.wait, name="visit-wait") for start in _visits),
    *(path(start + "wait/end/", earlier.end_wait, name="visit-wait-end") for start in _visits),
    *(path(start + "earlier/<uuid:offer>/", earlier.take, name="visit-earlier") for start in _visits),
    path("course/<slug:ref>/", courses.show_course, name="course"),
    path("course/<slug:ref>/keep/", home.keep, name="course-keep"),
    path("course/<slug:ref>/forget/", home.forget, name="course-forget"),
    path("course/<slug:ref>/book/", courses.book, name="course-book"),
    path("course/<slug:ref>/year/", courses.say_year, name="course-year"),
    path("course/<slug:ref>/code/", courses.ask_code, name="course-code"),
    path("course/<slug:ref>/code/say/", courses.say_code, name="course-code-say"),
    path("course/<slug:ref>/wishes/", wishes.show_wishes, name="wishes"),
    path("course/<slug:ref>/wishes/<slug:channel>/stop/", wishes.stop, name="wishes-stop"),
    path("course/<slug:ref>/wishes/<slug:channel>/start/", wishes.start, name="wishes-start"),
    path("course/<slug:ref>/data/", records.show_records, name="records"),
    path("course/<slug:ref>/data/copy/", records.download, name="records-download"),
    path("course/<slug:ref>/data/erasure/", records.ask_erasure, name="records-erasure"),
    path("course/<slug:ref>/calendar/", feeds.show_calendar, name="calendar"),
    path("course/<slug:ref>/calendar/make/", feeds.make, name="calendar-make"),
    path("course/<slug:ref>/calendar/end/", feeds.end, name="calendar-end"),
    path("f/<str:token>.ics", feeds.feed, name="feed"),
    path("messages/<slug:ref>/", channels.show_channel, name="channel"),
    path("messages/<slug:ref>/stop/", channels.stop, name="channel-stop"),
    path("messages/<slug:ref>/start/", channels.start, name="channel-start"),
]
