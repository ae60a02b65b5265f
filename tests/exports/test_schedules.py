"""Files made again and again: in time, once, by mail without a word about anybody, as long as somebody may have them."""

import smtplib
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import pytest

from audit.models import AuditEvent
from clinics.jobs import work_job
from clinics.models import BackgroundJob, JobStatus, Role
from courses.errors import CourseError
from exports import services, tasks
from exports.core.choice import Choice
from exports.models import ExportFile, ExportSchedule, StopReason
from exports.services import SCHEDULES_MOST, run_due_schedules, schedule_export, stop_schedule
from reminders.services.fence import hold
from tests.exports.conftest import CANARY
from tests.exports.test_making import start
from tests.exports.test_making import work as finish
from tests.factories import StaffMemberFactory, actor_of
from tests.races import race
from tests.staff.conftest import NOW

# Seven in the morning of the next day in Riga.
DUE = datetime(2026, 3, 10, 5, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def analyst(world):
    member = StaffMemberFactory(clinic=world.clinic, role=Role.ANALYST, display_name="Ilze")
    member.user.email = "ilze@example.org"
    member.user.save(update_fields=["email"])
    return member


@pytest.fixture
def schedule(world, analyst):
    return add(world, analyst)


def add(world, member, table="sessions", frequency="daily", **fields):
    return schedule_export(
        member=member,
        choice=Choice(table, **fields),
        frequency=frequency,
        at_time=time(7),
        weekday=1,
        by=actor_of(world.owner),
        now=NOW,
    )


def work(now=DUE):
    export = ExportFile.objects.first()
    while work_job(job_id=export.job_id, seconds=30, clock=lambda: now):
        pass
    export.refresh_from_db()
    return export, BackgroundJob.objects.get(pk=export.job_id)


def test_run_comes_at_its_time_and_moves_on(schedule):
    assert schedule.next_run_at == DUE
    assert run_due_schedules(now=DUE - timedelta(seconds=1)) == 0

    assert run_due_schedules(now=DUE) == 1

    schedule.refresh_from_db()
    assert (schedule.next_run_at, schedule.last_run_at) == (DUE + DAY, DUE)
    assert schedule.covered_to_on == date(2026, 3, 9)
    export = ExportFile.objects.get()
    assert (export.choice["from_on"], export.choice["to_on"]) == ("2026-03-09", "2026-03-09")
    assert export.made_for == schedule.member
    assert run_due_schedules(now=DUE) == 0


def test_missed_runs_are_made_up_for_by_one(schedule):
    run_due_schedules(now=DUE)

    assert run_due_schedules(now=DUE + 10 * DAY) == 1

    schedule.refresh_from_db()
    assert schedule.next_run_at == DUE + 11 * DAY
    assert ExportFile.objects.count() == 2
    latest = ExportFile.objects.first()
    assert (latest.choice["from_on"], latest.choice["to_on"]) == ("2026-03-10", "2026-03-19")


def test_table_without_days_is_taken_whole(world, analyst):
    add(world, analyst, "protocols")

    run_due_schedules(now=DUE)

    assert ExportFile.objects.get().choice["from_on"] is None


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_clocks_one_starts_the_file(world, schedule):
    assert race([partial(run_due_schedules, now=DUE)] * 4) == {"won": 4}

    assert ExportFile.objects.count() == 1


def test_claim_that_somebody_else_took_starts_nothing(schedule):
    stale = ExportSchedule.objects.select_related("clinic", "member__user").get()
    run_due_schedules(now=DUE)

    assert services._run(stale, now=DUE) is False
    assert ExportFile.objects.count() == 1


def test_file_is_mailed_as_a_link_that_names_nobody(schedule, mailoutbox, settings):
    run_due_schedules(now=DUE)

    export, job = work()

    assert (job.status, export.told_at) == (JobStatus.DONE, DUE)
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["ilze@example.org"], "Your file is ready")
    assert mail.attachments == []
    assert f"{settings.BASE_URL}/exports/" in mail.body
    whole = mail.message().as_string().lower()
    for told in (CANARY.lower(), "session", "anna", export.name, str(export.code)[:8] + "/"):
        assert told not in whole.replace(f"export-{export.code}", "")


