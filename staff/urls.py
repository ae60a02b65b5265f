"""The staff pages; every route must also stand in tests/staff/test_access_matrix.py."""

from django.urls import path

from staff.views import (
    attention,
    attention_selected,
    audit,
    calendar,
    calendar_booking,
    channels,
    client_addresses,
    client_merge,
    client_privacy,
    clients,
    clinic,
    closures,
    course,
    course_actions,
    course_card,
    course_planning,
    courses,
    disruptions,
    exchange,
    exports,
    from_clients,
    hooks,
    imports,
    jobs,
    mailbox,
    messages,
    people,
    prescribe,
    profile,
    protocols,
    reports,
    rules,
    saved_views,
    search,
    start,
    today,
    tokens,
    undo,
    working_hours,
)

app_name = "staff"

urlpatterns = [
    path("start/", start.start, name="start"),
    path("start/protocols/", start.pick_protocols, name="start-protocols"),
    path("start/close/", start.put_guide_away, name="start-close"),
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
    path("attention/selected/", attention_selected.act_on_selected, name="attention-selected"),
    path("attention/<uuid:code>/acknowledge/", attention.acknowledge, name="flag-acknowledge"),
    path("attention/<uuid:code>/snooze/", attention.snooze, name="flag-snooze"),
    path("attention/<uuid:code>/call/", attention.call, name="flag-call"),
    path("attention/<uuid:code>/release/", attention.release, name="flag-release"),
    path("attention/<uuid:code>/pause/", attention.pause, name="flag-pause"),
    path("attention/<uuid:code>/message/", attention.message, name="flag-message"),
    path("attention/reports/<uuid:code>/close/", from_clients.close_report, name="report-close"),
    path("attention/erasure/<uuid:code>/close/", from_clients.close_erasure, name="erasure-close"),
    path("calendar/", calendar.show_calendar, name="calendar"),
    path("calendar/book/", calendar_booking.choose_course, name="calendar-book"),
    path("calendar/book/<uuid:code>/", calendar_booking.book_course, name="calendar-book-course"),
    path("calendar/sessions/<uuid:code>/window/", calendar.show_window, name="calendar-window"),
    path("calendar/sessions/<uuid:code>/move/", calendar.drop_session, name="calendar-move"),
    path("courses/", courses.course_list, name="course-list"),
    path("courses/export/", courses.export_courses, name="course-export"),
    path("clients/", clients.client_list, name="client-list"),
    path("clients/new/", clients.add_client, name="client-add"),
    path("clients/<uuid:code>/", clients.show_client, name="client-detail"),
    path("clients/<uuid:code>/edit/", clients.edit_client, name="client-edit"),
    path("clients/<uuid:code>/merge/", client_merge.merge, name="client-merge"),
    path("clients/<uuid:code>/export/", client_privacy.export_client, name="client-export"),
    path("clients/<uuid:code>/erase/", client_privacy.erase, name="client-erase"),
    path("clients/<uuid:code>/address/", client_addresses.change_client_address, name="client-address"),
    path(
        "clients/<uuid:code>/addresses/<uuid:contact_code>/enable/",
        client_addresses.enable_client_address,
        name="client-address-enable",
    ),
    path("undo/", undo.undo, name="undo"),
    path("views/", saved_views.saved_views, name="saved-views"),
    path("views/<uuid:code>/", saved_views.change, name="saved-view-change"),
    path("views/<uuid:code>/remove/", saved_views.remove, name="saved-view-remove"),
    path("search/", search.search, name="search"),
    path("reports/", reports.report_list, name="report-list"),
    path("reports/export/", reports.export_figures, name="report-export"),
    path("reports/<slug:report>/", reports.report_detail, name="report-detail"),
    path("reports/<slug:report>/export/", reports.export_report, name="report-table"),
    path("me/", profile.show_profile, name="profile"),
    path("me/language/", profile.choose_language, name="profile-language"),
    path("me/dates/", profile.choose_dates, name="profile-dates"),
    path("me/clinic/", profile.choose_clinic, name="profile-clinic"),
    path("me/digest/", profile.choose_digest, name="profile-digest"),
    path("me/export/sessions/", exchange.export_own_sessions, name="profile-sessions"),
]

# ---------------------------------------------------------------- exports

urlpatterns += [
    path("exports/", exports.export_list, name="export-list"),
    path("exports/<slug:name>/", exports.export_table, name="export-table"),
    path("exports/files/<uuid:code>/", exports.fetch, name="export-file"),
    path("exports/files/<uuid:code>/remove/", exports.remove, name="export-remove"),
    path("exports/files/<uuid:code>/again/", exports.try_again, name="export-again"),
    path("exports/regular/<uuid:code>/stop/", exports.stop, name="export-stop"),
]

