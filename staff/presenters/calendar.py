"""The calendar: days of people or rooms as columns of hours, or a week of everybody as a board."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clinics.models import Absence, Closure, OpeningHours, PractitionerHours, Room, StaffMember
from courses.models import CANCELLED_STATUSES, CourseStatus, SessionStatus, TreatmentSession
from staff.calendar_forms import BookingPlace
from staff.core.calendar_grid import (
    DAY_MINUTES,
    STEP_MINUTES,
    Lane,
    Span,
    common_spans,
    cut_spans,
    fit_axis,
    place_of,
    share_lanes,
    sum_minutes,
)
from staff.presenters.badges import Badge
from staff.presenters.closures import closure_reason
from staff.presenters.sessions import session_badge
from staff.templatetags.interface import address, day

_MOVABLE: Final = (SessionStatus.BOOKED, SessionStatus.CONFIRMED)
# An hour is 72 pixels high, a target at least 24.
LEAST_DRAWN_MINUTES: Final = 20
_RUNNING: Final = (CourseStatus.ACTIVE, CourseStatus.PAUSED)


@dataclass(frozen=True, slots=True)
class CalendarRows:
    """Everything the calendar of some days is made of, as it was read."""

    sessions: Sequence[TreatmentSession]
    opening: Sequence[OpeningHours]
    closures: Sequence[Closure]
    absences: Sequence[Absence]
    own_hours: Sequence[PractitionerHours]


@dataclass(frozen=True, slots=True)
class Block:
    """One session: `place` are the classes that put it where it belongs."""

    code: str
    url: str
    starts: str
    ends: str
    name: str
    where: str
    badge: Badge
    place: str
    is_movable: bool
    is_over: bool
    minutes: int
    version: int
    practitioner: str
    room: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Free time that can be booked: where it lies, and where that is done, begun at its first minutes."""

    place: str
    url: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Column:
    """One person's, room's or nobody's time on one day; `shut` are the classes of what is shaded."""

    on: date
    name: str
    note: str
    free: str
    code: str
    is_today: bool
    shut: tuple[str, ...]
    blocks: tuple[Block, ...]
    now: str = ""
    gaps: tuple[Gap, ...] = ()
    # The note is the day's, not this person's or room's.
    is_all_shut: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns along one axis of hours, which begins and ends at whole ones."""

    columns: tuple[Column, ...]
    hours: tuple[tuple[str, str], ...]
    axis: Span
    place: str


@dataclass(frozen=True, slots=True)
class BoardRow:
    name: str
    cells: tuple[Column, ...]


class _Times(NamedTuple):
    """When a session begins and how long it lasts; on the clinic's wall when it begins and ends, and its minutes there.

    `drawn` is the span that it takes on the page, high enough for a finger or a trembling hand.
    """

    starts_at: datetime
    minutes: int
    starts: str
    ends: str
    span: Span
    drawn: Span


class CalendarBook:
    """Answers for one person or room and day what the rows say; runs no query."""

    def __init__(
        self,
        rows: CalendarRows,
        *,
        by_room: bool,
        may_book: bool,
        now: datetime,
        snap: int = STEP_MINUTES,
        page: str = "",
    ) -> None:
        self.by_room = by_room
        self._snap, self._page = snap, page
        self._back = "?" + urlencode({"calendar": page})
        self.now = timezone.localtime(now)
        self._may_book = may_book
        self._opening = _spans_by_weekday(
            (row.weekday, row.opens_time, row.closes_time) for row in rows.opening
        )
        self._own: defaultdict[int, list[PractitionerHours]] = defaultdict(list)
        for row in rows.own_hours:
            self._own[row.practitioner_id].append(row)
        self._closures = rows.closures
        self._absences = rows.absences
        self._sessions: defaultdict[tuple[int | None, date], list[TreatmentSession]] = defaultdict(list)
        # By id: each is asked for again and again, and a week has hundreds.
        self._times: dict[int, _Times] = {}
        zone = timezone.get_current_timezone()
        for session in rows.sessions:
            if session.starts_at is not None and session.ends_at is not None:
                self._sessions[self._owner(session), session.on].append(session)
                self._times[session.pk] = _times_of(session.starts_at, session.ends_at, zone)

    def _owner(self, session: TreatmentSession) -> int | None:
        return session.room_id if self.by_room else session.practitioner_id

    def owners(self) -> set[int | None]:
        """Return the ids of whoever has a session, None for those without practitioner or room."""
        return {owner for owner, _day in self._sessions}

    def closed_note(self, on: date) -> str:
        """Return why the clinic is closed on a day, nothing when it opens."""
        for closure in self._closures:
            if closure.from_on <= on <= closure.to_on:
                reason = closure_reason(closure)
                return _("Closed: %(reason)s") % {"reason": reason} if reason else _("Closed")
        return "" if self._opening.get(on.isoweekday()) else _("Closed")

    def working(self, owner: StaffMember | Room | None, on: date) -> tuple[list[Span], str]:
        """Return when somebody or a room can be booked on a day, and why not where that is never."""
        if closed := self.closed_note(on):
            return [], closed
        hours = self._opening[on.isoweekday()]
        if not isinstance(owner, StaffMember):
            return hours, ""
        for absence in self._absences:
            if absence.practitioner_id == owner.pk and absence.from_on <= on <= absence.to_on:
                away = _("Away: %(reason)s") % {"reason": absence.reason}
                return [], away if absence.reason else _("Away")
        if own := self._own.get(owner.pk):
            hours = common_spans(
                hours,
                [_span(row.starts_time, row.ends_time) for row in own if row.weekday == on.isoweekday()],
            )
        return hours, "" if hours else _("Does not work")

    def sessions(self, owner: StaffMember | Room | None, on: date) -> list[TreatmentSession]:
        return self._sessions.get((owner.pk if owner is not None else None, on), [])

    def axis(self, days: Sequence[date]) -> Span:
        """Return the hours that hold the clinic's and every session of some days."""
        spans = [span for on in days for span in self._opening.get(on.isoweekday(), [])]
        spans += [
            self._times[row.pk].drawn
            for (_owner, on), rows in self._sessions.items()
            if on in days
            for row in rows
        ]
        return fit_axis(spans or [span for known in self._opening.values() for span in known])

    def column(self, owner: StaffMember | Room | None, on: date, *, name: str, axis: Span) -> Column:
        sessions = self.sessions(owner, on)
        hours, note = self.working(owner, on)
        lanes = share_lanes([self._times[session.pk].drawn for session in sessions])
        left = self._left(owner, on, hours)
        free = cut_spans(left, [self._times[row.pk].span for row in sessions if not _is_cancelled(row)])
        is_today = on == self.now.date()
        minute = _minute(self.now.time())
        return Column(
            on=on,
            name=name,
            note=note,
            free=_free_words(free) if left else "",
            code=str(owner.code) if owner is not None else "",
            is_today=is_today,
            shut=tuple(_classes(span) for span in cut_spans([axis], hours)),
            blocks=tuple(self._block(*pair) for pair in zip(sessions, lanes, strict=True)),
            now=_classes(Span(minute, minute + 1)) if is_today and axis.start <= minute < axis.end else "",
            gaps=tuple(self._gaps(owner, on, free)),
            is_all_shut=bool(self.closed_note(on)),
        )

    def _left(self, owner: StaffMember | Room | None, on: date, hours: Sequence[Span]) -> list[Span]:
        """Return what of the hours is still to come, taken or not; nobody has any time."""
        today = self.now.date()
        if owner is None or on < today:
            return []
        return cut_spans(hours, [Span(0, _minute(self.now.time()) if on == today else 0)])

    def _gaps(self, owner: StaffMember | Room | None, on: date, free: Sequence[Span]) -> Iterator[Gap]:
        if not self._may_book or owner is None:
            return
        for start, end in free:
            # In the middle of a quarter of an hour nothing begins.
            first = -(-start // self._snap) * self._snap
            if first >= end:
                continue
            place = BookingPlace(
                on,
                time(first // 60, first % 60),
                owner if isinstance(owner, StaffMember) else None,
                owner if isinstance(owner, Room) else None,
                self._page,
            )
            yield Gap(_classes(Span(first, end)), place.address(), first, end)

    def _block(self, session: TreatmentSession, lane: Lane) -> Block:
        # In words once: it stands in a block some five times, and a week has hundreds of blocks.
        times, code = self._times[session.pk], str(session.code)
        is_movable = (
            self._may_book
            and session.status in _MOVABLE
            and times.starts_at > self.now
            and session.course.status in _RUNNING
        )
        if is_movable:
            url = address("staff:course-session-move", session.course.code, code) + self._back
        else:
            url = address("staff:course-detail", session.course.code)
        person = session.practitioner.display_name if session.practitioner else ""
        room = session.room.name if session.room else ""
        return Block(
            code=code,
            url=url,
            starts=times.starts,
            ends=times.ends,
            name=session.course.client.name,
            where=person if self.by_room else room,
            badge=session_badge(session, today=self.now.date()),
            place=f"{_classes(times.drawn)} lane-{lane.number} of-{lane.of}",
            is_movable=is_movable,
            is_over=session.has_outcome,
            minutes=times.minutes,
            version=session.version,
            practitioner=str(session.practitioner.code) if session.practitioner else "",
            room=str(session.room.code) if session.room else "",
        )


def day_grid(book: CalendarBook, owners: Sequence[StaffMember | Room | None], on: date) -> Grid:
    """Return one day with a column for each person or room."""
    axis = book.axis([on])
    return _grid(
        tuple(book.column(owner, on, name=_owner_name(owner, book), axis=axis) for owner in owners), axis
    )


def week_grid(book: CalendarBook, owner: StaffMember | Room, days: Sequence[date]) -> Grid:
    """Return one person's or room's week with a column for each day."""
    axis, today = book.axis(days), book.now.date()
    return _grid(tuple(book.column(owner, on, name=day(on, today), axis=axis) for on in days), axis)


def week_board(
    book: CalendarBook, owners: Sequence[StaffMember | Room | None], days: Sequence[date]
) -> list[BoardRow]:
    """Return a week of everybody: a row each, with the sessions of each day in the order of time."""
    axis, named = book.axis(days), [(on, day(on, book.now.date())) for on in days]
    return [
        BoardRow(
            _owner_name(owner, book),
            tuple(book.column(owner, on, name=name, axis=axis) for on, name in named),
        )
        for owner in owners
    ]


def week_of(on: date) -> list[date]:
    """Return the days of a day's week, Monday first."""
    monday = on - timedelta(days=on.weekday())
    return [monday + timedelta(days=n) for n in range(7)]


def _grid(columns: tuple[Column, ...], axis: Span) -> Grid:
    hours = range(axis.start // 60, axis.end // 60)
    return Grid(
        columns,
        tuple((f"{hour:02}:00", f"at-h{hour} at-m0") for hour in hours),
        axis,
        f"from-h{axis.start // 60} till-h{axis.end // 60}",
    )


def _free_words(free: Sequence[Span]) -> str:
    """Return how much time is left to book."""
    minutes = sum_minutes(free)
    if not minutes:
        return pgettext("time left to book", "full")
    said = {"hours": minutes // 60, "minutes": minutes % 60}
    if not said["minutes"]:
        return _("%(hours)s h free") % said
    return (_("%(hours)s h %(minutes)s min free") if said["hours"] else _("%(minutes)s min free")) % said


def _owner_name(owner: StaffMember | Room | None, book: CalendarBook) -> str:
    if owner is None:
        return _("No room") if book.by_room else _("Nobody yet")
    return owner.name if isinstance(owner, Room) else owner.display_name


def _spans_by_weekday(rows: Iterable[tuple[int, time, time]]) -> Mapping[int, list[Span]]:
    found: defaultdict[int, list[Span]] = defaultdict(list)
    for weekday, starts, ends in rows:
        found[weekday].append(_span(starts, ends))
    return found


def _span(starts: time, ends: time) -> Span:
    return Span(_minute(starts), _minute(ends))


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _times_of(starts_at: datetime, ends_at: datetime, zone: tzinfo) -> _Times:
    """Return the times of a session; one that passes midnight ends there on the wall."""
    start, end = starts_at.astimezone(zone), ends_at.astimezone(zone)
    first = _minute(start.time())
    last = _minute(end.time()) if end.date() == start.date() else DAY_MINUTES
    # Where the clocks are turned back it would end before it began.
    last = max(last, first + 1)
    return _Times(
        starts_at,
        int((ends_at - starts_at).total_seconds()) // 60,
        f"{start:%H:%M}",
        f"{end:%H:%M}",
        Span(first, last),
        Span(first, min(max(last, first + LEAST_DRAWN_MINUTES), DAY_MINUTES)),
    )


def _is_cancelled(session: TreatmentSession) -> bool:
    return session.status in CANCELLED_STATUSES


@lru_cache(maxsize=2000)
def _classes(span: Span) -> str:
    place = place_of(span)
    return f"at-h{place.at_hour} at-m{place.at_minute} for-h{place.for_hours} for-m{place.for_minutes}"
