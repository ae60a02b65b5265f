"""The tick by hand: who has cron and no beat misses nothing of the clock's table."""

from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command

from config.celery import app
from courses.services import pause_course
from exports import making
from exports.models import ExportFile
from hooks.core import EVENTS
from hooks.models import HookDelivery
from hooks.services.endpoints import add_endpoint
from operators.management.commands import tick
from tests.exports.conftest import export_folder, owner, world  # noqa: F401  # fixtures
from tests.exports.test_making import start, work
from tests.exports.test_schedules import DUE, add
from tests.factories import actor_of
from tests.staff.conftest import NOW

DAY = timedelta(days=1)


@pytest.fixture
def now(monkeypatch):
    """The database's clock, which stands on Monday until the test moves it."""

    def move(to):
        monkeypatch.setattr(tick, "database_now", lambda: to)
        for place in ("clinics.jobs", "hooks.services.sending", "reminders.services.delivering"):
            monkeypatch.setattr(f"{place}.database_clock", lambda: lambda: to)

    move(NOW)
    return move


def said(capsys):
    """Return what the tick counted, by name."""
    (line,) = capsys.readouterr().out.splitlines()
    return {name: int(number) for name, number in (part.split() for part in line.split(", "))}


def test_clock_has_no_work_that_the_tick_by_hand_leaves_out():
    # The order of tick._others(); whoever adds to one adds to the other.
    done = {
        "reminders.tick",
        "exports.run_due",
        "hooks.tick",
        "reports.tally_days",
        "clinics.housekeep",
        "exports.tidy",
        "imports.tidy",
        "hooks.tidy",
    }

    assert {entry["task"] for entry in app.conf.beat_schedule.values()} == done


def test_regular_file_is_made_and_its_link_mailed(world, mailoutbox, capsys):  # noqa: F811
    add(world, world.owner)

    call_command("tick", "--at", DUE.isoformat())

    export = ExportFile.objects.get()
    counts = said(capsys)
    assert (counts["regular_files"], counts["jobs"]) == (1, 1)
    assert (export.ready_at, export.told_at) == (DUE, DUE)
    assert [mail.to for mail in mailoutbox if "/exports/" in mail.body] == [[world.owner.user.email]]


def test_web_hooks_are_called(world, now, settings, capsys):  # noqa: F811
    settings.EGRESS_ALLOWED_HOSTS = ["127.0.0.1"]
    by = actor_of(world.owner)
    # Nobody listens there: the first call tells so, and the others wait.
    add_endpoint(
        clinic=world.clinic,
        name="Accounting",
        url="http://127.0.0.1:9/",
        events=EVENTS,
        by=by,
        now=NOW,
    )
    world.course.refresh_from_db()
    pause_course(
        course=world.course,
        from_on=date(2026, 3, 20),
        to_on=date(2026, 3, 22),
        reason="travel",
        by=by,
        now=NOW,
    )

    call_command("tick")

    assert said(capsys)["calls"] == 1
    assert max(HookDelivery.objects.values_list("attempt_count", flat=True)) == 1


def test_expired_files_go_by_the_real_time_only(world, now, capsys):  # noqa: F811
    export = start(world)
    work(export)

    call_command("tick", "--at", (NOW + 2 * DAY).isoformat())
    assert making.file_path(export).exists()
    capsys.readouterr()

    now(NOW + 3 * DAY)
    call_command("tick")
    assert said(capsys)["files_removed"] == 1
    assert not making.file_path(export).exists()


def test_what_fails_is_named_and_holds_up_nothing_else(world, now, monkeypatch, caplog, capsys):  # noqa: F811
    export = start(world)

    def fail(**arguments):
        raise RuntimeError

    monkeypatch.setattr(tick, "run_due_schedules", fail)
    with pytest.raises(CommandError, match=r"^Could not be done, see the log: regular_files\.$"):
        call_command("tick")

    export.refresh_from_db()
    assert (said(capsys)["jobs"], export.ready_at) == (1, NOW)
    assert "The tick's regular_files could not be done." in caplog.text
