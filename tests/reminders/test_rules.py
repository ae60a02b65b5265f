"""Changes of rules: versions, what is refused, and how the messages that wait follow."""

from datetime import date, time, timedelta
from importlib import import_module

import pytest
from django.apps import apps

from audit.models import AuditEvent
from courses.errors import CourseError
from reminders.models import Reminder, ReminderRule, ResyncRequest, RuleVersion
from reminders.services import seed_rules, sync_course_reminders
from reminders.services.resyncing import request_resync, work_resyncs
from reminders.services.rules import change_rule, pause_rule, resume_rule, rule_values
from tests.factories import ClinicFactory, StaffMemberFactory
from tests.reminders.builders import NOW, Memory, at, make_desk, riga, send_at

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def desk():
    return make_desk()


def rule_of(desk, slug="day-before"):
    return ReminderRule.objects.get(clinic=desk.course.clinic, slug=slug)


def change(desk, slug="day-before", /, now=LATER, **values):
    return change_rule(rule=rule_of(desk, slug), values=values, by=desk.by, now=now)


# ---------------------------------------------------------------- versions


def test_seeded_rules_have_their_first_version(desk):
    rules = ReminderRule.objects.filter(clinic=desk.course.clinic)

    versions = RuleVersion.objects.filter(clinic=desk.course.clinic)
    assert versions.count() == rules.count() == 14
    assert set(versions.values_list("number", "changed_by")) == {(1, None)}
    first = versions.get(rule__slug="staff-digest")
    assert first.values == {
        "is_active": True,
        "channels": ["email"],
        "lead_days": None,
        "lead_minutes": None,
        "at_time": "07:30",
        "wait_minutes": 0,
        "useful_minutes": 240,
        "repeat_days": 0,
        "cap_count": 1,
        "is_first_only": False,
        "skips_confirmed": False,
        "texts": {},
    }


def test_change_makes_a_version_and_is_audited(desk):
    rule = change(desk, lead_days=2, texts={"en": {"subject": "Soon: {day}"}})

    assert (rule.version, rule.timing_version, rule.lead_days) == (2, 2, 2)
    version = RuleVersion.objects.get(rule=rule, number=2)
    assert (version.values["lead_days"], version.changed_at) == (2, LATER)
    assert version.changed_by == desk.course.prescribed_by
    event = AuditEvent.objects.get(action="rule.changed")
    assert (event.subject_code, event.old) == (rule.code, {"version": 1, "lead_days": 1})
    assert event.new == {"version": 2, "changed": ["lead_days", "texts"], "lead_days": 2}


def test_change_that_changes_nothing_makes_no_version(desk):
    rule = change(desk, lead_days=1, channels=["email", "sms"])

    assert rule.version == 1
    assert RuleVersion.objects.filter(rule=rule).count() == 1
    assert not AuditEvent.objects.filter(action="rule.changed").exists()
    assert not ResyncRequest.objects.exists()


def test_change_of_words_alone_moves_no_message(desk):
    rule = change(desk, texts={"ru": {"body": "Ждём вас {near}."}})

    assert (rule.version, rule.timing_version) == (2, 1)
    assert not ResyncRequest.objects.exists()
    assert send_at("2026-03-03 15:00", Memory()) == {"sent": 1}


def test_pause_and_resume_are_versions_of_their_own(desk):
    pause_rule(rule=rule_of(desk), by=desk.by, now=LATER)
    pause_rule(rule=rule_of(desk), by=desk.by, now=LATER)
    resume_rule(rule=rule_of(desk), by=desk.by, now=LATER)

    versions = RuleVersion.objects.filter(rule=rule_of(desk)).values_list("number", "values__is_active")
    assert list(versions) == [(1, True), (2, False), (3, True)]
    actions = AuditEvent.objects.filter(subject_kind="rule").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["rule.paused", "rule.resumed"]


