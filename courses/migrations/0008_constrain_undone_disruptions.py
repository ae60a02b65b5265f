"""What is known of a disruption that is being taken back, or was."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0007_let_disruptions_be_undone"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="disruption", name="disruption_status_known"),
        migrations.RemoveConstraint(model_name="disruption", name="disruption_applied_with_time"),
        migrations.AddConstraint(
            model_name="disruption",
            constraint=models.CheckConstraint(
                condition=Q(status__in=["planning", "planned", "applying", "applied", "undoing", "undone"]),
                name="disruption_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="disruption",
            constraint=models.CheckConstraint(
                condition=Q(ended_at__isnull=False, status__in=("applied", "undone"))
                | (~Q(status__in=("applied", "undone")) & Q(ended_at__isnull=True)),
                name="disruption_ended_with_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="disruptedsession",
            constraint=models.CheckConstraint(
                condition=Q(undone__in=["", "back", "kept"]), name="disrupted_session_undo_known"
            ),
        ),
    ]