def test_mail_speaks_the_recipients_language(schedule, mailoutbox):
    type(schedule.member.user).objects.filter(pk=schedule.member.user_id).update(language="ru")

    run_due_schedules(now=DUE)
    work()

    assert mailoutbox[0].subject == "Ваш файл готов"


def test_file_asked_for_on_the_page_is_not_mailed(world, mailoutbox):
    finish(start(world))

    assert mailoutbox == []


def test_mail_that_fails_is_tried_again_and_does_not_undo_the_file(schedule, monkeypatch, mailoutbox):
    def refuse(self, messages):
        raise smtplib.SMTPServerDisconnected("gone")

    run_due_schedules(now=DUE)
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        export, job = work()

    assert (job.status, export.ready_at, export.told_at) == (JobStatus.WAITING, DUE, None)
    export, job = work()
    assert (job.status, len(mailoutbox)) == (JobStatus.DONE, 1)


def test_mail_that_never_goes_is_said(schedule, monkeypatch):
    def refuse(self, messages):
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    run_due_schedules(now=DUE)
    for _ in range(4):
        export, job = work()

    assert (job.status, job.error_code, export.ready_at) == (JobStatus.FAILED, "not_mailed", DUE)


def test_nothing_is_mailed_from_a_restored_database(schedule, mailoutbox):
    hold(reason="restored", now=NOW)
    run_due_schedules(now=DUE)

    _, job = work()

    assert (job.status, job.error_code, mailoutbox) == (JobStatus.FAILED, "held", [])


@pytest.mark.parametrize("loss", [{"role": Role.RECEPTIONIST}, {"is_active": False}], ids=["role", "access"])
def test_it_ends_when_its_recipient_loses_the_right(schedule, loss):
    type(schedule.member).objects.filter(pk=schedule.member_id).update(**loss)

    assert run_due_schedules(now=DUE) == 0

    schedule.refresh_from_db()
    assert (schedule.stopped_at, schedule.stop_reason) == (DUE, StopReason.RIGHT_LOST)
    assert ExportFile.objects.count() == 0
    event = AuditEvent.objects.get(action="export.unscheduled")
    assert event.new["reason"] == "right_lost"
    assert run_due_schedules(now=DUE + DAY) == 0


def test_it_ends_with_its_recipients_login(schedule):
    type(schedule.member.user).objects.filter(pk=schedule.member.user_id).update(is_active=False)

    assert run_due_schedules(now=DUE) == 0


def test_one_that_raises_keeps_none_of_the_others(world, analyst, schedule, caplog):
    broken = add(world, analyst)
    ExportSchedule.objects.filter(pk=broken.pk).update(choice={})
    ExportSchedule.objects.filter(pk=broken.pk).update(next_run_at=DUE - DAY)

    assert run_due_schedules(now=DUE) == 1

    assert f"Export schedule {broken.code} could not be run." in caplog.text


def test_whoever_may_not_export_gets_none(world):
    receptionist = StaffMemberFactory(clinic=world.clinic, role=Role.RECEPTIONIST)

    with pytest.raises(CourseError) as refused:
        add(world, receptionist)
    assert set(refused.value.fields) == {"member"}


def test_analyst_gets_no_table_of_owners(world, analyst):
    with pytest.raises(CourseError):
        add(world, analyst, "audit")


def test_clinic_has_so_many_at_most(world, analyst):
    for _ in range(SCHEDULES_MOST):
        add(world, analyst)

    with pytest.raises(CourseError):
        add(world, analyst)


def test_stopping_is_done_once_and_on_record(world, schedule):
    def stop():
        return stop_schedule(schedule=schedule, reason=StopReason.REMOVED, by=actor_of(world.owner), now=NOW)

    assert [stop(), stop()] == [True, False]
    assert run_due_schedules(now=DUE) == 0
    assert AuditEvent.objects.get(action="export.unscheduled").new["member"] == str(schedule.member.code)


def test_tasks_do_both_and_harm_nothing_twice(schedule, export_folder, monkeypatch):
    monkeypatch.setattr("exports.tasks.database_now", lambda: DUE)

    for _ in range(2):
        tasks.run_due()
        tasks.tidy()

    assert ExportFile.objects.count() == 1
