"""Files made in the background: whole or not there, once each, for a day, for whom they may be."""

import errno
import json
import os
import stat
from datetime import time, timedelta

import pytest

from audit.models import AuditEvent
from clinics.jobs import BROKEN, cancel_job, retry_job, work_job
from clinics.models import BackgroundJob, JobStatus, Role
from courses.errors import CourseError
from courses.models import Course, TreatmentSession
from exports import making, services
from exports.core.choice import Choice
from exports.models import ExportFile, PseudonymKey
from exports.services import (
    AT_ONCE_BUNDLES,
    AT_ONCE_ROWS,
    MAKING_MOST,
    check_size,
    find_file,
    open_reading,
    saved_name,
    schedule_export,
    start_export,
    tidy_exports,
)
from tests.factories import ClientFactory, ClinicFactory, StaffMemberFactory, actor_of, prescribe
from tests.reports.fhir_checks import check_bundle
from tests.staff.conftest import NOW, TODAY

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    """Let a step take two rows, so that a file of three takes several."""
    monkeypatch.setattr(making, "_READY_ROWS", 2)
    monkeypatch.setattr(making, "_LOOKED_UP_ROWS", 2)


def start(world, table="sessions", file_format="csv", **fields):
    choice = Choice(table, file_format, **fields)
    return start_export(member=world.owner, choice=choice, count=3, by=actor_of(world.owner), now=NOW)


def work(export, *, seconds=30, now=NOW):
    while work_job(job_id=export.job_id, seconds=seconds, clock=lambda: now):
        pass
    export.refresh_from_db()
    return BackgroundJob.objects.get(pk=export.job_id)


def steps(export, count):
    """Do so many steps, each by a worker of its own."""
    for _ in range(count):
        work_job(job_id=export.job_id, seconds=0, clock=lambda: NOW)


def prescribe_more(world):
    client = ClientFactory(clinic=world.clinic)
    prescribe(
        now=NOW, member=world.owner, client=client, protocol=world.course.protocol, practitioner=world.owner
    )


def content(export):
    return making.file_path(export).read_bytes()


def test_file_grows_in_steps_and_appears_whole(world, export_folder):
    export = start(world)

    steps(export, 2)

    job = BackgroundJob.objects.get(pk=export.job_id)
    assert (job.status, job.done_count, job.total_count) == (JobStatus.WAITING, 2, 3)
    assert [path.name for path in export_folder.iterdir()] == [f"{export.name}.part"]
    assert find_file(export=export, member=world.owner, by=actor_of(world.owner), now=NOW) is None

    job = work(export)

    assert (job.status, job.done_count) == (JobStatus.DONE, 3)
    assert [path.name for path in export_folder.iterdir()] == [export.name]
    assert (export.row_count, export.byte_count) == (3, len(content(export)))
    assert (export.ready_at, export.expires_at) == (NOW, NOW + DAY)


@pytest.mark.parametrize("file_format", ["csv", "semicolon", "jsonl"])
def test_file_in_steps_is_the_one_sent_at_once(world, file_format):
    choice = Choice("sessions", file_format)
    reading = open_reading(clinic=world.clinic, choice=choice, today=TODAY, now=NOW)
    at_once = b"".join(services.read_at_once(reading, choice, now=NOW, by=actor_of(world.owner), count=3))

    export = start(world, file_format=file_format)
    work(export)

    assert content(export) == at_once


def test_workbook_is_made_too(world):
    export = start(world, "courses", "xlsx")

    job = work(export)

    assert (job.status, job.done_count, job.total_count) == (JobStatus.DONE, 1, 1)
    assert content(export).startswith(b"PK")


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "jsonl"])
def test_empty_table_makes_a_file_without_rows(world, file_format):
    export = start(world, "closures", file_format, from_on=TODAY + 400 * DAY)

    job = work(export)

    assert (job.status, export.row_count) == (JobStatus.DONE, 0)


