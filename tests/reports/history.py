"""A clinic with a random history: what every report counts, made once a process."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from clinics.models import Absence, Closure, PractitionerHours
from courses.models import Course, Flag, TreatmentSession
from courses.services import reassess
from reports.core import Period
from tests.factories import (
    ClientFactory,
    ClinicFactory,
    ProtocolFactory,
    StaffMemberFactory,
    intensive,
    maintenance,
    prescribe,
)
from tests.factories.moulds import Mould

RIGA = ZoneInfo("Europe/Riga")
# In summer time: the clocks were turned forward on 29 March, within the history.
TODAY = date(2026, 4, 20)
NOW = datetime(2026, 4, 20, 9, tzinfo=UTC)
PERIOD = Period(date(2026, 3, 10), date(2026, 4, 25))
OUTCOMES = ["attended"] * 6 + ["no_show", "cancelled_late", "cancelled_by_client", "cancelled_by_clinic"]
COUNTED = ("attended", "no_show", "cancelled_late")


def make_history():
    """Two protocols, two practitioners and eight courses since March, outcomes, messages and flags by chance."""
    rng = Random(6)
    clinic = ClinicFactory()
    Closure.objects.create(clinic=clinic, from_on=date(2026, 4, 3), to_on=date(2026, 4, 6))
    people = [StaffMemberFactory(clinic=clinic, display_name=name) for name in ("Anna", "Boris")]
    protocols = [ProtocolFactory(clinic=clinic, slug=slug, name_en=slug) for slug in ("back", "face")]
    for number in range(8):
        person, start_on = people[number % 2], date(2026, 3, 2) + timedelta(days=3 * number)
        phases = (intensive(sessions_min=3, sessions_max=4), maintenance(duration_days=90))
        course = prescribe(
            now=datetime.combine(start_on, time(5), tzinfo=UTC),
            start_on=start_on,
            phases=phases if number % 4 else (maintenance(),),
            member=person,
            client=ClientFactory(clinic=clinic),
            protocol=protocols[number // 4],
            practitioner=person,
        )
        TreatmentSession.objects.bulk_create(visits(course, people, rng))
        if number == 5:
            Course.objects.filter(pk=course.pk).update(
                status="discontinued", ended_at=NOW, end_reason="moved"
            )
        course = Course.objects.select_related("clinic", "client", "protocol").get(pk=course.pk)
        if course.is_open:
            reassess(course=course, now=NOW)
        Flag.objects.bulk_create(flags(course, rng))
    Absence.objects.create(
        clinic=clinic, practitioner=people[0], from_on=date(2026, 3, 1), to_on=date(2026, 3, 12)
    )
    for weekday in (1, 3, 5):
        PractitionerHours.objects.create(
            clinic=clinic, practitioner=people[1], weekday=weekday, starts_time="08:00", ends_time="13:30"
        )
    return clinic


def visits(course, people, rng):
    on = course.start_on
    while on < TODAY + timedelta(days=20):
        status = rng.choice(OUTCOMES) if on < TODAY else "booked"
        starts_at = datetime.combine(on, time(rng.randrange(9, 18)), tzinfo=RIGA).astimezone(UTC)
        is_walk_in = status == "attended" and rng.random() < 0.2
        yield TreatmentSession(
            clinic=course.clinic,
            course=course,
            client_id=course.client_id,
            status=status,
            on=on,
            starts_at=None if is_walk_in else starts_at,
            ends_at=None if is_walk_in else starts_at + timedelta(minutes=rng.choice([30, 45, 60])),
            practitioner=rng.choice([*people, None]),
            minutes=40 if is_walk_in else None,
            created_at=NOW,
            outcome_at=NOW if on < TODAY else None,
            confirmed_at=NOW if rng.random() < 0.3 else None,
            reminding=rng.choice(["", "sent", "sent", "held_out"]) if on < TODAY and not is_walk_in else "",
        )
        on += timedelta(days=rng.choice([1, 2, 3, 9]))


def flags(course, rng):
    for _ in range(6):
        opened_at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=rng.randrange(60 * 24 * 60))
        yield Flag(
            clinic=course.clinic,
            course=course,
            kind=rng.choice(["overdue", "lapsed", "behind", "unbooked"]),
            severity="warning",
            severity_rank=2,
            days=3,
            cause=rng.choice(["", "client", "clinic", "scheduling"]),
            since_on=opened_at.date(),
            opened_at=opened_at,
            updated_at=opened_at,
            resolved_at=opened_at + timedelta(hours=rng.randrange(200)),
            resolved_reason=rng.choice(["attended", "rebooked", "time"]),
        )


HISTORY = Mould(make_history, now=NOW)
