"""Plan requests for tests: a small clinic in Riga, open Monday to Saturday from 9 to 12, from Monday 2 March 2026 on."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from clinics.core import ClinicCalendar
from courses.core.plan import Plan, PlanRequest
from courses.core.types import Cadence, PhaseSpec, Prescription, SessionRecord

RIGA = ZoneInfo("Europe/Riga")
MORNINGS = dict.fromkeys(range(1, 7), ((540, 720),))


def phase(frequency=1, period_min=1, period_max=2, amount=10, **given):
    """A phase of so many sessions; rest and flex as usual for the frequency."""
    return PhaseSpec("intensive", Cadence.of(frequency, period_min, period_max), amount, amount, **given)


def march(*days):
    return [date(2026, 3, day) for day in days]


def attended(*days):
    return tuple(SessionRecord(day, "attended") for day in march(*days))


def pinned(*days):
    return tuple(SessionRecord(day, "booked", pinned=True) for day in march(*days))


def request(*phases, count=3, start_on=date(2026, 3, 2), ended=(), restarts=(), closures=(), **given):
    prescription = Prescription(start_on, phases or (phase(),), ended, restarts)
    return PlanRequest(
        **{
            "as_of": date(2026, 3, 2),
            "calendar": ClinicCalendar((), closures),
            "prescription": prescription,
            "zone": RIGA,
            "not_before": datetime(2026, 3, 2, 9, tzinfo=RIGA),
            "count": count,
            "minutes": 60,
            "hours": MORNINGS,
            "slot_step_minutes": 60,
        }
        | given
    )


def days_of(plan: Plan) -> list[date]:
    return [session.on for session in plan.planned]
