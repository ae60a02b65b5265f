"""Sessions that are cancelled, moved or opted out of while their messages go; planning that is set off many times."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from django.db import connections

from faults.changes import KINDS
from faults.cohort import PEAK, build_cohort
from faults.ledger import Ledger
from faults.scenario import scenario
from faults.stage import Play, Stage, play, wait_until
from reminders.models import Reminder
from reminders.services import sync_course_reminders

# Between the last look at a row and the first word to the mail server lies a moment of the sender's own.
_IN_FLIGHT_SECONDS = 2.0


@scenario(
    "F22",
    given="messages going out",
    when="their sessions are cancelled or moved, or their clients opt out, at the same time",
    then="a message is either on the wire before the change or never goes",
    seeds=2,
)
def change_while_sending(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=stage.size(80, 1000))
    changed = stage.rng.sample(sorted(cohort.planned), len(cohort.planned) // 2)
    cohort.expect(changed, "sent", "cancelled", "suppressed")
    changes = [(cohort.planned[code].session, stage.rng.choice(KINDS)) for code in changed]
    log = stage.folder / "changes"
    log.touch()
    with play(stage, cohort, delay=0.05) as run:
        run.crew.spawn("change", changes=changes, log=str(log), seed=stage.seed)
        run.crew.spawn_senders(stage.size(2, 4))
        wait_until(lambda: len(log.read_text().splitlines()) >= len(changes), 120)
        ledger = run.finish(ledger)
        late = _sent_after(run, log)
    kinds = Counter(line.split("\t")[1] for line in log.read_text().splitlines() if "\tdone\t" in line)
    ledger.notes.append(", ".join(f"{number} x {kind}" for kind, number in sorted(kinds.items())))
    ledger.wrongly_sent += len(late)
    ledger.require(not late, f"{len(late)} began to go out after their change was done")
    ledger.require(sum(kinds.values()) > len(changes) // 2, "most changes were not made")
    ledger.require(ledger.cancelled > 0, "no change came before its message: nothing was tested")
    ledger.require(not ledger.extra_copies, "an extra copy")
    return ledger


def _sent_after(run: Play, log: Path) -> list[str]:
    """Return the messages that began to go out clearly after their change had been committed."""
    done_at = {}
    for text in log.read_text().splitlines():
        session, _, word, at = text.split("\t")
        if word == "done":
            done_at[session] = float(at)
    sessions = {code: one.session for code, one in run.cohort.planned.items()}
    return [
        line.code
        for line in run.sink.lines()
        if line.is_taken
        and line.began > done_at.get(sessions.get(line.code, ""), float("inf")) + _IN_FLIGHT_SECONDS
    ]


@scenario(
    "F23",
    given="courses whose messages have not been written yet",
    when="the same planning is set off fifty times at once",
    then="each message exists once",
)
def plan_many_times(stage: Stage, ledger: Ledger) -> Ledger:
    cohort = build_cohort(count=stage.size(4, 20), clinics=2)
    rows = list(
        Reminder.objects.filter(code__in=cohort.planned).values_list(
            "course", "code", "client__contact_points__value"
        )
    )
    Reminder.objects.filter(code__in=cohort.planned).delete()
    errors = _plan_at_once([course for course, _, _ in rows], times=stage.size(10, 50))
    found = Counter(
        Reminder.objects.filter(course__in=[c for c, _, _ in rows]).values_list("course", flat=True)
    )
    ledger.require(not errors, f"planning failed: {errors[:3]}")
    ledger.require(set(found.values()) == {1} and len(found) == len(rows), f"rows by course: {dict(found)}")
    _adopt_codes(rows)
    with play(stage, cohort) as run:
        run.crew.spawn_senders(2)
        ledger = run.finish(ledger)
    ledger.require(not ledger.extra_copies, "an extra copy")
    return ledger


def _plan_at_once(courses: list[int], *, times: int) -> list[str]:
    """Sync every course from so many threads that start together; return what they raised."""
    start, errors = threading.Barrier(times), []

    def plan() -> None:
        try:
            start.wait(30)
            for course in courses:
                sync_course_reminders(course_id=course, now=PEAK - timedelta(hours=1))
        except Exception as error:
            errors.append(repr(error))
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=plan) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return errors


def _adopt_codes(rows: Sequence[tuple[int, object, str]]) -> None:
    """Give the rows that planning has made the codes under which they were planned here."""
    for course, code, _ in rows:
        first = Reminder.objects.filter(course=course).order_by("pk").values("pk")[:1]
        Reminder.objects.filter(pk__in=first).update(code=code)
