"""The Celery application and its whole beat table."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("regimen")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    # Everything that time alone causes is a row; one tick a minute finds what has come due. An older
    # tick is worth nothing once the next one is there, so it expires before that.
    "tick": {"task": "reminders.tick", "schedule": crontab(), "options": {"expires": 55}},
    # Apart from that tick, so that neither can hold up the other.
    "call-hooks": {"task": "hooks.tick", "schedule": crontab(), "options": {"expires": 55}},
    # What has expired and would only grow; once an hour is often enough, and an hour missed does no harm.
    "housekeeping": {
        "task": "clinics.housekeep",
        "schedule": crontab(minute="17"),
        "options": {"expires": 3000},
    },
    # Reports count marked days from their sessions, so that a late one only costs time.
    "tally-days": {"task": "reports.tally_days", "schedule": crontab(), "options": {"expires": 55}},
    "tidy-imports": {
        "task": "imports.tidy",
        "schedule": crontab(minute="27"),
        "options": {"expires": 3000},
    },
    "tidy-hooks": {"task": "hooks.tidy", "schedule": crontab(minute="37"), "options": {"expires": 3000}},
    # Files that are made regularly have their time in a row; one that was missed is found a minute later.
    "export-schedules": {"task": "exports.run_due", "schedule": crontab(), "options": {"expires": 55}},
    # Files of exports live a day; for up to a quarter of an hour more they cannot be fetched, but lie there.
    "tidy-exports": {
        "task": "exports.tidy",
        "schedule": crontab(minute="*/15"),
        "options": {"expires": 600},
    },
}
