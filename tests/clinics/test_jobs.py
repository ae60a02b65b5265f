"""Background jobs: each step is done once, whoever dies, and what failed says so."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from audit.models import AuditEvent
from clinics import jobs, tasks
from clinics.jobs import LEASE, JobError, cancel_job, retry_job, start_job, wake_jobs, work_job
from clinics.models import BackgroundJob, JobStatus, Room
from reminders.tasks import tick
from tests.factories import ClinicFactory, StaffMemberFactory, actor_of
from tests.races import race, shared_database

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def furnish(job, now):
    """Add one room in each step: a step done twice would meet the room's name."""
    number = job.done_count
    Room.objects.create(clinic=job.clinic, name=f"Room {number}", position=number)
    trouble = TROUBLE.pop(number, None)
    if trouble is not None:
        raise trouble
    job.done_count += 1
    job.result = {"last": number}
    return job.done_count == job.total_count


TROUBLE = {}


@pytest.fixture(autouse=True)
def furnishing(settings):
    settings.JOB_KINDS = {"furnish": f"{__name__}.furnish"}
    TROUBLE.clear()
    yield
    TROUBLE.clear()


@pytest.fixture
def member():
    return StaffMemberFactory()


def start(member, *, total=3):
    return start_job(clinic=member.clinic, kind="furnish", by=actor_of(member), now=NOW, total_count=total)


def work(job, *, after=timedelta(0), seconds=60.0):
    return work_job(job_id=job.pk, seconds=seconds, clock=lambda: NOW + after)


def state(job):
    job.refresh_from_db()
    rooms = Room.objects.filter(clinic=job.clinic).aggregate(last=Max("position"))["last"]
    return job.status, job.done_count, rooms


def test_job_is_worked_in_steps_and_ends_once(member):
    job = start(member)
    assert state(job) == ("waiting", 0, None)

    slices = [work(job, seconds=0), work(job, seconds=0), work(job), work(job)]

    assert slices == [True, True, False, False]
    assert state(job) == ("done", 3, 2)
    assert (job.result, job.started_at, job.ended_at, job.lease_until) == ({"last": 2}, NOW, NOW, None)
    assert job.started_by == member
    event = AuditEvent.objects.get(subject_code=job.code)
    assert (event.action, event.actor_code, event.new) == ("job.started", member.code, {"kind": "furnish"})


def test_killed_worker_is_followed_by_one_that_goes_on_where_it_stopped(member):
    job = start(member)
    TROUBLE[1] = SystemExit()

    with pytest.raises(SystemExit):
        work(job)
    assert state(job) == ("running", 1, 0)
    early = work(job, after=LEASE - timedelta(seconds=1))
    assert (early, state(job)) == (False, ("running", 1, 0))
    work(job, after=LEASE)

    assert state(job) == ("done", 3, 2)
    assert job.generation == 2


def test_worker_that_lost_its_claim_writes_nothing_more(member):
    job = start(member)
    work(job, seconds=0)
    generation = jobs._claim(job.pk, NOW)

    assert jobs._claim(job.pk, NOW + LEASE) == generation + 1
    is_left = jobs._work_step(job.pk, generation, lambda: NOW + LEASE)

    assert (is_left, state(job)) == (False, ("running", 1, 0))


def test_failure_is_tried_again_by_ticks_and_then_shown(member, caplog):
    job = start(member)

    for attempt in range(jobs.MOST_ATTEMPTS):
        TROUBLE[1] = ZeroDivisionError()
        work(job, after=timedelta(minutes=attempt))

    # The first claim had a step that succeeded, so that three more were tried.
    assert state(job) == ("waiting", 1, 0)
    TROUBLE[1] = ZeroDivisionError()
    work(job, after=timedelta(minutes=5))
    assert state(job) == ("failed", 1, 0)
    assert (job.error_code, job.ended_at) == ("broken", NOW + timedelta(minutes=5))
    assert "failed." in caplog.text

    retry_job(job=job, by=actor_of(member), now=NOW)
    retry_job(job=job, by=actor_of(member), now=NOW)
    work(job)
    assert (state(job), job.error_code) == (("done", 3, 2), "")
    actions = AuditEvent.objects.filter(subject_code=job.code).order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["job.started", "job.retried"]


def test_worker_that_dies_each_time_does_not_die_for_ever(member):
    job = start(member)

    for attempt in range(jobs.MOST_ATTEMPTS):
        TROUBLE[0] = SystemExit()
        with pytest.raises(SystemExit):
            work(job, after=LEASE * attempt)
    work(job, after=LEASE * jobs.MOST_ATTEMPTS)

    assert (state(job), job.error_code) == (("failed", 0, None), "broken")


