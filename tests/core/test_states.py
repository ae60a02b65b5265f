import pytest

from courses.core.states import (
    COURSE_TRANSITIONS,
    SESSION_CORRECTIONS,
    SESSION_TRANSITIONS,
    TransitionError,
    check_transition,
)

ENDINGS = {"attended", "no_show", "cancelled_late", "cancelled_by_client", "cancelled_by_clinic"}


@pytest.mark.parametrize(
    ("table", "allowed"),
    [
        (
            COURSE_TRANSITIONS,
            {
                "draft": {"active"},
                "active": {"paused", "completed", "discontinued"},
                "paused": {"active", "completed", "discontinued"},
                "completed": set(),
                "discontinued": set(),
            },
        ),
        (
            SESSION_TRANSITIONS,
            {
                "planned": {"booked", "attended", "cancelled_by_client", "cancelled_by_clinic"},
                "booked": {"booked", "confirmed", "arrived"} | ENDINGS,
                "confirmed": {"booked", "arrived"} | ENDINGS,
                "arrived": ENDINGS - {"no_show"},
                **{status: set() for status in ENDINGS},
            },
        ),
        (
            SESSION_CORRECTIONS,
            {
                "planned": set(),
                "booked": set(),
                "confirmed": set(),
                "arrived": {"booked", "confirmed"},
                **{status: (ENDINGS | {"booked"}) - {status} for status in ENDINGS},
            },
        ),
    ],
)
def test_every_transition(table, allowed):
    for old in allowed:
        for new in allowed:
            if new in allowed[old]:
                check_transition(table, old, new)
            else:
                with pytest.raises(TransitionError):
                    check_transition(table, old, new)


def test_refused_transition_says_what():
    with pytest.raises(TransitionError, match=r"^What is completed cannot become active\.$") as refused:
        check_transition(COURSE_TRANSITIONS, "completed", "active")

    assert (refused.value.old, refused.value.new, refused.value.code) == (
        "completed",
        "active",
        "transition_refused",
    )
