"""The drill, in a process and a database of its own: back up, send, restore, start again (F30). Prints JSON.

Run with DATABASE_URL or VAR_DIR naming an empty database, and the backup's file as argument.
"""

import json
import sys
from pathlib import Path

import django

django.setup()

from django.core.management import CommandError, call_command  # noqa: E402  # after the set-up
from django.db import connection  # noqa: E402

from audit.services import SYSTEM  # noqa: E402
from courses.models import Course  # noqa: E402
from reminders.models import Reminder  # noqa: E402
from reminders.services.fence import held_reason, note_alive  # noqa: E402
from reminders.services.releasing import Choice, release_outbox  # noqa: E402
from tests.reminders.builders import NOW, Memory, at, make_desk, send_at  # noqa: E402

DUE = at("2026-03-03 15:00")


def send(when):
    channel = Memory()
    send_at(when, channel)
    return len(channel.messages)


def attempt(*command):
    try:
        call_command(*command)
    except CommandError as error:
        return str(error)
    return ""


def main(file):
    found = {}
    call_command("migrate", verbosity=0, interactive=False)
    note_alive(now=NOW)
    for _ in range(3):
        make_desk()
    found["sent_before"] = send("2026-03-02 08:03")
    call_command("backup", file, stdout=sys.stderr)
    found["second_backup"] = attempt("backup", file)
    found["mode"] = oct(Path(file).stat().st_mode & 0o777)

    found["sent_after"] = send(DUE)
    make_desk()
    note_alive(now=DUE)
    found["unforced"] = attempt("restore", file)
    damaged = Path(f"{file}.damaged")
    damaged.write_bytes(Path(file).read_bytes()[:-1] + b"x")
    Path(f"{damaged}.json").write_bytes(Path(f"{file}.json").read_bytes())
    found["damaged"] = attempt("restore", str(damaged), "--force")
    with connection.cursor() as cursor:
        # What came with a later version must not stand in the way, nor stay.
        cursor.execute("CREATE TABLE later (course_id bigint REFERENCES courses_course (id))")
    found["courses_before"] = Course.objects.count()
    call_command("restore", file, "--force", stdout=sys.stderr)

    found["courses_after"] = Course.objects.count()
    found["later_is_gone"] = "later" not in connection.introspection.table_names()
    found["held"] = held_reason()
    found["sent_while_held"] = send(DUE)
    survey = release_outbox(Choice(since=NOW), by=SYSTEM, now=at("2026-03-03 15:30"))
    found["withheld"] = survey.withheld
    found["resent"] = send("2026-03-03 15:30")
    found["states"] = sorted(
        Reminder.objects.filter(rule__slug="day-before").values_list("state", "decision_reason")
    )
    found["sent_later"] = send("2026-03-04 13:00")
    print(json.dumps(found))


main(sys.argv[1])
