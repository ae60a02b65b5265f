"""The staff pages; every route must also stand in tests/staff/test_access_matrix.py."""

from django.urls import path

from staff.views import attention, clients, courses, profile, today

app_name = "staff"

urlpatterns = [
    path("", today.show_day, name="today"),
    path("sessions/<uuid:code>/arrive/", today.arrive, name="session-arrive"),
    path("sessions/<uuid:code>/screen/", today.screen, name="session-screen"),
    path("sessions/<uuid:code>/attend/", today.attend, name="session-attend"),
    path("sessions/<uuid:code>/miss/", today.miss, name="session-miss"),
    path("sessions/<uuid:code>/cancel/", today.cancel, name="session-cancel"),
    path("sessions/<uuid:code>/confirm/", today.confirm, name="session-confirm"),
    path("sessions/<uuid:code>/undo/", today.undo, name="session-undo"),
    path("sessions/<uuid:code>/pause/", today.pause, name="session-pause"),
    path("sessions/<uuid:code>/resume/", today.resume, name="session-resume"),
    path("attention/", attention.worklist, name="attention"),
    path("attention/<uuid:code>/acknowledge/", attention.acknowledge, name="flag-acknowledge"),
    path("attention/<uuid:code>/snooze/", attention.snooze, name="flag-snooze"),
    path("attention/<uuid:code>/call/", attention.call, name="flag-call"),
    path("courses/", courses.course_list, name="course-list"),
    path("courses/export/", courses.export_courses, name="course-export"),
    path("clients/", clients.client_list, name="client-list"),
    path("clients/new/", clients.add_client, name="client-add"),
    path("clients/<uuid:code>/", clients.edit_client, name="client-edit"),
    path("me/", profile.show_profile, name="profile"),
    path("me/language/", profile.choose_language, name="profile-language"),
    path("me/clinic/", profile.choose_clinic, name="profile-clinic"),
]