# ---------------------------------------------------------------- disruptions and background jobs

urlpatterns += [
    path("disruptions/", disruptions.disruption_list, name="disruption-list"),
    path("disruptions/<uuid:code>/", disruptions.disruption_detail, name="disruption-detail"),
    path("disruptions/<uuid:code>/choose/", disruptions.choose, name="disruption-choose"),
    path("disruptions/<uuid:code>/apply/", disruptions.apply, name="disruption-apply"),
    path("disruptions/<uuid:code>/undo/", disruptions.undo, name="disruption-undo"),
    path("jobs/", jobs.job_list, name="job-list"),
    path("jobs/<uuid:code>/progress/", jobs.progress, name="job-progress"),
    path("jobs/<uuid:code>/stop/", jobs.stop, name="job-stop"),
    path("jobs/<uuid:code>/retry/", jobs.retry, name="job-retry"),
]

# ---------------------------------------------------------------- messages

urlpatterns += [
    path("messages/", messages.message_list, name="message-list"),
    path("messages/<uuid:code>/", messages.message_detail, name="message-detail"),
    path("messages/<uuid:code>/send/", messages.send_message, name="message-send"),
    path("messages/<uuid:code>/stop/", messages.stop_message, name="message-stop"),
    path("messages/<uuid:code>/arrived/", messages.mark_arrived, name="message-arrived"),
    path("messages/<uuid:code>/again/", messages.send_again, name="message-again"),
    path("messages/<uuid:code>/close/", messages.close_message, name="message-close"),
    path("answers/<uuid:code>/close/", messages.close_answer, name="answer-close"),
]

# ---------------------------------------------------------------- settings

_room = "settings/rooms/<uuid:code>/"
urlpatterns += [
    path("settings/clinic/", clinic.clinic_details, name="settings-clinic"),
    path("settings/hours/", clinic.opening_hours, name="settings-hours"),
    path("settings/closures/", closures.closure_list, name="settings-closures"),
    path("settings/closures/<uuid:code>/remove/", closures.remove, name="settings-closure-remove"),
    path("settings/closures/holidays/", closures.holidays, name="settings-holidays"),
    path("settings/rooms/", clinic.room_list, name="settings-rooms"),
    path(_room + "rename/", clinic.rename, name="settings-room-rename"),
    path(_room + "retire/", clinic.retire, name="settings-room-retire"),
    path(_room + "reopen/", clinic.reopen, name="settings-room-reopen"),
]

_protocol = "settings/protocols/<uuid:code>/"
urlpatterns += [
    path("settings/protocols/", protocols.protocol_list, name="protocol-list"),
    path("settings/protocols/load/", protocols.load, name="protocol-load"),
    path("settings/protocols/new/", protocols.new_protocol, name="protocol-new"),
    path(_protocol, protocols.show_protocol, name="protocol-detail"),
    path(_protocol + "edit/", protocols.edit_protocol, name="protocol-edit"),
    path(_protocol + "restore/", protocols.restore, name="protocol-restore"),
    path(_protocol + "retire/", protocols.retire, name="protocol-retire"),
    path(_protocol + "reopen/", protocols.reopen, name="protocol-reopen"),
]

