"""What clients answer about a whole channel: no more messages over it, or messages again."""

from datetime import datetime
from typing import Final

from audit.services import record
from clients.models import Channel, Client, Consent, ContactPoint
from courses.models import Course, CourseStatus
from courses.services.changes import transacting
from reminders.models import Answer, AnswerKind, AnswerVia, Reminder
from reminders.services.answering.answers import actor_of, first_answer
from reminders.services.syncing import sync_course_reminders

_OPEN: Final = (CourseStatus.ACTIVE, CourseStatus.PAUSED)


def stop_channel(
    *,
    client: Client,
    channel: Channel | str,
    via: AnswerVia | str,
    event_key: str = "",
    reminder: Reminder | None = None,
    now: datetime,
) -> Answer:
    """Withdraw a client's consent to one channel; what was to go over it goes over another one or not at all.

    Idempotent as confirm_by_client().
    Raises: CourseError `busy` when the same may be tried again.
    """
    with transacting():
        courses, client = lock_client(client)
        known = first_answer(event_key) or _standing_wish(AnswerKind.STOP, client, channel, event_key)
        if known is not None:
            return known
        for consent in Consent.objects.filter(client=client, channel=channel, withdrawn_at=None):
            # Never before it was given, whatever the hosts' clocks say.
            consent.withdrawn_at = max(now, consent.granted_at)
            consent.withdrawn_source = f"client:{via}"
            consent.save(update_fields=["withdrawn_at", "withdrawn_source"])
            _record_wish("client.channel_stopped", client, channel, via, now)
            sync_courses(courses, now=now)
        return _keep_wish(AnswerKind.STOP, client, channel, via, event_key, reminder, "", now)


def start_channel(
    *, client: Client, channel: Channel | str, via: AnswerVia | str, event_key: str = "", now: datetime
) -> Answer:
    """Let messages come over one channel again; else as stop_channel().

    Refused with `no_contact` or `contact_disabled` where there is no address to write to.
    """
    with transacting():
        courses, client = lock_client(client)
        known = first_answer(event_key) or _standing_wish(AnswerKind.START, client, channel, event_key)
        if known is not None:
            return known
        refusal = _why_no_start(client, channel)
        consents = Consent.objects.filter(client=client, channel=channel)
        if not refusal and not consents.filter(withdrawn_at=None).exists():
            consents.create(
                clinic_id=client.clinic_id,
                client=client,
                channel=channel,
                granted_at=now,
                granted_source=f"client:{via}",
            )
            _record_wish("client.channel_started", client, channel, via, now)
            sync_courses(courses, now=now)
        return _keep_wish(AnswerKind.START, client, channel, via, event_key, None, refusal, now)


def lock_client(client: Client) -> tuple[list[Course], Client]:
    """Return a client as it is now with the running courses, all locked until the transaction ends."""
    running = Course.objects.select_for_update(of=("self",)).filter(client=client, status__in=_OPEN)
    courses = list(running.order_by("pk"))
    # Not against rows that refer to it, which the courses' own changes write.
    locked = Client.objects.select_for_update(of=("self",), no_key=True).select_related("clinic")
    return courses, locked.get(pk=client.pk)


def sync_courses(courses: list[Course], *, now: datetime) -> None:
    """Bring the messages of a client's locked courses in line with how the client can be reached now."""
    for course in courses:
        sync_course_reminders(course_id=course.pk, now=now)


def _standing_wish(kind: AnswerKind, client: Client, channel: str, event_key: str) -> Answer | None:
    """Return the client's last word on a channel when this only repeats it and it still holds."""
    wishes = Answer.objects.filter(
        client=client, channel=channel, kind__in=(AnswerKind.STOP, AnswerKind.START), refusal=""
    )
    last = wishes.order_by("-answered_at", "-pk").first()
    if event_key or last is None or last.kind != kind:
        return None
    is_allowed = Consent.objects.filter(client=client, channel=channel, withdrawn_at=None).exists()
    return last if is_allowed == (kind == AnswerKind.START) else None


def _why_no_start(client: Client, channel: str) -> str:
    if client.erased_at is not None:
        return "client_erased"
    contacts = ContactPoint.objects.filter(client=client, channel=channel)
    if contacts.filter(disabled_at=None).exists():
        return ""
    return "contact_disabled" if contacts.exists() else "no_contact"


def _record_wish(action: str, client: Client, channel: str, via: str, now: datetime) -> None:
    record(
        action,
        at=now,
        by=actor_of(client),
        clinic_code=client.clinic.code,
        subject_kind="client",
        subject_code=client.code,
        new={"channel": str(channel), "via": str(via)},
    )


def _keep_wish(
    kind: AnswerKind,
    client: Client,
    channel: str,
    via: str,
    event_key: str,
    reminder: Reminder | None,
    refusal: str,
    now: datetime,
) -> Answer:
    return Answer.objects.create(
        clinic_id=client.clinic_id,
        client=client,
        reminder=reminder,
        kind=kind,
        via=via,
        channel=channel,
        event_key=event_key,
        refusal=refusal,
        answered_at=now,
    )
