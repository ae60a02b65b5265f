"""Whether a slot can be held: open, worked, on no paused or contraindicated day, and free."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from django.db import IntegrityError, connection, transaction
from django.db.models import Model, Q
from django.utils.translation import gettext as _

from clients.models import Client
from clinics.models import Absence, OpeningHours, PractitionerHours, Room, StaffMember
from courses import convert
from courses.core.types import PhaseSpec
from courses.errors import CourseError
from courses.models import BOOKED_STATUSES, Course, Pause, TreatmentSession
from courses.services.changes import refuse
from courses.validators import LONGEST_MINUTES

DEFAULT_MINUTES: Final = 45
# Nobody books further ahead; it is a mistyped year.
_LATEST_SLOT: Final = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True)
class SlotWish:
    """A slot somebody asks for: aware start and end, and who and where."""

    starts_at: datetime
    ends_at: datetime
    practitioner: StaffMember | None
    room: Room | None


def wish_slot(
    *,
    course: Course,
    starts_at: datetime,
    minutes: int,
    practitioner: StaffMember | None,
    room: Room | None,
    now: datetime,
) -> SlotWish:
    """Return the slot when the course's session may lie there; whether it is free is checked by holding it.

    Raises: CourseError naming the field: past, no length, clinic closed, outside the hours, practitioner away,
    course paused, condition active, foreign or inactive practitioner or room.
    """
    if not 1 <= minutes <= LONGEST_MINUTES:
        raise refuse("minutes", _("A session lasts from 1 to 600 minutes."), code="minutes_out_of_range")
    if starts_at < now:
        raise refuse("starts_at", _("That time has passed. Choose a later one."), code="slot_past")
    if starts_at > now + _LATEST_SLOT:
        raise refuse("starts_at", _("That is more than three years ahead."), code="slot_too_far")
    slot = SlotWish(starts_at, starts_at + timedelta(minutes=minutes), practitioner, room)
    require_own(course, practitioner, room)
    _require_open_hours(course, slot)
    _require_working(course, slot)
    _require_unpaused(course, slot)
    _require_no_condition(course, slot)
    return slot


def session_minutes(phases: Sequence[PhaseSpec]) -> int:
    """Return the length of slot that every one of the phases fits into."""
    return max((phase.minutes_max for phase in phases if phase.minutes_max), default=DEFAULT_MINUTES)


def minutes_of(session: TreatmentSession) -> int:
    """Return the length of the slot in minutes, 0 for a session without one."""
    if session.starts_at is None or session.ends_at is None:
        return 0
    return int((session.ends_at - session.starts_at).total_seconds()) // 60


def require_own(course: Course, person: StaffMember | None, room: Room | None) -> None:
    """Refuse a practitioner or a room of another clinic, or one that is not used any more.

    Raises: CourseError `practitioner_unknown` or `room_unknown`.
    """
    if person is not None and not (
        person.clinic_id == course.clinic_id and person.is_active and person.is_treating
    ):
        raise refuse("practitioner", _("Choose a practitioner of this clinic."), code="practitioner_unknown")
    if room is not None and not (room.clinic_id == course.clinic_id and room.is_active):
        raise refuse("room", _("Choose a room of this clinic."), code="room_unknown")


def _wall_times(course: Course, slot: SlotWish) -> tuple[int, time, time]:
    """Return the weekday and the wall times of a slot; one that passes midnight ends at 23:59:59.999999."""
    zone = convert.zone_of(course.clinic)
    start, end = slot.starts_at.astimezone(zone), slot.ends_at.astimezone(zone)
    return start.isoweekday(), start.time(), end.time() if end.date() == start.date() else time.max


def _require_open_hours(course: Course, slot: SlotWish) -> None:
    zone = convert.zone_of(course.clinic)
    day = slot.starts_at.astimezone(zone).date()
    if not convert.load_calendar(course.clinic).is_open(day):
        raise refuse("starts_at", _("The clinic is closed on that day."), code="clinic_closed")
    weekday, start, end = _wall_times(course, slot)
    is_inside = OpeningHours.objects.filter(
        clinic=course.clinic, weekday=weekday, opens_time__lte=start, closes_time__gte=end
    ).exists()
    if not is_inside:
        raise refuse("starts_at", _("That is outside the clinic's opening hours."), code="outside_hours")


def _require_working(course: Course, slot: SlotWish) -> None:
    person = slot.practitioner
    if person is None:
        return
    zone = convert.zone_of(course.clinic)
    day = slot.starts_at.astimezone(zone).date()
    if Absence.objects.filter(practitioner=person, from_on__lte=day, to_on__gte=day).exists():
        raise refuse("practitioner", _("The practitioner is away on that day."), code="practitioner_absent")
    hours = PractitionerHours.objects.filter(practitioner=person)
    weekday, start, end = _wall_times(course, slot)
    if (
        hours.exists()
        and not hours.filter(weekday=weekday, starts_time__lte=start, ends_time__gte=end).exists()
    ):
        raise refuse(
            "practitioner", _("The practitioner does not work at that time."), code="practitioner_off"
        )


def _require_unpaused(course: Course, slot: SlotWish) -> None:
    day = slot.starts_at.astimezone(convert.zone_of(course.clinic)).date()
    if (
        Pause.objects.filter(course=course, from_on__lte=day)
        .filter(Q(to_on__isnull=True) | Q(to_on__gte=day))
        .exists()
    ):
        raise refuse(
            "starts_at",
            _("The course is paused on that day. End the pause first or choose a day after it."),
            code="course_paused",
        )


def _require_no_condition(course: Course, slot: SlotWish) -> None:
    day = slot.starts_at.astimezone(convert.zone_of(course.clinic)).date()
    for span in convert.load_contraindications([course])[course.pk]:
        if span.from_on <= day and (span.to_on is None or day <= span.to_on):
            raise refuse(
                "starts_at",
                _("A recorded condition speaks against a session on that day. A prescriber can override it."),
                code="contraindicated",
            )


@contextmanager
def holding(slot: SlotWish, *, course: Course, session: TreatmentSession | None = None) -> Iterator[None]:
    """Refuse a slot that meets another booking of its practitioner, room or client; the body writes it.

    On SQLite the check holds because writers come one after the other, on PostgreSQL because all who want the
    same practitioner, room or client wait for each other; the exclusion constraints stand behind it.
    Raises: CourseError `slot_taken`, or `day_taken` for a second session of the course on one day.
    """
    lock_parties([slot], clients={course.client_id})
    _require_free(slot, course=course, session=session)
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise explain_clash(error) from error


def lock_parties(slots: Sequence[SlotWish], *, clients: set[int]) -> None:
    """Wait for others who are booking the clients (by id), a practitioner or a room of the slots; hold them till the end.

    Rows are locked in one order everywhere. It is not a lock against rows that merely refer to them.
    Cost: up to three queries, none on SQLite, which has one writer at a time.
    """
    if not connection.features.has_select_for_update:
        return
    people = {slot.practitioner.pk for slot in slots if slot.practitioner is not None}
    rooms = {slot.room.pk for slot in slots if slot.room is not None}
    wanted: list[tuple[type[Model], set[int]]] = [
        (Client, clients),
        (StaffMember, people),
        (Room, rooms),
    ]
    for model, ids in wanted:
        if ids:
            rows = model._default_manager.select_for_update(no_key=True).filter(pk__in=ids)
            list(rows.order_by("pk").values_list("pk"))


def _require_free(slot: SlotWish, *, course: Course, session: TreatmentSession | None) -> None:
    others = TreatmentSession.objects.filter(
        status__in=BOOKED_STATUSES, starts_at__lt=slot.ends_at, ends_at__gt=slot.starts_at
    )
    same_day = TreatmentSession.objects.filter(
        course=course,
        on=slot.starts_at.astimezone(convert.zone_of(course.clinic)).date(),
        status__in=(*BOOKED_STATUSES, "attended"),
    )
    if session is not None:
        others, same_day = others.exclude(pk=session.pk), same_day.exclude(pk=session.pk)
    if same_day.exists():
        raise day_taken()
    if others.filter(client_id=course.client_id).exists():
        raise slot_taken("client")
    if slot.practitioner is not None and others.filter(practitioner=slot.practitioner).exists():
        raise slot_taken("practitioner")
    if slot.room is not None and others.filter(room=slot.room).exists():
        raise slot_taken("room")


def booking_in_the_way(
    slot: SlotWish, *, course: Course, session: TreatmentSession
) -> TreatmentSession | None:
    """Return the first other booking that holds the client, the practitioner or the room of a slot.

    Cost: one query.
    """
    holds = Q(client_id=course.client_id)
    if slot.practitioner is not None:
        holds |= Q(practitioner=slot.practitioner)
    if slot.room is not None:
        holds |= Q(room=slot.room)
    others = TreatmentSession.objects.for_clinic(course.clinic).filter(
        holds, status__in=BOOKED_STATUSES, starts_at__lt=slot.ends_at, ends_at__gt=slot.starts_at
    )
    return others.exclude(pk=session.pk).select_related("client").order_by("starts_at", "pk").first()


def explain_clash(error: IntegrityError) -> CourseError:
    """Return the refusal behind a violated constraint; any other violation is raised as it is."""
    text = str(error)
    if "session_practitioner_free" in text:
        return slot_taken("practitioner")
    if "session_room_free" in text:
        return slot_taken("room")
    if "session_client_free" in text:
        return slot_taken("client")
    if "session_one_a_day" in text or "UNIQUE constraint failed: courses_treatmentsession" in text:
        return day_taken()
    raise error


def slot_taken(field: str) -> CourseError:
    """Return the refusal of a slot whose practitioner, room or client is taken."""
    messages = {
        "practitioner": _("The practitioner has another booking at that time."),
        "room": _("The room is taken at that time."),
        "client": _("The client has another booking at that time."),
    }
    return refuse(field, messages[field], code="slot_taken")


def day_taken() -> CourseError:
    """Return the refusal of a second session of one course on one day."""
    return refuse("starts_at", _("This course already has a session on that day."), code="day_taken")
