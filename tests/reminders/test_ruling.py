"""The last look, without a database: whatever the zones and however late the sender, what must never happen."""

from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinics.models import Clinic
from reminders.convert import quiet_hours
from reminders.core import desired_reminders, quiet_span, slot_text
from reminders.models import Reason
from reminders.services.checking import Surroundings, rule_on
from tests.reminders.core.builders import DAY_BEFORE, TWO_HOURS, ClientFacts, at, clinic, course, session

ZONES = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Kiritimati"]
)
INSTANTS = st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001  # Hypothesis wants its bounds naive
    max_value=datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
TIMES = st.times().map(lambda t: t.replace(second=0, microsecond=0))


def make_row(starts_at, rule, *, clinic_zone, client_zone, quiet):
    """Return the row that a sync would make for one booked session, with what a look reads of it."""
    its_clinic = Clinic(pk=1, time_zone=clinic_zone, quiet_from_time=quiet[0], quiet_to_time=quiet[1])
    person = SimpleNamespace(
        time_zone=client_zone, quiet_from_time=None, quiet_to_time=None, erased_at=None, code="c"
    )
    desired = desired_reminders(
        course=course(session(starts_at=starts_at, code="s1")),
        rules=(rule,),
        clinic=clinic(zone=ZoneInfo(clinic_zone)),
        client=ClientFacts(quiet_hours(person, its_clinic), frozenset({"email"})),
        now=starts_at - timedelta(days=7),
    )
    if not desired:
        return None
    visit = SimpleNamespace(status="booked", starts_at=starts_at)
    return SimpleNamespace(
        pk=1,
        clinic=its_clinic,
        clinic_id=1,
        client=person,
        client_id=1,
        staff_member_id=None,
        course=SimpleNamespace(status="active", state="due"),
        session=visit,
        rule=SimpleNamespace(is_active=True, timing_version=1, skips_confirmed=False),
        rule_version=1,
        trigger="before_session",
        channel="email",
        about=slot_text(starts_at),
        send_at=desired[0].send_at,
        expires_at=desired[0].expires_at,
        has_consent=True,
        has_booking=True,
        is_session_paused=False,
        is_session_closed=False,
    )


def around():
    contact = SimpleNamespace(value="anna@example.com", disabled_at=None)
    return Surroundings({(1, "email"): [contact]}, {}, {}, {}, {})


def send_from(row, first):
    """Let a sender look from a moment on, as often as it is told to come back; return when it sends, or the reason."""
    now = max(first, row.send_at)
    for _ in range(10):
        ruling = rule_on(row, around(), has_channel=True, now=now)
        if ruling.address:
            return now
        if ruling.wait_until is None:
            return ruling.reason
        assert ruling.wait_until > now
        now = ruling.wait_until
    raise AssertionError("The sender was sent away ten times.")


@given(
    INSTANTS,
    st.tuples(TIMES, TIMES),
    ZONES,
    ZONES,
    st.sampled_from([DAY_BEFORE, TWO_HOURS]),
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=2)),
)
def test_never_in_quiet_hours_and_never_after_the_start(
    starts_at, quiet, clinic_zone, client_zone, rule, late
):
    starts_at = starts_at.replace(second=0, microsecond=0)
    row = make_row(starts_at, rule, clinic_zone=clinic_zone, client_zone=client_zone, quiet=quiet)
    if row is None:
        return

    result = send_from(row, row.send_at + late)

    if isinstance(result, datetime):
        assert quiet_span(result, quiet=quiet_hours(row.client, row.clinic)) is None
        assert row.send_at <= result < row.expires_at <= starts_at
    else:
        assert result in (Reason.STALE, Reason.QUIET_HOURS)
        assert late > timedelta(0)


def test_sender_without_a_last_look_would_wake_people():
    """The property above can fail: a sender that came late would send at night."""
    row = make_row(
        at("2026-03-04 09:30"),
        TWO_HOURS,
        clinic_zone="Europe/Riga",
        client_zone="",
        quiet=(time(21), time(8)),
    )
    late = row.send_at + timedelta(hours=1)

    assert quiet_span(late, quiet=quiet_hours(row.client, row.clinic)) is not None
    assert late < row.expires_at
    assert send_from(row, late) == Reason.QUIET_HOURS


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (timedelta(0), "2026-03-03 15:00"),
        (timedelta(hours=5, minutes=59), "2026-03-03 20:59"),
        (timedelta(hours=6), Reason.STALE),
    ],
)
def test_late_sender_sends_while_of_use(late, expected):
    row = make_row(
        at("2026-03-04 15:00"),
        DAY_BEFORE,
        clinic_zone="Europe/Riga",
        client_zone="",
        quiet=(time(21), time(8)),
    )

    result = send_from(row, row.send_at + late)

    assert result == (at(expected) if isinstance(expected, str) and " " in expected else expected)


# ---------------------------------------------------------------- addresses, closed days, older rules


@pytest.fixture
def row():
    return make_row(
        at("2026-03-04 15:00"),
        DAY_BEFORE,
        clinic_zone="Europe/Riga",
        client_zone="",
        quiet=(time(21), time(8)),
    )


def look(row, *, has_channel=True):
    return rule_on(row, around(), has_channel=has_channel, now=row.send_at)


def test_ruling_names_the_address(row):
    ruling = look(row)

    assert (ruling.address, ruling.contact.value) == ("anna@example.com", "anna@example.com")


def test_clinics_own_system_gets_the_clients_code(row):
    row.channel = "webhook"

    ruling = look(row)

    assert (ruling.address, ruling.contact) == ("c", None)


def test_clinics_own_system_needs_consent(row):
    row.channel, row.has_consent = "webhook", False

    assert look(row).reason == Reason.NO_CONSENT


def test_closed_day_voids_the_reminder(row):
    row.is_session_closed = True

    assert (look(row).state, look(row).reason) == ("cancelled", "clinic_closed")


def test_row_of_an_older_timing_waits(row):
    row.rule.timing_version = 2

    ruling = look(row)

    assert (ruling.address, ruling.state) == ("", None)
    assert ruling.wait_until == row.send_at + timedelta(seconds=60)