def test_refusal_of_its_kind_ends_a_job_at_once(member):
    job = start(member)
    TROUBLE[2] = JobError("stale")

    work(job)

    assert (state(job), job.error_code) == (("failed", 2, 1), "stale")
    assert jobs.free_jobs(now=NOW + LEASE) == []


def test_stopped_job_keeps_what_was_done(member):
    job = start(member)
    work(job, seconds=0)

    cancel_job(job=job, by=actor_of(member), now=NOW)
    cancel_job(job=job, by=actor_of(member), now=NOW)
    retry_job(job=job, by=actor_of(member), now=NOW)
    work(job)

    assert state(job) == ("cancelled", 1, 0)
    assert AuditEvent.objects.filter(action="job.cancelled").count() == 1


def test_unknown_kind_is_not_started(member):
    with pytest.raises(KeyError):
        start_job(clinic=member.clinic, kind="juggle", by=actor_of(member), now=NOW)


@pytest.fixture
def woken(monkeypatch):
    found = []
    monkeypatch.setattr(tasks.work, "apply_async", lambda args, **options: found.append(args))
    return found


@pytest.mark.parametrize(("is_remote", "at_once"), [(True, 1), (False, 0)])
def test_page_wakes_a_worker_that_it_can_reach_and_the_tick_finds_the_others(
    is_remote, at_once, member, woken, settings, monkeypatch, django_capture_on_commit_callbacks
):
    settings.IS_QUEUE_REMOTE = is_remote
    with django_capture_on_commit_callbacks(execute=True):
        first, second, gone = start(member), start(member), start(member)
    assert len(woken) == 3 * at_once
    woken.clear()
    cancel_job(job=gone, by=actor_of(member), now=NOW)
    jobs._claim(first.pk, NOW)

    with django_capture_on_commit_callbacks(execute=True):
        wake_jobs(now=NOW)
        wake_jobs(now=NOW + LEASE)
    assert woken == [(second.pk,), (first.pk,), (second.pk,)]

    woken.clear()
    monkeypatch.setattr("reminders.tasks.database_now", lambda: NOW + LEASE)
    with django_capture_on_commit_callbacks(execute=True):
        tick()
    assert woken == [(first.pk,), (second.pk,)]


def test_kind_with_a_queue_of_its_own_waits_there(
    member, settings, monkeypatch, django_capture_on_commit_callbacks
):
    settings.IS_QUEUE_REMOTE = True
    queues = []
    monkeypatch.setattr(tasks.work, "apply_async", lambda args, **options: queues.append(options["queue"]))

    with django_capture_on_commit_callbacks(execute=True):
        job = start(member)
        settings.JOB_QUEUES = {job.kind: "export"}
        wake_jobs(now=NOW)

    assert queues == ["default", "export"]


def test_task_works_a_slice_and_hands_on_the_rest(
    member, woken, monkeypatch, django_capture_on_commit_callbacks
):
    job = start(member, total=2)
    monkeypatch.setattr(tasks, "_SECONDS", 0)

    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(3):
            tasks.work(job.pk)
        tasks.work(0)

    assert (woken, state(job)) == ([(job.pk,)], ("done", 2, 1))


def test_tick_by_hand_works_what_waits(member, capsys):
    job = start(member)

    call_command("tick", "--at", (NOW + timedelta(minutes=1)).isoformat())

    assert "jobs 1" in capsys.readouterr().out
    assert state(job) == ("done", 3, 2)


@pytest.mark.parametrize(
    "values",
    [
        {"status": "asleep"},
        {"status": JobStatus.RUNNING},
        {"lease_until": NOW},
        {"status": JobStatus.DONE},
        {"ended_at": NOW},
        {"status": JobStatus.FAILED, "ended_at": NOW},
        {"error_code": "broken"},
    ],
)
def test_database_refuses_half_a_state(member, values):
    job = start(member)

    with pytest.raises(IntegrityError), transaction.atomic():
        BackgroundJob.objects.filter(pk=job.pk).update(**values)


@pytest.mark.postgres
def test_nobody_starts_a_job_in_another_clinic(member):
    job, elsewhere = start(member), ClinicFactory()

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(IntegrityError), transaction.atomic():
        BackgroundJob.objects.filter(pk=job.pk).update(clinic=elsewhere)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_workers_at_once_do_each_step_once(tmp_path):
    with shared_database(tmp_path):
        member = StaffMemberFactory()
        job = start(member, total=12)

        def work_until_over():
            while BackgroundJob.objects.get(pk=job.pk).status in ("waiting", "running"):
                # Slices of one step, claimed at the same moments.
                work(job, seconds=0)

        outcome = race([work_until_over] * 4)

        assert outcome == {"won": 4}
        assert state(job) == ("done", 12, 11)
        assert Room.objects.filter(clinic=member.clinic).count() == 12
