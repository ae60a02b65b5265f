"""Owners learn on every page that no messages go out, others are not bothered."""

from datetime import timedelta

import pytest

from clinics.models import Role
from reminders.models import Installation, JobState
from reminders.services.fence import BY_HAND, hold
from tests.factories import StaffMemberFactory
from tests.staff.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def database_time(monkeypatch):
    monkeypatch.setattr("staff.context.database_now", lambda: NOW)
    monkeypatch.setattr("staff.context.uptime", lambda: timedelta(hours=1))


@pytest.fixture
def owner(clinic, log_in):
    return log_in(StaffMemberFactory(clinic=clinic, role=Role.OWNER))


@pytest.fixture
def ticked(settings):
    settings.IS_QUEUE_REMOTE = True

    def tick(ago, **counts):
        JobState.objects.create(
            job="tick", last_started_at=NOW - ago, last_succeeded_at=NOW - ago, last_counts=counts
        )

    return tick


def words(browser):
    return browser.get("/messages/").content.decode()


@pytest.mark.parametrize(("minutes", "is_said"), [(0, False), (3, False), (4, True)])
def test_owner_sees_that_the_clock_has_stopped(owner, ticked, minutes, is_said):
    ticked(timedelta(minutes=minutes))

    assert ("clock has stopped" in words(owner)) is is_said


@pytest.mark.parametrize(("seconds", "is_said"), [(0, False), (180, False), (181, True)])
def test_first_tick_after_a_start_has_its_time(owner, ticked, monkeypatch, seconds, is_said):
    ticked(timedelta(days=3))
    monkeypatch.setattr("staff.context.uptime", lambda: timedelta(seconds=seconds))

    assert ("clock has stopped" in words(owner)) is is_said


def test_owner_sees_that_the_outbox_is_held(owner, ticked):
    ticked(timedelta(0))
    assert "was restored or copied" not in words(owner)

    hold(reason=BY_HAND, now=NOW)

    assert "was restored or copied" in words(owner)


def test_owner_sees_that_the_clock_jumps(owner, ticked):
    ticked(timedelta(0))
    JobState.objects.create(job="clock", last_started_at=NOW, last_counts={"doubted": 1})

    assert "clock has jumped" in words(owner)


@pytest.mark.parametrize(("minutes", "is_said"), [(5, False), (6, True)])
def test_new_installation_gets_a_while_for_its_first_tick(owner, minutes, is_said):
    Installation.objects.update(seen_at=NOW - timedelta(minutes=minutes))

    assert ("clock has stopped" in words(owner)) is is_said


@pytest.mark.parametrize("role", [role for role in Role if role != Role.OWNER])
def test_others_are_not_bothered(clinic, log_in, role):
    hold(reason=BY_HAND, now=NOW)

    assert "was restored or copied" not in words(log_in(StaffMemberFactory(clinic=clinic, role=role)))


def test_it_is_said_in_russian(clinic, log_in):
    member = StaffMemberFactory(clinic=clinic, role=Role.OWNER)
    member.user.language = "ru"
    member.user.save()
    hold(reason=BY_HAND, now=NOW)

    assert "Сообщения не отправляются" in words(log_in(member))