def test_clinic_from_before_the_split_gets_what_it_lacks():
    clinic = ClinicFactory()
    seed_rules(clinic=clinic, now=NOW)
    RuleVersion.objects.all().delete()
    ReminderRule.objects.filter(slug__in=("change", "staff-digest")).delete()
    ReminderRule.objects.filter(slug="schedule").update(is_active=False)

    seed_rules(clinic=clinic, now=LATER)

    # Whoever did not want schedules does not want to tell their changes either.
    assert list(
        ReminderRule.objects.filter(is_active=False).order_by("slug").values_list("slug", flat=True)
    ) == [
        "change",
        "schedule",
    ]
    assert RuleVersion.objects.count() == ReminderRule.objects.count() == 14


def test_clinic_that_runs_already_begins_to_ask_how_it_was_when_it_likes():
    running, new = ClinicFactory(), ClinicFactory()
    seed_rules(clinic=running, now=NOW)
    RuleVersion.objects.filter(rule__slug="how-was-it").delete()
    ReminderRule.objects.filter(slug="how-was-it").delete()
    migration = import_module("reminders.migrations.0008_let_clinics_decide_to_ask")

    for _ in range(2):
        migration.give_rule(apps, None)
    for clinic in (running, new):
        seed_rules(clinic=clinic, now=LATER)

    given, seeded = (ReminderRule.objects.get(slug="how-was-it", clinic=clinic) for clinic in (running, new))
    assert (given.is_active, seeded.is_active) == (False, True)
    assert [version.values for version in given.versions.all()] == [rule_values(given)]


@pytest.mark.parametrize(
    ("slug", "values", "field", "code"),
    [
        ("day-before", {"channels": []}, "channels", "no_channel"),
        ("day-before", {"channels": ["pigeon"]}, "channels", "unknown_channel"),
        ("day-before", {"channels": ["email", "email"]}, "channels", "unknown_channel"),
        ("staff-digest", {"channels": ["sms"]}, "channels", "unknown_channel"),
        ("staff-digest", {"at_time": None}, "at_time", "time_needed"),
        ("day-before", {"lead_days": None}, "lead_days", "lead_needed"),
        ("day-before", {"lead_minutes": 30}, "lead_days", "lead_needed"),
        ("overdue", {"lead_minutes": 30}, "lead_minutes", "lead_not_used"),
        ("day-before", {"lead_days": -1}, "lead_days", "value_out_of_range"),
        ("day-before", {"useful_minutes": 0}, "__all__", "value_out_of_range"),
        ("overdue", {"repeat_days": 0}, "__all__", "value_out_of_range"),
        ("day-before", {"slug": "x"}, "slug", "not_changeable"),
        ("day-before", {"version": 7}, "version", "not_changeable"),
        ("day-before", {"texts": {"xx": {}}}, "texts", "unknown_language"),
        ("day-before", {"texts": {"en": {"footer": "x"}}}, "texts", "unknown_part"),
        ("day-before", {"texts": {"en": {"body": "{nmae}"}}}, "body_en", "text_unusable"),
        ("day-before", {"texts": {"ru": {"subject": "a\nb"}}}, "subject_ru", "text_unusable"),
        ("day-before", {"texts": {"en": {"short": "x" * 201}}}, "short_en", "text_too_long"),
        ("day-before", {"texts": {"en": {"body": 7}}}, "body_en", "text_too_long"),
    ],
)
def test_rule_that_could_not_work_is_refused(desk, slug, values, field, code):
    before = list(ReminderRule.objects.order_by("pk").values())

    with pytest.raises(CourseError) as error:
        change(desk, slug, **values)

    assert (error.value.code, set(error.value.fields)) == (code, {field})
    assert error.value.message.endswith(".")
    assert list(ReminderRule.objects.order_by("pk").values()) == before
    assert not ResyncRequest.objects.exists()


# ---------------------------------------------------------------- how messages follow


def test_message_follows_the_newer_timing(desk):
    send_at("2026-03-02 08:03")
    change(desk, lead_days=2)

    assert work_resyncs(now=at("2026-03-02 15:01")) == 1

    row = desk.row("day-before")
    assert (row.state, riga(row.send_at), row.rule_version) == ("due", "2026-03-02 15:00", 2)
    assert send_at("2026-03-02 15:01", Memory()) == {"sent": 1}


