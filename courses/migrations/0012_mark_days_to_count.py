"""A mark for each day of which something that reports count has changed; at first for every day there is."""

from django.db import migrations

from clinics.postgres import OnPostgres

_COUNTED = "('attended', 'no_show', 'cancelled_late')"
# Whatever a tally is made of.
_COLUMNS = (
    "clinic_id", "on", "course_id", "practitioner_id", "status", "starts_at", "ends_at", "minutes",
    "verdict", "verdict_days", "reminding", "confirmed_at",
)  # fmt: skip


def _row(alias: str) -> str:
    return "ROW(" + ", ".join(f'{alias}."{column}"' for column in _COLUMNS) + ")"


_FUNCTION = f"""
CREATE FUNCTION courses_mark_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO courses_staleday (clinic_id, "on")
        SELECT DISTINCT clinic_id, "on" FROM new_rows WHERE status IN {_COUNTED};
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO courses_staleday (clinic_id, "on")
        SELECT DISTINCT clinic_id, "on" FROM old_rows WHERE status IN {_COUNTED};
    ELSE
        INSERT INTO courses_staleday (clinic_id, "on")
        SELECT o.clinic_id, o."on" FROM old_rows o JOIN new_rows n USING (id)
        WHERE o.status IN {_COUNTED} AND {_row("o")} IS DISTINCT FROM {_row("n")}
        UNION
        SELECT n.clinic_id, n."on" FROM old_rows o JOIN new_rows n USING (id)
        WHERE n.status IN {_COUNTED} AND {_row("o")} IS DISTINCT FROM {_row("n")};
    END IF;
    RETURN NULL;
END $$"""  # noqa: S608  # names of ours


def _trigger(event: str, tables: str) -> str:
    return (
        f"CREATE TRIGGER mark_days_{event.lower()} AFTER {event} ON courses_treatmentsession "
        f"REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION courses_mark_days()"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0011_count_by_day"),
    ]

    operations = [
        OnPostgres(
            [
                _FUNCTION,
                _trigger("INSERT", "NEW TABLE AS new_rows"),
                _trigger("UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
                _trigger("DELETE", "OLD TABLE AS old_rows"),
                # After the triggers, so that nothing falls between.
                f"""INSERT INTO courses_staleday (clinic_id, "on")
                SELECT DISTINCT clinic_id, "on" FROM courses_treatmentsession WHERE status IN {_COUNTED}""",  # noqa: S608  # names of ours
            ],
            [
                *(
                    f"DROP TRIGGER mark_days_{event} ON courses_treatmentsession"
                    for event in ("insert", "update", "delete")
                ),
                "DROP FUNCTION courses_mark_days()",
            ],
        ),
    ]
