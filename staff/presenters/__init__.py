"""Words, colours and addresses of states; everything here is handed its rows and runs no query."""

from staff.presenters.badges import Badge
from staff.presenters.clients import ClientLine, client_line, client_url, telephone
from staff.presenters.course_list import CourseLine, SortColumn, course_line, sort_columns
from staff.presenters.courses import (
    course_badge,
    course_phase,
    course_progress,
    course_url,
    protocol_name,
    window_words,
)
from staff.presenters.days import (
    PersonOfDay,
    SessionLine,
    day_summary,
    first_ahead,
    pause_reason_for,
    people_of_day,
    session_line,
)
from staff.presenters.flags import (
    SEVERITY_LOOK,
    cause_words,
    flag_chip,
    flag_sentence,
    flag_words,
    severity_badge,
)
from staff.presenters.phases import amount_words, number_in_phase, phase_kind_words
from staff.presenters.sessions import (
    booked_minutes,
    moment_words,
    outcome_words,
    session_badge,
    session_progress,
)
from staff.presenters.sign_in import SecondStep
from staff.presenters.worklist import FlagLine, flag_line, last_call_words, since_words

__all__ = [
    "SEVERITY_LOOK",
    "Badge",
    "ClientLine",
    "CourseLine",
    "FlagLine",
    "PersonOfDay",
    "SecondStep",
    "SessionLine",
    "SortColumn",
    "amount_words",
    "booked_minutes",
    "cause_words",
    "client_line",
    "client_url",
    "course_badge",
    "course_line",
    "course_phase",
    "course_progress",
    "course_url",
    "day_summary",
    "first_ahead",
    "flag_chip",
    "flag_line",
    "flag_sentence",
    "flag_words",
    "last_call_words",
    "moment_words",
    "number_in_phase",
    "outcome_words",
    "pause_reason_for",
    "people_of_day",
    "phase_kind_words",
    "protocol_name",
    "session_badge",
    "session_line",
    "session_progress",
    "severity_badge",
    "since_words",
    "sort_columns",
    "telephone",
    "window_words",
]