_import = "settings/imports/<uuid:code>/"
_hook = "settings/webhooks/<uuid:code>/"
_rule = "settings/rules/<uuid:code>/"
urlpatterns += [
    path("settings/rules/", rules.rule_list, name="rule-list"),
    path(_rule, rules.edit_rule, name="rule-edit"),
    path(_rule + "preview/", rules.preview_rule, name="rule-preview"),
    path(_rule + "pause/", rules.pause, name="rule-pause"),
    path(_rule + "resume/", rules.resume, name="rule-resume"),
    path(_rule + "reset/", rules.reset_texts, name="rule-reset"),
    path(_rule + "versions/<int:number>/restore/", rules.restore_version, name="rule-restore"),
    path(_rule + "test/", rules.test_rule, name="rule-test"),
    path("settings/messages/", rules.message_settings, name="settings-messages"),
    path("settings/channels/", channels.channel_list, name="channel-list"),
    path("settings/channels/new/", channels.new_channel, name="channel-new"),
    path("settings/channels/<uuid:code>/", channels.edit_channel, name="channel-edit"),
    path("settings/channels/<uuid:code>/switch/", channels.switch_channel, name="channel-switch"),
    path("settings/channels/<uuid:code>/test/", channels.test_channel, name="channel-test"),
    path("settings/people/", people.people_list, name="people-list"),
    path("settings/people/new/", people.new_person, name="people-new"),
    path("settings/people/<uuid:code>/", people.edit_person, name="people-edit"),
    path("settings/people/<uuid:code>/deactivate/", people.deactivate_person, name="people-deactivate"),
    path("settings/people/<uuid:code>/reactivate/", people.reactivate_person, name="people-reactivate"),
    path("settings/people/<uuid:code>/invite/", people.invite_again, name="people-invite"),
    path("settings/people/<uuid:code>/hours/", working_hours.edit_working_hours, name="people-hours"),
    path("settings/people/<uuid:code>/absences/", people.add_absence_of, name="people-absence"),
    path(
        "settings/people/<uuid:code>/absences/<uuid:absence_code>/remove/",
        people.remove_absence_of,
        name="people-absence-remove",
    ),
    path("settings/imports/", imports.import_list, name="import-list"),
    path(_import, imports.show_import, name="import-detail"),
    path(_import + "check/", imports.check, name="import-check"),
    path(_import + "apply/", imports.apply, name="import-apply"),
    path(_import + "go-on/", imports.go_on, name="import-go-on"),
    path(_import + "undo/", imports.undo, name="import-undo"),
    path(_import + "discard/", imports.throw_away, name="import-discard"),
    path("settings/webhooks/", hooks.hook_list, name="hook-list"),
    path(_hook, hooks.hook_detail, name="hook-detail"),
    path(_hook + "change/", hooks.change_hook, name="hook-change"),
    path(_hook + "switch/", hooks.switch_hook, name="hook-switch"),
    path(_hook + "secret/", hooks.renew_hook_secret, name="hook-secret"),
    path(_hook + "test/", hooks.test_hook, name="hook-test"),
    path(_hook + "remove/", hooks.remove_hook, name="hook-remove"),
    path(_hook + "calls/<uuid:call_code>/", hooks.show_call, name="hook-call"),
    path(_hook + "calls/<uuid:call_code>/again/", hooks.call_again, name="hook-call-again"),
    path("settings/tokens/", tokens.token_list, name="token-list"),
    path("settings/tokens/<uuid:code>/revoke/", tokens.revoke, name="token-revoke"),
    path("settings/audit/", audit.audit_list, name="audit-list"),
    path("settings/audit/export/", audit.export_audit, name="audit-export"),
]

# ---------------------------------------------------------------- one course

_course = "courses/<uuid:code>/"
urlpatterns += [
    path("courses/new/", prescribe.prescribe, name="course-new"),
    path("courses/new/fhir/", exchange.prescribe_from_fhir, name="course-new-fhir"),
    path(_course + "change/", prescribe.change_prescription, name="course-change"),
    path(_course, course.show_course, name="course-detail"),
    path(_course + "export/fhir/", exchange.export_course, name="course-fhir"),
    path(_course + "export/calendar/", exchange.export_sessions, name="course-calendar"),
    path(_course + "card/", course_card.show_card, name="course-card"),
    path(_course + "book/", course_planning.book_next, name="course-book"),
    path(_course + "replan/", course_planning.replan, name="course-replan"),
    path(
        _course + "sessions/<uuid:session_code>/move/",
        course_planning.move_session,
        name="course-session-move",
    ),
    path(
        _course + "sessions/<uuid:session_code>/correct/",
        course_actions.correct_session,
        name="course-session-correct",
    ),
    path(_course + "pause/", course_actions.pause, name="course-pause"),
    path(_course + "resume/", course_actions.resume, name="course-resume"),
    path(
        _course + "pauses/<uuid:pause_code>/remove/", course_actions.remove_pause, name="course-pause-remove"
    ),
    path(_course + "condition/", course_actions.record_condition, name="course-condition"),
    path(_course + "override/<slug:condition>/", course_actions.override_condition, name="course-override"),
    path(_course + "target/", course_actions.set_target, name="course-target"),
    path(_course + "end-phase/", course_actions.end_phase, name="course-end-phase"),
    path(_course + "restart/", course_actions.restart, name="course-restart"),
    path(_course + "discontinue/", course_actions.discontinue, name="course-discontinue"),
    path("demo/mailbox/", mailbox.list_mails, name="mailbox"),
    path("demo/mailbox/<uuid:code>/", mailbox.show_mail, name="mailbox-mail"),
    path("demo/mailbox/<uuid:code>/html/", mailbox.show_mail_html, name="mailbox-html"),
    path("demo/mailbox/<uuid:code>/files/<int:position>/", mailbox.download_file, name="mailbox-file"),
]
