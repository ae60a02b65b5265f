"""The worklist: acknowledging, putting off, calling."""

import pytest

from audit.models import AuditEvent
from clinics.models import StaffMember
from clinics.tokens import actor_of_token, issue_token
from courses.models import Flag, FlagCall
from courses.services import (
    acknowledge_flag,
    reassess_due,
    record_call,
    record_walk_in,
    set_target,
    snooze_flag,
)
from tests.courses.build import MONDAY, actions, at, march, refused
from tests.factories import actor_of, book

pytestmark = pytest.mark.django_db


@pytest.fixture
def flag(course):
    return Flag.objects.get(course=course, kind="unbooked")


def test_acknowledged_by_whom_and_why(flag, by):
    acknowledge_flag(flag=flag, by=by, now=MONDAY, note=" calls back ")

    flag.refresh_from_db()
    assert (flag.acknowledged_at, flag.acknowledged_by_id, flag.acknowledged_note) == (
        MONDAY,
        by.staff_member_id,
        "calls back",
    )
    assert actions(flag.course)[-1] == "flag.acknowledged"


def test_program_acts_for_who_made_its_token_but_never_prescribes(flag, course, member):
    values = {"name": "Desk", "scopes": ["write"], "expires_on": march(30)}
    token, _key = issue_token(clinic=course.clinic, by=actor_of(member), now=MONDAY, **values)
    program = actor_of_token(token)
    StaffMember.objects.filter(pk=member.pk).update(is_active=False)

    acknowledge_flag(flag=flag, by=program, now=MONDAY)
    StaffMember.objects.filter(pk=member.pk).update(is_active=True)
    with refused("prescriber_required"):
        set_target(course=course, target=12, by=program, now=MONDAY)

    flag.refresh_from_db()
    assert flag.acknowledged_by == member
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.actor_kind, event.actor_code) == ("flag.acknowledged", "token", token.code)


def test_snoozed_until_a_day_after_today(flag, by):
    with refused("date_past", "until_on"):
        snooze_flag(flag=flag, until_on=march(2), by=by, now=MONDAY)
    snooze_flag(flag=flag, until_on=march(3), by=by, now=MONDAY)

    flag.refresh_from_db()
    assert (flag.snoozed_until_on, flag.acknowledged_at) == (march(3), MONDAY)


def test_what_grows_more_severe_comes_back(course, by):
    reassess_due(now=at(march(6)))
    flag = Flag.objects.get(course=course, kind="overdue")
    snooze_flag(flag=flag, until_on=march(30), by=by, now=at(march(6)))

    reassess_due(now=at(march(12)))

    flag.refresh_from_db()
    assert (flag.severity, flag.snoozed_until_on, flag.acknowledged_at) == ("serious", None, None)


def test_call_is_kept_and_puts_the_flag_off(flag, by):
    call = record_call(flag=flag, outcome="call_later", by=by, now=MONDAY, note="busy", next_on=march(4))

    flag.refresh_from_db()
    assert FlagCall.objects.filter(pk=call.pk).values().get() == {
        "id": call.pk,
        "clinic_id": flag.clinic_id,
        "flag_id": flag.pk,
        "outcome": "call_later",
        "note": "busy",
        "next_on": march(4),
        "by_id": by.staff_member_id,
        "created_at": MONDAY,
    }
    assert flag.snoozed_until_on == march(4)


def test_impossible_calls_are_refused(flag, by, foreign_member):
    with refused("unknown_outcome", "outcome"):
        record_call(flag=flag, outcome="sang", by=by, now=MONDAY)
    with refused("date_past", "next_on"):
        record_call(flag=flag, outcome="reached", by=by, now=MONDAY, next_on=march(2))
    with refused("text_too_long", "note"):
        record_call(flag=flag, outcome="reached", by=by, now=MONDAY, note="x" * 401)
    with refused("staff_required"):
        record_call(flag=flag, outcome="reached", by=actor_of(foreign_member), now=MONDAY)


def test_resolved_flag_is_history(course, flag, by):
    book(course, march(2), now=MONDAY)

    for verb in (acknowledge_flag, snooze_flag, record_call):
        more = {snooze_flag: {"until_on": march(9)}, record_call: {"outcome": "reached"}}.get(verb, {})
        with refused("flag_resolved"):
            verb(flag=flag, by=by, now=MONDAY, **more)


def test_days_of_a_flag_grow_with_every_open_day(course, by):
    walk_in = march(2)
    record_walk_in(course=course, on=walk_in, by=by, now=at(walk_in))
    told = {}
    for day in range(3, 14):
        reassess_due(now=at(march(day), 0))
        flag = course.flags.filter(kind="overdue", resolved_at=None).first()
        told[day] = (flag.days, flag.since_on) if flag else None

    since = march(6)
    # Sunday the 8th adds nothing: nobody could have come.
    assert told == {
        3: None,
        4: None,
        5: None,
        6: (2, since),
        7: (3, since),
        8: (3, since),
        9: (4, since),
        10: (5, since),
        11: (6, since),
        12: (7, since),
        13: (8, since),
    }
