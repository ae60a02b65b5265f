"""A session is its course's client's."""

from django.db import migrations

from clinics.postgres import constrain, keep


class Migration(migrations.Migration):
    dependencies = [("courses", "0014_know_words")]

    operations = [
        # The client stands with the session so that two bookings of one client can be refused: another's would not be.
        keep(
            constrain("courses_course", "courses_course_of_client", "UNIQUE (id, client_id)"),
            constrain(
                "courses_treatmentsession",
                "session_client_of_course",
                "FOREIGN KEY (course_id, client_id) REFERENCES courses_course (id, client_id) "
                "DEFERRABLE INITIALLY DEFERRED",
            ),
        ),
    ]
