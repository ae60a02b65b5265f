"""The demo's story: all there is to see is in it, and it is the same story for the same seed.

Telling it takes ten seconds. What it shows depends on the day and the seed and not on the database, so each
day is told on one of the two.
"""

import random
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from clinics.models import Clinic
from courses.convert import load_calendar
from courses.models import Course, CourseStatus, Flag, FlagKind
from courses.models.course import DriftState
from reminders.models import KeptMessage
from simulation.clinic import found_clinic
from simulation.management.commands.demo import tell_story
from simulation.story import Story
from tests.reports.fhir_checks import check_courses

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def story(now):
    """Tell the demo's story with few ordinary courses and return its clinic."""
    return tell_story(seed=1, client_count=40, course_count=26, now=now).clinic


def check_everything_is_visible(clinic, now):
    courses = Course.objects.for_clinic(clinic)
    assert set(courses.values_list("state", flat=True)) == set(DriftState.values)
    assert set(courses.values_list("status", flat=True)) == set(CourseStatus.values) - {CourseStatus.DRAFT}
    flags = Flag.objects.filter(clinic=clinic, resolved_at=None)
    assert set(flags.values_list("kind", flat=True)) == set(FlagKind.values)
    # Who is known to the clinic proves it by the year of birth, the others by a code.
    born = clinic.clients.values_list("birth_on", flat=True)
    assert {birth_on is None for birth_on in born} == {True, False}
    mails = KeptMessage.objects.filter(clinic=clinic)
    assert mails.filter(kept_at__lte=now).exists()
    assert not mails.filter(kept_at__gt=now).exists()
    # An invented past reaches nobody, whatever the installation sends its mail with.
    assert mail.outbox == []
    assert check_courses(courses, now=now) == len(courses)


@pytest.mark.postgres
def test_demo_shows_every_state_and_finding_before_opening_after_holidays():
    now = datetime(2027, 1, 2, 3, 0, tzinfo=UTC)

    check_everything_is_visible(story(now), now)


@pytest.mark.sqlite
def test_demo_is_open_on_a_sunday_and_tells_the_same_story_twice():
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def told():
        clinic = story(now)
        check_everything_is_visible(clinic, now)
        assert clinic.sessions.filter(on=now.date()).exists()
        for member in clinic.staff_members.select_related("user"):
            # A second clinic may have the same people only under other addresses.
            member.user.email = f"{clinic.pk}-{member.user.email}"
            member.user.save()
        return [
            (str(course.client), course.state, course.due_by_on, course.attended_count, course.slippage_days)
            for course in Course.objects.for_clinic(clinic).select_related("client").order_by("pk")
        ]

    assert told() == told()


def test_demo_is_refused_with_production_settings(settings):
    settings.IS_PRODUCTION = True

    with pytest.raises(CommandError, match="not loaded with production settings"):
        call_command("demo")

    assert not Clinic.objects.exists()


@pytest.mark.parametrize(("option", "value"), [("clients", 3), ("courses", 5000)])
def test_demo_names_a_bad_option(option, value):
    with pytest.raises(CommandError, match=f"--{option} must lie from"):
        call_command("demo", **{option: value})


@pytest.mark.sqlite
@pytest.mark.django_db
@pytest.mark.parametrize(
    "today",
    [*(date(2026, 11, 22 + weekday) for weekday in range(1, 8)), date(2026, 12, 28), date(2027, 1, 2)],
)
def test_nobody_is_said_to_have_been_treated_on_a_closed_day(today):
    now = datetime.combine(today - timedelta(200), time(8), tzinfo=UTC)
    rng = random.Random(1)
    cast = found_clinic(
        rng=rng,
        now=now,
        client_count=40,
        first_on=now.date(),
        last_on=today + timedelta(60),
        password=None,
        today=today,
    )

    story = Story(cast, rng, today=today)
    treated = [
        sorted(on for on, act in plot.acts.items() if act.__name__ in ("_walk_in", "_too_long"))
        for plot in story.plots(25)
    ]

    calendar = load_calendar(cast.clinic)
    assert sum(map(len, treated)) > 80
    assert [on for days in treated for on in days if not calendar.is_open(on)] == []
