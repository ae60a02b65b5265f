"""What holds for every plan, whatever is asked."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinics.core import ClinicCalendar
from courses.core.cadence import ClientDays, replay
from courses.core.plan import PlanRequest, Practitioner, Preferences, plan
from courses.core.types import Cadence, PauseSpan, PhaseSpec, Prescription, SessionRecord
from tests.core.plan_requests import MORNINGS, RIGA

pytestmark = pytest.mark.slow

MONDAY = date(2026, 3, 2)


@st.composite
def phases(draw):
    frequency = draw(st.integers(1, 3))
    period_min = draw(st.integers(1, 7))
    period_max = draw(st.integers(max(period_min, frequency), 9))
    amount = draw(st.integers(1, 4))
    duration = draw(st.none() | st.integers(3, 12))
    cadence = Cadence.of(frequency, period_min, period_max)
    return PhaseSpec("intensive", cadence, amount, amount, duration_days=duration)


@st.composite
def requests(draw):
    days = st.integers(0, 20).map(lambda n: MONDAY + timedelta(days=n))
    attended = draw(st.sets(st.integers(1, 9), max_size=3))
    pins = draw(st.sets(days, max_size=2))
    pause_on = draw(days)
    return PlanRequest(
        as_of=MONDAY,
        calendar=ClinicCalendar({7}, draw(st.sets(days, max_size=3))),
        prescription=Prescription(
            MONDAY - timedelta(days=10), tuple(draw(st.lists(phases(), min_size=1, max_size=3)))
        ),
        zone=RIGA,
        not_before=datetime(2026, 3, 2, draw(st.integers(8, 13)), tzinfo=RIGA),
        count=draw(st.integers(0, 5)),
        minutes=45,
        hours=MORNINGS,
        sessions=(
            *(SessionRecord(MONDAY - timedelta(days=n), "attended") for n in attended),
            *(SessionRecord(on, "booked", pinned=True) for on in pins),
        ),
        pauses=(PauseSpan(pause_on, pause_on + timedelta(days=draw(st.integers(0, 4)))),),
        practitioners=(
            Practitioner("anna", None, ((pause_on, pause_on),)),
            Practitioner("boris", {2: ((540, 600),)}),
        ),
        horizon_days=draw(st.integers(0, 25)),
        prefer=Preferences(draw(st.frozensets(st.integers(1, 7), max_size=3)), 600, 660, "boris"),
    )


@settings(max_examples=20, deadline=None, derandomize=True)
@given(requests())
def test_plan_keeps_what_it_promises(request):
    found = plan(request)

    dates = [session.on for session in found.sessions]
    planned = [session.on for session in found.planned]
    assert dates == sorted(dates)
    assert len(planned) + found.cost.unplaced == request.count
    assert len(set(planned)) == len(planned)
    until = request.first_on + timedelta(days=request.horizon_days)
    for session in found.planned:
        assert request.calendar.is_open(session.on)
        assert not any(pause.from_on <= session.on <= pause.to_on for pause in request.pauses)
        assert request.not_before <= session.start
        assert session.on == session.start.date() <= until
    kept = [session.kept for session in found.sessions if session.kept]
    assert sorted(kept, key=str) == sorted((s for s in request.sessions if s.status == "booked"), key=str)
    assert plan(request) == found


@settings(max_examples=20, deadline=None, derandomize=True)
@given(requests())
def test_plan_never_comes_before_due_from_nor_crowds_a_kept_session(request):
    found = plan(request)

    held = [session.on.toordinal() for session in request_history(request)]
    days = ClientDays(request.calendar, request.pauses, today=request.as_of)
    before = None
    for session in found.sessions:
        progress = replay(request.prescription, held, days, today=session.on)
        if session.phase is not None and (session.kept is None or (before and before.kept is None)):
            assert progress.earliness(session.on.toordinal()) == 0
        if session.phase is not None:
            held.append(session.on.toordinal())
        before = session


@settings(max_examples=20, deadline=None, derandomize=True)
@given(requests())
def test_plan_pinned_as_it_is_costs_the_same(request):
    found = plan(request)
    pins = tuple(SessionRecord(session.on, "booked", pinned=True) for session in found.planned)

    again = plan(replace(request, sessions=request.sessions + pins, count=0))

    assert again.cost.days_outside == found.cost.days_outside
    assert again.cost.gap_distance == found.cost.gap_distance
    assert [session.session for session in again.sessions] == [session.session for session in found.sessions]


def request_history(request):
    return sorted((s for s in request.sessions if s.status == "attended"), key=lambda session: session.on)