def test_courses_are_made_as_valid_bundles_in_steps(world, monkeypatch):
    monkeypatch.setattr(making, "_BUNDLES", 1)
    prescribe_more(world)
    export = start(world, "courses", "fhir", columns=("state",))

    job = work(export)

    bundles = [check_bundle(json.loads(line)) for line in content(export).splitlines()]
    codes = [str(course.code) for course in Course.objects.for_clinic(world.clinic).order_by("pk")]
    assert (job.status, job.done_count, job.total_count) == (JobStatus.DONE, 2, 2)
    assert [bundle["identifier"]["value"] for bundle in bundles] == [f"urn:uuid:{code}" for code in codes]
    assert saved_name(Choice("courses", "fhir"), TODAY) == "courses-2026-03-09.ndjson"
    assert AuditEvent.objects.get(action="courses.exported").new["format"] == "fhir"


def test_bundles_are_never_anonymised(world):
    choice = Choice("courses", "fhir", is_anonymous=True)

    with pytest.raises(CourseError) as at_once:
        open_reading(clinic=world.clinic, choice=choice, today=TODAY, now=NOW)
    with pytest.raises(CourseError) as regular:
        schedule_export(
            member=world.owner,
            choice=choice,
            frequency="daily",
            at_time=time(7),
            weekday=1,
            by=actor_of(world.owner),
            now=NOW,
        )

    said = {"variant": "FHIR is about people by name. Choose it with names, or another format."}
    assert at_once.value.fields == regular.value.fields == said


def test_many_bundles_are_not_searched_for_a_name():
    choice = Choice("courses", "fhir", search="Anna")
    check_size(choice, AT_ONCE_BUNDLES)

    with pytest.raises(CourseError) as refused:
        check_size(choice, AT_ONCE_BUNDLES + 1)
    assert list(refused.value.fields) == ["q"]


def test_step_that_was_broken_off_is_done_again_once(world):
    export = start(world)
    steps(export, 2)
    with making._part(export).open("ab") as file:
        file.write(b"half a line of a worker that was killed")

    work(export)

    assert b"half a line" not in content(export)
    assert content(export).count(b"\r\n") == 4


def test_file_that_vanished_is_begun_anew(world):
    export = start(world)
    steps(export, 2)
    making._part(export).unlink()

    job = work(export)

    assert (job.status, job.done_count) == (JobStatus.DONE, 3)
    assert content(export).count(b"\r\n") == 4


def test_session_that_moves_meanwhile_is_in_it_once(world):
    export = start(world, file_format="jsonl")
    steps(export, 2)
    first = TreatmentSession.objects.for_clinic(world.clinic).order_by("pk").first()
    TreatmentSession.objects.filter(pk=first.pk).update(on=TODAY + 300 * DAY)

    work(export)

    codes = [json.loads(line)["session"] for line in content(export).splitlines()]
    assert len(codes) == len(set(codes)) == 3


def test_file_is_for_this_program_alone(world, export_folder):
    export = start(world)

    work(export)

    assert stat.S_IMODE(os.stat(making.file_path(export)).st_mode) == 0o600
    assert stat.S_IMODE(export_folder.stat().st_mode) == 0o700
    assert len(export.name) == 36


def test_full_disk_is_said_and_leaves_nothing(world, export_folder, monkeypatch):
    export = start(world)
    steps(export, 1)

    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")
        yield

    monkeypatch.setattr(making, "line_blocks", fail)
    job = work(export)

    assert (job.status, job.error_code) == (JobStatus.FAILED, "disk_full")
    assert list(export_folder.iterdir()) == []
    monkeypatch.undo()
    retry_job(job=job, by=actor_of(world.owner), now=NOW)
    assert work(export).status == JobStatus.DONE


def test_other_errors_of_the_disk_are_tried_again(world, monkeypatch):
    def fail(*arguments):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(making, "_begin", fail)
    export = start(world)
    for _ in range(3):
        job = work(export)

    assert (job.status, job.error_code) == (JobStatus.FAILED, BROKEN)