def test_message_whose_rule_moved_it_later_does_not_go_by_the_older_time(desk):
    change(desk, "two-hours-before", lead_minutes=60)
    channel = Memory()

    counts = send_at("2026-03-04 13:00", channel)

    row = desk.row("two-hours-before")
    assert (counts, channel.messages) == ({"due": 1}, [])
    assert row.retry_at == at("2026-03-04 13:01")
    work_resyncs(now=at("2026-03-04 13:00"))
    assert riga(desk.row("two-hours-before").send_at) == "2026-03-04 14:00"


def test_paused_rule_sends_nothing_at_once_and_cancels_with_the_tick(desk):
    pause_rule(rule=rule_of(desk), by=desk.by, now=LATER)

    work_resyncs(now=LATER)

    assert desk.states("day-before") == [("cancelled", "rule_off")]
    resume_rule(rule=rule_of(desk), by=desk.by, now=LATER)
    work_resyncs(now=LATER)
    assert desk.states("day-before") == [("due", "")]


def test_unchanged_message_stays_claimed_and_learns_the_newer_version(desk):
    Reminder.objects.filter(rule__slug="two-hours-before").update(
        state="claimed", lease_owner="a", lease_until=at("2026-03-04 13:01")
    )
    change(desk, "two-hours-before", wait_minutes=1)

    work_resyncs(now=LATER)

    row = desk.row("two-hours-before")
    assert (row.state, row.lease_owner, row.rule_version) == ("claimed", "a", 2)


def test_resync_goes_on_where_it_stopped_and_ends(desk):
    clinic = desk.course.clinic
    member = StaffMemberFactory(clinic=clinic)
    desks = [make_desk(member=member, on=date(2026, 3, 4), starts=time(10 + n)) for n in range(4)]
    ReminderRule.objects.update(is_active=False)
    request_resync(clinic=clinic, now=LATER)

    done = [work_resyncs(now=LATER, limit=2) for _ in range(4)]

    assert done == [2, 2, 1, 0]
    assert not ResyncRequest.objects.exists()
    assert {state for one in [desk, *desks] for state, _ in one.states("day-before")} == {"cancelled"}


def test_messages_due_soonest_follow_first(desk):
    clinic = desk.course.clinic
    member = StaffMemberFactory(clinic=clinic)
    sooner = make_desk(member=member, on=date(2026, 3, 3), starts=time(18))
    change(desk, "two-hours-before", lead_minutes=60)

    assert work_resyncs(now=LATER, limit=1) == 1

    assert sooner.row("two-hours-before").rule_version == 2
    assert desk.row("two-hours-before").rule_version == 1


def test_asking_again_begins_anew(desk):
    clinic = desk.course.clinic
    request_resync(clinic=clinic, now=LATER)
    ResyncRequest.objects.update(after_course=10**6)

    request_resync(clinic=clinic, now=LATER + timedelta(minutes=1))

    assert list(ResyncRequest.objects.values_list("after_course", "asked_at")) == [
        (0, LATER + timedelta(minutes=1))
    ]


def test_course_that_cannot_be_synced_does_not_hold_up_the_rest(desk, monkeypatch):
    other = make_desk(member=StaffMemberFactory(clinic=desk.course.clinic), starts=time(11))
    change(desk, lead_days=2)

    def sync(*, course_id, now):
        if course_id == desk.course.pk:
            raise ValueError("broken")
        return sync_course_reminders(course_id=course_id, now=now)

    monkeypatch.setattr("reminders.services.resyncing.sync_course_reminders", sync)

    work_resyncs(now=LATER)
    work_resyncs(now=LATER)

    assert other.row("day-before").rule_version == 2
    assert not ResyncRequest.objects.exists()


def test_nothing_is_read_when_nobody_asked(desk, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert work_resyncs(now=LATER) == 0


def test_other_clinics_stay_as_they_are(desk):
    other = make_desk()
    change(desk, lead_days=2)

    work_resyncs(now=LATER)

    assert desk.row("day-before").rule_version == 2
    assert other.row("day-before").rule_version == 1
