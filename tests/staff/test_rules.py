"""Reminder rules: changed with their words, seen before they are saved, kept in versions, paused and tested."""

from datetime import time

import pytest
from django.core import mail

from audit.models import AuditEvent
from clinics.models import Clinic, Role
from reminders.models import Reminder, ReminderRule, RuleVersion
from reminders.texts import shipped_text
from tests.factories import ClinicFactory, StaffMemberFactory
from tests.staff.conftest import HTMX
from tests.staff.test_today import words_of

LIST = "/settings/rules/"


@pytest.fixture
def owner(browser_of):
    return browser_of(Role.OWNER, display_name="Ilze")


@pytest.fixture
def rule_of(clinic, owner):
    """Return a function that gives a rule of the clinic as it stands now."""
    owner.get(LIST)
    return lambda slug: ReminderRule.objects.get(clinic=clinic, slug=slug)


def url(rule, verb=""):
    return f"{LIST}{rule.code}/{verb and verb + '/'}"


def filled(browser, rule, **changes):
    """What the browser would send of the form as it opens, with some fields typed anew."""
    form = browser.get(url(rule)).context["form"]
    values = {name: form[name].value() for name in form.fields}
    values = {name: value for name, value in values.items() if value not in (None, False)}
    return {"do": "save", **values, **changes}


def test_list_shows_every_rule_in_order(owner, clinic):
    lines = owner.get(LIST).context["lines"]

    assert [(line.title, line.when, line.channels) for line in lines][:6] == [
        ("Before a session", "1 day before the session", "E-mail, else SMS"),
        ("Before a session", "2 hours before the session", "E-mail, else SMS"),
        ("Preparation for a session", "2 days before the session, at 18:00", "E-mail, else SMS"),
        ("Missed session", "1 hour after a missed session", "E-mail, else SMS"),
        ("How a session was", "4 hours after the first session", "E-mail, else SMS"),
        (
            "Overdue",
            "Once the course is overdue, at 10:00, every 3 days, at most 3 times",
            "E-mail, else SMS",
        ),
    ]
    assert len(lines) == ReminderRule.objects.filter(clinic=clinic).count()


def test_every_rule_opens_and_saves_unchanged_without_a_new_version(owner, rule_of, clinic):
    for rule in ReminderRule.objects.filter(clinic=clinic):
        answer = owner.post(url(rule), filled(owner, rule))

        assert (rule.slug, answer.status_code) == (rule.slug, 302)
        assert (rule.slug, rule_of(rule.slug).version) == (rule.slug, 1)


@pytest.mark.parametrize(
    ("slug", "names"),
    [
        ("day-before", ["lead_amount", "at_time", "useful_amount", "is_first_only", "skips_confirmed"]),
        ("how-was-it", ["wait_minutes", "useful_amount", "is_first_only"]),
        ("overdue", ["at_time", "useful_amount", "repeat_days", "cap_count"]),
        ("book-next", ["lead_days", "at_time", "wait_minutes"]),
        ("schedule", ["wait_minutes", "useful_amount"]),
        ("staff-digest", ["at_time", "useful_amount"]),
    ],
)
def test_rule_asks_only_for_what_its_message_has(owner, rule_of, slug, names):
    timing = owner.get(url(rule_of(slug))).context["timing"]

    assert [field.name for field in timing] == names


def test_rule_is_changed_with_its_words(owner, rule_of):
    rule = rule_of("day-before")

    answer = owner.post(
        url(rule),
        filled(
            owner, rule, lead_amount="3", lead_unit="hours", channel_1="sms", channel_2="email",
            subject_en="See you {near}",
        ),
        follow=True,
    )  # fmt: skip

    changed = rule_of("day-before")
    assert "Saved." in words_of(answer)
    assert (changed.lead_days, changed.lead_minutes, changed.channels) == (None, 180, ["sms", "email"])
    # What is as shipped is not kept as the clinic's own.
    assert changed.texts == {"en": {"subject": "See you {near}"}}
    assert changed.version == 2
    assert "Ilze" in words_of(answer)


