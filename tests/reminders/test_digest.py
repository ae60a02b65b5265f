"""The morning's summary for staff: when, for whom, and what it counts."""

from datetime import date, time, timedelta

import pytest

from clients.models import ContactPoint
from clinics.models import Closure, StaffMember
from courses.models import Course, Flag
from reminders.models import Reminder, ReminderRule
from reminders.services.digest import plan_digests
from reminders.services.rules import change_rule
from tests.factories import StaffMemberFactory
from tests.reminders.builders import NOW, Memory, at, make_desk, riga, send_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    """Return a desk whose prescriber wants the summary; its clinic is open Monday to Saturday."""
    desk = make_desk()
    StaffMember.objects.filter(pk=desk.course.prescribed_by.pk).update(gets_digest=True)
    return desk


def digests():
    return Reminder.objects.filter(trigger="staff_digest").order_by("send_at", "pk")


@pytest.mark.parametrize(
    ("now", "count"),
    [
        ("2026-03-03 06:59", 0),
        ("2026-03-03 07:00", 1),
        ("2026-03-03 07:30", 1),
        ("2026-03-03 11:29", 1),
        ("2026-03-03 11:30", 0),  # of no use any more
        ("2026-03-03 11:31", 0),
    ],
)
def test_planned_shortly_before_its_time_and_while_of_use(desk, now, count):
    assert plan_digests(now=at(now)) == count

    assert digests().count() == count


def test_once_a_day_however_often_planned(desk):
    for now in ("2026-03-03 07:00", "2026-03-03 07:31", "2026-03-04 07:15", "2026-03-04 09:00"):
        plan_digests(now=at(now))

    assert [(riga(row.send_at), riga(row.expires_at)) for row in digests()] == [
        ("2026-03-03 07:30", "2026-03-03 11:30"),
        ("2026-03-04 07:30", "2026-03-04 11:30"),
    ]
    row = digests()[0]
    assert (row.client, row.staff_member, row.channel) == (None, desk.course.prescribed_by, "email")


@pytest.mark.parametrize(
    ("day", "wall"),
    [
        ("2026-03-28", "07:30"),
        ("2026-03-30", "07:30"),  # the clocks went forward on Sunday
        ("2026-10-24", "07:30"),
        ("2026-10-26", "07:30"),
        ("2028-02-29", "07:30"),
        ("2026-12-31", "07:30"),
    ],
)
def test_wall_time_stays_over_changes_of_clocks(desk, day, wall):
    plan_digests(now=at(f"{day} 07:10"))

    assert [riga(row.send_at) for row in digests()] == [f"{day} {wall}"]


def no_wish(member):
    member.gets_digest = False


def left(member):
    member.is_active = False


def locked_out(member):
    member.user.is_active = False


@pytest.mark.parametrize("change", [no_wish, left, locked_out])
def test_only_for_those_who_want_it_and_are_there(desk, change):
    plan_digests(now=at("2026-03-02 07:10"))
    member = StaffMember.objects.select_related("user").get(gets_digest=True)
    change(member)
    member.save()
    member.user.save()

    assert plan_digests(now=at("2026-03-03 07:10")) == 0
    # And the one that was planned before is not sent.
    assert send_at("2026-03-02 07:30", Memory()) == {"cancelled": 1}
    assert digests().get().decision_reason == "not_needed"


@pytest.mark.parametrize("closed", ["weekday", "closure"])
def test_not_on_a_day_on_which_the_clinic_is_closed(desk, closed):
    day = "2026-03-08" if closed == "weekday" else "2026-03-03"
    assert plan_digests(now=at("2026-03-04 07:10")) == 1
    Closure.objects.create(clinic=desk.course.clinic, from_on=date(2026, 3, 3), to_on=date(2026, 3, 3))

    assert plan_digests(now=at(f"{day} 07:10")) == 0


def test_rule_that_is_off_plans_nothing_and_voids_what_was_planned(desk):
    plan_digests(now=at("2026-03-03 07:10"))
    ReminderRule.objects.filter(trigger="staff_digest").update(is_active=False)

    assert plan_digests(now=at("2026-03-04 07:10")) == 0
    assert send_at("2026-03-03 07:30", Memory())["cancelled"] == 1
    assert digests().get().decision_reason == "rule_off"


