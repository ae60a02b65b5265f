"""Yesterday's database, brought back in place of today's."""

from __future__ import annotations

import time
from pathlib import Path

from django.conf import settings
from django.db import connection

from audit.services import SYSTEM
from faults.cohort import build_cohort
from faults.crew import run_crew
from faults.ledger import Ledger
from faults.scenario import scenario
from faults.stage import Stage, play
from reminders.models import Reminder
from reminders.services.fence import held_reason
from reminders.services.releasing import Choice, release_outbox


@scenario(
    "F30",
    given="a copy of the database, taken when a third of the messages had gone out; the others went later",
    when="the copy takes the database's place, and schedulers and senders start on it",
    then="nothing goes until a person releases it, and nothing of what went since the copy goes again",
    needs_postgres=True,
)
def bring_back_old_database(stage: Stage, ledger: Ledger) -> Ledger:
    assert stage.postgres is not None, "this scenario has a server of its own"
    cohort = build_cohort(count=stage.size(60, 1500))
    name = str(connection.settings_dict["NAME"])
    copy = f"{name}_copy"
    with play(stage, cohort, delay=0.02, speed=10) as run:
        run.crew.spawn_senders(2)
        run.until_taken(0.33)
        run.crew.end(*run.crew.senders, *run.crew.others)
        copied_at = run.clock()
        connection.close()
        stage.postgres.create(copy, template=name)
        run.crew.spawn("tick")
        run.crew.spawn_senders(2)
        # The fence is as fine as a tick: what is younger than the last one cannot be told from the present.
        time.sleep(1)
        ledger = run.finish(ledger)
        before = len(run.sink.lines())
        connection.close()
        connection.settings_dict["NAME"] = copy
        kept, settings.INSTALLATION_FILE = settings.INSTALLATION_FILE, Path(stage.folder) / "installation"
        try:
            with run_crew(stage.nursery, stage.place(run.sink, run.clock)) as crew:
                crew.spawn("tick")
                crew.spawn_senders(2)
                time.sleep(3)
                while_held = len(run.sink.lines()) - before
                reason = held_reason()
                survey = release_outbox(Choice(since=copied_at), by=SYSTEM, now=run.clock())
                time.sleep(3)
                after = len(run.sink.lines()) - before
            withheld = Reminder.objects.filter(state="suppressed", decision_reason="held").count()
        finally:
            settings.INSTALLATION_FILE = kept
            connection.close()
            connection.settings_dict["NAME"] = name
            stage.postgres.drop(copy)
    ledger.notes.append(f"held as {reason!r}, {withheld} withheld on release, {after} sent again")
    ledger.require(not while_held, f"{while_held} went while it was held")
    ledger.require(not after, f"{after} went again after the release")
    ledger.require(withheld == survey.withheld > 0, "nothing was withheld: nothing was tested")
    ledger.require(not ledger.extra_copies, "an extra copy")
    return ledger
