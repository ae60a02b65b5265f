"""The reason of a reminder that was held back to compare."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reminders", "0008_let_clinics_decide_to_ask"),
    ]

    operations = [
        migrations.AlterField(
            model_name="reminder",
            name="decision_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("no_contact", "the client has no address on this channel"),
                    ("contact_disabled", "the client's address does not work"),
                    ("no_consent", "the client has not agreed to this channel"),
                    ("no_channel", "this channel is not set up"),
                    ("quiet_hours", "only quiet hours were left"),
                    ("capped", "the client has had the day's most messages"),
                    ("already_confirmed", "the client has already confirmed"),
                    ("stale", "it was too late to be of use"),
                    ("session_moved", "the session was moved"),
                    ("session_cancelled", "the session was cancelled"),
                    ("session_over", "the session is over"),
                    ("paused", "the course is paused then"),
                    ("clinic_closed", "the clinic is closed that day"),
                    ("course_ended", "the course has ended"),
                    ("not_needed", "there was no longer a need for it"),
                    ("client_erased", "the client's data were erased"),
                    ("rule_off", "the rule was switched off"),
                    ("bounced", "the address does not exist"),
                    ("refused", "the mail server refused it"),
                    ("gave_up", "it could not be delivered in time"),
                    ("broken", "the message could not be written"),
                    ("held", "it was held back after a restore and not released"),
                    ("clinic_inactive", "the clinic was deactivated then"),
                    ("stopped", "a member of staff stopped it"),
                    ("channel_paused", "the channel did not work in time"),
                    (
                        "held_out",
                        "the session is in the group that gets no reminder, to tell what reminders do",
                    ),
                    ("lost_in_flight", "the connection broke before the server answered"),
                ],
                max_length=20,
            ),
        ),
    ]