@pytest.mark.parametrize(
    ("slug", "typed", "field"),
    [
        ("day-before", {"subject_ru": "До {встречи}"}, "subject_ru"),
        ("day-before", {"body_en": "Come at {time"}, "body_en"),
        ("day-before", {"short_en": "x" * 201}, "short_en"),
        ("day-before", {"lead_amount": "0"}, "lead_amount"),
        ("day-before", {"lead_amount": ""}, "lead_amount"),
        ("day-before", {"lead_amount": "99999"}, "lead_amount"),
        ("day-before", {"useful_amount": "0"}, "useful_amount"),
        ("day-before", {"channel_1": "email", "channel_2": "email"}, "channel_2"),
        ("day-before", {"channel_1": "pigeon"}, "channel_1"),
        ("day-before", {"lead_amount": "2", "lead_unit": "hours", "at_time": "09:00"}, "at_time"),
        ("overdue", {"repeat_days": "0", "cap_count": "2"}, "repeat_days"),
        ("overdue", {"cap_count": "0"}, "cap_count"),
        ("overdue", {"at_time": "late"}, "at_time"),
        ("staff-digest", {"channel_1": "sms"}, "channel_1"),
        ("staff-digest", {"at_time": ""}, "at_time"),
    ],
)
def test_impossible_rule_is_refused_by_field(owner, rule_of, slug, typed, field):
    rule = rule_of(slug)

    answer = owner.post(url(rule), filled(owner, rule, **typed))

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert rule_of(slug).version == 1


def test_error_in_the_other_language_is_shown(owner, rule_of):
    rule = rule_of("day-before")

    answer = owner.post(url(rule), filled(owner, rule, subject_ru="{нет}", shown_language="en"))

    assert answer.context["looked_at"]["language"] == "ru"
    assert "There is no placeholder {нет}." in words_of(answer)


@pytest.mark.parametrize("header", [{}, HTMX], ids=["plain", "htmx"])
def test_preview_shows_what_is_typed_and_saves_nothing(owner, rule_of, header):
    rule = rule_of("day-before")
    typed = filled(owner, rule, subject_en="See you at {time}", do="preview", shown_language="en")
    path = url(rule, "preview") if header else url(rule)

    answer = owner.post(path, typed | {"shown_channel": "email"}, headers=header)

    assert "See you at 15:00" in words_of(answer)
    assert ("<html" in answer.content.decode()) is not bool(header)
    assert rule_of("day-before").version == 1


def test_preview_counts_the_parts_of_an_sms(owner, rule_of):
    rule = rule_of("day-before")
    typed = filled(owner, rule, short_en="word " * 36, shown_language="en", shown_channel="sms")

    words = words_of(owner.post(url(rule, "preview"), typed, headers=HTMX))

    assert "Goes as 2 SMS, each of which is paid for." in words


def test_preview_names_what_is_wrong(owner, rule_of):
    rule = rule_of("day-before")
    typed = filled(owner, rule, body_ru="{кто}", shown_language="ru")

    words = words_of(owner.post(url(rule, "preview"), typed, headers=HTMX))

    assert "There is no placeholder {кто}." in words


def test_words_go_back_to_the_shipped_ones(owner, rule_of):
    rule = rule_of("day-before")
    owner.post(url(rule), filled(owner, rule, subject_en="Ours", subject_ru="Наше"))

    owner.post(url(rule, "reset"), {"language": "en"})

    assert rule_of("day-before").texts == {"ru": {"subject": "Наше"}}
    form = owner.get(url(rule)).context["form"]
    assert form["subject_en"].value() == shipped_text("before_session", "en").subject