def test_another_time_counts_from_the_next_one(desk):
    rule = ReminderRule.objects.get(trigger="staff_digest")
    change_rule(rule=rule, values={"at_time": time(6)}, by=desk.by, now=NOW)

    plan_digests(now=at("2026-03-03 05:45"))

    assert [riga(row.send_at) for row in digests()] == ["2026-03-03 06:00"]
    # Staff are up when they say so: a client's quiet hours are not theirs.
    assert send_at("2026-03-03 06:00", Memory())["sent"] == 1


def test_many_clinics_cost_no_more_queries(desk, django_assert_num_queries):
    with django_assert_num_queries(1):
        plan_digests(now=at("2026-03-03 05:00"))
    for _ in range(3):
        other = make_desk()
        StaffMember.objects.filter(pk=other.course.prescribed_by.pk).update(gets_digest=True)

    with django_assert_num_queries(6):
        assert plan_digests(now=at("2026-03-03 07:10")) == 4


# ---------------------------------------------------------------- what it says


def morning_message(when="2026-03-04 07:30"):
    plan_digests(now=at(when))
    channel = Memory()
    send_at(when, channel)
    return next(m for m in channel.messages if "Visits today" in m.text or "Визитов" in m.text)


def test_counts_and_a_link_and_no_name(desk):
    clinic, client = desk.course.clinic, desk.course.client
    clinic.name = "Old Town"
    clinic.save()
    Reminder.objects.filter(rule__slug="schedule").update(
        state="failed", decision_reason="refused", decided_at=at("2026-03-03 12:00")
    )
    Reminder.objects.filter(rule__slug="day-before").update(
        state="expired", decision_reason="stale", decided_at=at("2026-03-03 21:00")
    )
    ContactPoint.objects.create(
        clinic=clinic,
        client=client,
        channel="sms",
        value="+37120000001",
        disabled_at=at("2026-03-03 12:00"),
        disabled_reason="gone",
    )
    for kind, severity, rank in (("unbooked", "notice", 1), ("lapsed", "serious", 3)):
        Flag.objects.create(
            clinic=clinic,
            course=desk.course,
            kind=kind,
            severity=severity,
            severity_rank=rank,
            days=2,
            since_on=date(2026, 3, 1),
            opened_at=NOW,
            updated_at=NOW,
        )
    Course.objects.update(next_check_at=None)

    message = morning_message()

    assert message.subject == "Old Town: Wednesday, 4 March"
    assert (
        message.text
        == f"""Good morning, {desk.course.prescribed_by.display_name}.

    Wednesday, 4 March
    Visits today: 1

Open findings:

- lapsed: 1
- unbooked: 1

Messages since the last summary:

- Not delivered: 1
- Addresses that stopped working: 1
- Too late to be of use, so never sent: 1

Open the worklist: http://localhost:8000/

Old Town
"""
    )
    assert message.headers == ()
    assert message.address == desk.course.prescribed_by.user.email
    for secret in (client.given_name, client.family_name, "Anti-cellulite", "+3712"):
        assert secret not in message.subject + message.text + message.html + message.short
    assert "client" not in message.facts


def test_past_visit_without_an_outcome_is_counted(desk):
    message = morning_message("2026-03-05 07:30")

    assert "    Visits today: 0\n    Past visits without an outcome: 1\n" in message.text


def test_each_message_is_told_of_once(desk):
    Reminder.objects.filter(rule__slug="schedule").update(
        state="failed", decision_reason="refused", decided_at=at("2026-03-03 07:00")
    )

    first = morning_message("2026-03-03 07:30")
    second = morning_message("2026-03-04 07:30")

    assert "Not delivered: 1" in first.text
    assert "Not delivered" not in second.text
    assert "Messages since" not in second.text


def test_summary_after_a_closed_day_looks_further_back(desk):
    morning_message("2026-03-07 07:30")
    Reminder.objects.filter(rule__slug="two-hours-before").update(
        state="failed", decision_reason="refused", decided_at=at("2026-03-07 12:00"), sent_at=None
    )

    # Sunday had none.
    assert "Not delivered: 1" in morning_message("2026-03-09 07:30").text


def test_summary_in_the_readers_language(desk):
    user = desk.course.prescribed_by.user
    user.language = "ru"
    user.save()

    assert morning_message().text.startswith("Доброе утро, ")


def test_members_of_one_clinic_each_get_one(desk):
    StaffMemberFactory(clinic=desk.course.clinic, gets_digest=True)
    StaffMemberFactory(clinic=desk.course.clinic)

    plan_digests(now=at("2026-03-03 07:10"))
    plan_digests(now=at("2026-03-03 07:10") + timedelta(minutes=1))

    assert digests().count() == 2
