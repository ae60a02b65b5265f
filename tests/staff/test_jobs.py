"""Background jobs in words."""

from datetime import UTC, datetime

import pytest

from clinics.jobs import JobError, start_job, work_job
from staff.presenters.jobs import job_line
from tests.factories import StaffMemberFactory, actor_of

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def refuse(job, now):
    raise JobError(job.parameters["word"])


@pytest.mark.parametrize("word", ["broken", "a word of an older version"])
def test_failure_is_said_in_words(word, settings):
    settings.JOB_KINDS = {"refuse": f"{__name__}.refuse"}
    member = StaffMemberFactory()
    job = start_job(
        clinic=member.clinic,
        kind="refuse",
        by=actor_of(member),
        now=NOW,
        parameters={"word": word},
        total_count=3,
    )
    line = job_line(job)
    assert (line.badge.label, line.progress, line.error) == ("Waiting", "0 of 3", "")
    assert (line.is_live, line.can_go_on) == (True, False)

    work_job(job_id=job.pk, seconds=1, clock=lambda: NOW)
    job.refresh_from_db()

    line = job_line(job)
    assert (line.badge.label, line.badge.tone) == ("Failed", "serious")
    assert line.error == "Something went wrong that should not. What was done until then stays done."
    assert (line.is_live, line.can_go_on) == (False, True)
