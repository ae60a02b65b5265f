"""The rule that asks how a visit was, for clinics that run already: switched off, so that it is theirs to begin."""

from datetime import UTC, datetime

from django.db import migrations

VALUES = {
    "channels": ["email", "sms"],
    "wait_minutes": 240,
    "useful_minutes": 2880,
    "is_first_only": True,
    "is_active": False,
}
REST = {
    "lead_days": None,
    "lead_minutes": None,
    "at_time": None,
    "repeat_days": 0,
    "cap_count": 1,
    "skips_confirmed": False,
    "texts": {},
}


def give_rule(apps, schema_editor):
    rules = apps.get_model("reminders", "ReminderRule")
    versions = apps.get_model("reminders", "RuleVersion")
    now = datetime.now(UTC)
    have = set(rules.objects.filter(slug="how-was-it").values_list("clinic_id", flat=True))
    for clinic_id in sorted(set(rules.objects.values_list("clinic_id", flat=True)) - have):
        rule = rules.objects.create(
            clinic_id=clinic_id, slug="how-was-it", trigger="after_session", created_at=now, **VALUES
        )
        versions.objects.create(
            clinic_id=clinic_id, rule=rule, number=1, values={**VALUES, **REST}, changed_at=now
        )


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0007_ask_how_a_visit_was"),
    ]

    operations = [
        # Back again it stays: a rule that nothing knows sends nothing.
        migrations.RunPython(give_rule, migrations.RunPython.noop),
    ]