def test_version_is_restored_as_a_new_one(owner, rule_of):
    rule = rule_of("overdue")
    owner.post(url(rule), filled(owner, rule, at_time="12:00", subject_en="Ours"))
    owner.post(url(rule, "pause"))

    owner.post(url(rule, "versions/1/restore"))

    restored = rule_of("overdue")
    assert (restored.at_time, restored.texts, restored.version) == (time(10), {}, 4)
    # Whether it is on is another matter than how it reads.
    assert restored.is_active is False
    assert owner.post(url(rule, "versions/9/restore")).status_code == 404
    words = [line.words for line in owner.get(url(rule)).context["versions"]]
    assert words == [
        "changed: time of the day, words",
        "paused",
        "changed: time of the day, words",
        "as the clinic started",
    ]


def test_pausing_says_how_many_messages_it_holds(owner, rule_of, session):
    rule = rule_of("schedule")
    assert Reminder.objects.filter(rule=rule, state="due").count() == 1
    assert "Pause: 1 message stays behind" in words_of(owner.get(url(rule)))

    answer = owner.post(url(rule, "pause"), follow=True)

    assert "The rule is paused: 1 message that waits does not go out." in words_of(answer)
    assert rule_of("schedule").is_active is False

    owner.post(url(rule, "resume"))

    assert rule_of("schedule").is_active is True
    assert RuleVersion.objects.filter(rule=rule).count() == 3


def test_test_message_goes_to_whoever_is_signed_in(owner, rule_of):
    rule = rule_of("day-before")

    answer = owner.post(
        url(rule, "test"), {"language": "ru", "channel": "email", "address": "other@example.com"}, follow=True
    )

    asker = AuditEvent.objects.get(action="rule.tested").actor_code
    member = Clinic.objects.get(pk=rule.clinic_id).staff_members.get(code=asker)
    assert mail.outbox[0].to == [member.user.email]
    assert "The test message is on its way." in words_of(answer)


def test_test_message_over_a_closed_channel_is_refused(owner, rule_of):
    answer = owner.post(url(rule_of("day-before"), "test"), {"language": "en", "channel": "sms"})

    assert answer.status_code == 422
    assert list(answer.context["test_form"].errors) == ["channel"]


def test_settings_of_the_clinic_are_changed(owner, clinic):
    path = "/settings/messages/"
    form = owner.get(path).context["form"]
    typed = {name: form[name].value() for name in form.fields if form[name].value()}
    typed |= {"reminder_holdout_percent": "5"}

    answer = owner.post(path, typed | {"sender_name": "Massage", "quiet_from_time": "20:00"})
    wrong = owner.post(
        path,
        typed | {"daily_message_cap": "0", "quiet_to_time": "", "reminder_holdout_percent": "51"},
    )

    clinic.refresh_from_db()
    assert (answer.status_code, clinic.sender_name, clinic.quiet_from_time) == (302, "Massage", time(20))
    assert clinic.reminder_holdout_percent == 5
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (
        422,
        ["quiet_to_time", "daily_message_cap", "reminder_holdout_percent"],
    )


def test_rule_of_another_clinic_is_not_found(owner, rule_of, log_in):
    rule = rule_of("overdue")
    assert owner.get(url(rule)).status_code == 200

    stranger = log_in(StaffMemberFactory(clinic=ClinicFactory(), role=Role.OWNER))

    assert stranger.get(url(rule)).status_code == 404
    assert stranger.post(url(rule, "pause")).status_code == 404


def test_pages_cost_the_same_whatever_waits(
    owner, rule_of, make_course, django_assert_num_queries, django_assert_max_num_queries
):
    make_course(given_name="One")
    rule = rule_of("day-before")
    with django_assert_max_num_queries(14) as counted:
        owner.get(LIST)
    listed = len(counted.captured_queries)
    with django_assert_max_num_queries(16) as counted:
        owner.get(url(rule))
    opened = len(counted.captured_queries)
    make_course(given_name="Two", at=12)
    owner.post(url(rule), filled(owner, rule, lead_amount="2"))

    with django_assert_num_queries(listed):
        owner.get(LIST)
    with django_assert_num_queries(opened):
        owner.get(url(rule))