def test_who_lost_the_right_meanwhile_gets_no_file(world):
    export = start(world)
    type(world.owner).objects.filter(pk=world.owner.pk).update(role=Role.RECEPTIONIST)

    job = work(export)

    assert (job.status, job.error_code, export.ready_at) == (JobStatus.FAILED, "right_lost", None)


def test_key_that_cannot_be_read_is_said(world, settings):
    PseudonymKey.objects.create(clinic=world.clinic, sealed="nonsense", created_at=NOW)
    export = start(world, is_anonymous=True)

    job = work(export)

    assert (job.status, job.error_code) == (JobStatus.FAILED, "sealed")
    with pytest.raises(CourseError) as refused:
        open_reading(clinic=world.clinic, choice=Choice("clients", is_anonymous=True), today=TODAY, now=NOW)
    assert set(refused.value.fields) == {"variant"}


def test_start_and_fetching_are_on_record_without_anybodys_name(world):
    export = start(world, filters={"status": "booked"}, search="")
    work(export)

    with find_file(export=export, member=world.owner, by=actor_of(world.owner), now=NOW) as file:
        assert file.read() == content(export)

    started = AuditEvent.objects.get(action="sessions.exported")
    fetched = AuditEvent.objects.get(action="export.fetched")
    assert started.new == {
        "format": "csv",
        "count": 3,
        "anonymous": False,
        "from_on": None,
        "to_on": None,
        "status": "booked",
        "is_searched": False,
    }
    assert (fetched.subject_code, fetched.new) == (
        export.code,
        {"table": "sessions", "count": 1, "anonymous": False},
    )


def test_file_can_be_fetched_for_a_day_by_who_may(world):
    export = start(world, "people")
    work(export)
    analyst = StaffMemberFactory(clinic=world.clinic, role=Role.ANALYST)
    stranger = StaffMemberFactory(clinic=ClinicFactory(), role=Role.OWNER)

    def fetch(member, at):
        file = find_file(export=export, member=member, by=actor_of(member), now=at)
        return file is not None and (file.close() or True)

    assert fetch(world.owner, NOW + DAY - timedelta(seconds=1))
    assert not fetch(world.owner, NOW + DAY)
    assert not fetch(analyst, NOW)
    assert not fetch(stranger, NOW)


def test_file_whose_day_is_over_goes_and_its_row_a_week_later(world, export_folder):
    export, waiting = start(world), start(world)
    work(export)
    steps(waiting, 1)
    (export_folder / "nobodys.csv").touch()

    assert tidy_exports(now=NOW + DAY - timedelta(seconds=1)) == 1
    assert making.file_path(export).exists()
    assert tidy_exports(now=NOW + DAY) == 1
    assert [path.name for path in export_folder.iterdir()] == [f"{waiting.name}.part"]
    cancel_job(job=waiting.job, by=actor_of(world.owner), now=NOW)
    assert tidy_exports(now=NOW + 7 * DAY + timedelta(seconds=1)) == 1
    assert ExportFile.objects.count() == 0
    assert tidy_exports(now=NOW + 7 * DAY + timedelta(seconds=1)) == 0


def test_clinic_cannot_have_all_workers_busy(world):
    for _ in range(MAKING_MOST):
        start(world)

    with pytest.raises(CourseError, match=r"^5 files are being made already\. Wait for one of them\.$"):
        start(world)


def test_too_large_a_workbook_is_refused_by_its_field():
    check_size(Choice("sessions", "xlsx"), 50_000)
    check_size(Choice("sessions", "csv"), 5_000_000)

    with pytest.raises(CourseError) as refused:
        check_size(Choice("sessions", "xlsx"), 50_001)
    assert set(refused.value.fields) == {"file_format"}


def test_name_is_searched_only_in_what_is_sent_at_once():
    check_size(Choice("clients", search="Anna"), AT_ONCE_ROWS)

    with pytest.raises(CourseError) as refused:
        check_size(Choice("clients", search="Anna"), AT_ONCE_ROWS + 1)
    assert set(refused.value.fields) == {"q"}
