"""A text from a client's telephone: whose it is, what it asks for, and that it is done once.

A text that no rule fits is never guessed at: it is kept with the client for staff to read.
"""

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from clients.models import Channel, Client, Consent, ContactPoint
from clients.services import checked_phone
from reminders.core import AWAITED
from reminders.keywords import Word, read_word
from reminders.models import Answer, AnswerKind, AnswerVia, ChannelAccount, Reminder, ReminderState, Trigger
from reminders.services.answering import cancel_by_client, confirm_by_client, start_channel, stop_channel

logger = logging.getLogger(__name__)

# Why an answer changed nothing, as short codes.
AMBIGUOUS: Final = "ambiguous"
NOTHING_ASKED: Final = "nothing_asked"
NEVER_AGREED: Final = "never_agreed"

_ABOUT_A_VISIT: Final = (Trigger.BEFORE_SESSION, Trigger.PREPARATION)
# Nobody is reminded of a visit earlier than this.
_ASKED_WITHIN: Final = timedelta(days=60)
_TEXT_MOST: Final = 1000
_KEY_MOST: Final = 120


def receive_text(
    *, account: ChannelAccount, sender: str, text: str, event_id: str, now: datetime
) -> list[Answer]:
    """Do what a client's text asks for and return the answers kept; none for a number of nobody's.

    The clinic is the account's; the number belongs to whichever of its clients have it. STOP counts for all
    of them: the telephone asks for silence. A yes or no counts only when exactly one visit that the number was
    reminded of lies ahead. `event_id` tells a text that comes again: it changes nothing then.
    Raises: CourseError `busy` when the same may be tried again.
    Cost: five queries at most, then those of the verb.
    """
    event_key = _event_key(account, event_id)
    # What is done for several clients has a key for each, so that a text cut short half way is finished.
    known = list(Answer.objects.filter(event_key=event_key))
    clients = [] if known else _clients_of(account, sender)
    if not clients:
        return known
    latest = _latest_reminder(clients)
    word = read_word(text)
    if word == Word.STOP:
        return [_stop(client, latest, f"{event_key}:{client.pk}", now) for client in clients]
    if word == Word.START and (willing := _once_agreed(clients)):
        return [
            start_channel(
                client=client,
                channel=Channel.SMS,
                via=AnswerVia.SMS,
                event_key=f"{event_key}:{client.pk}",
                now=now,
            )
            for client in willing
        ]
    if word in (Word.YES, Word.NO):
        asked = _asked_visits(clients, now=now)
        if len(asked) == 1:
            return [_answer_visit(word, asked[0], event_key, now)]
        refusal = AMBIGUOUS if asked else NOTHING_ASKED
    else:
        refusal = NEVER_AGREED if word == Word.START else ""
    client = latest.client if latest is not None and latest.client is not None else clients[0]
    return [_keep(client, latest, text, refusal, event_key, now)]


def _event_key(account: ChannelAccount, event_id: str) -> str:
    """Return the event under its account's name: another clinic's events cannot take its place."""
    key = f"sms:{account.code}:{event_id}"
    return key if len(key) <= _KEY_MOST else f"sms:{hashlib.sha256(key.encode()).hexdigest()}"


def _clients_of(account: ChannelAccount, sender: str) -> list[Client]:
    """Return the clinic's clients with the number; some providers leave its plus out, some send it as dialled."""
    for number in (f"+{sender.lstrip('+')}", sender):
        try:
            known = checked_phone(number, country=account.clinic.country)
        except ValidationError:
            continue
        contacts = ContactPoint.objects.for_clinic(account.clinic).filter(channel=Channel.SMS, value=known)
        clients = Client.objects.for_clinic(account.clinic).filter(erased_at=None)
        if found := list(clients.filter(pk__in=contacts.values("client")).order_by("pk")):
            return found
    return []


def _latest_reminder(clients: Sequence[Client]) -> Reminder | None:
    return _sent_to(clients).order_by("-decided_at", "-pk").first()


def _sent_to(clients: Sequence[Client]) -> QuerySet[Reminder]:
    return Reminder.objects.filter(
        client__in=clients,
        channel=Channel.SMS,
        state__in=(ReminderState.SENT, ReminderState.UNCERTAIN),
    ).select_related("client")


def _asked_visits(clients: Sequence[Client], *, now: datetime) -> list[Reminder]:
    """Return for each visit ahead that the number was reminded of the latest reminder, which names it."""
    reminders = _sent_to(clients).filter(
        trigger__in=_ABOUT_A_VISIT,
        decided_at__gt=now - _ASKED_WITHIN,
        session__status__in=AWAITED,
        session__starts_at__gt=now,
    )
    latest = {row.session_id: row for row in reminders.select_related("session__course").order_by("pk")}
    return list(latest.values())


def _once_agreed(clients: Sequence[Client]) -> list[Client]:
    """Return those who agreed to SMS before: a text cannot be the first consent of somebody who never gave one."""
    agreed = set(
        Consent.objects.filter(client__in=clients, channel=Channel.SMS).values_list("client", flat=True)
    )
    return [client for client in clients if client.pk in agreed]


def _stop(client: Client, latest: Reminder | None, event_key: str, now: datetime) -> Answer:
    return stop_channel(
        client=client,
        channel=Channel.SMS,
        via=AnswerVia.SMS,
        event_key=event_key,
        reminder=latest if latest is not None and latest.client_id == client.pk else None,
        now=now,
    )


def _answer_visit(word: Word, reminder: Reminder, event_key: str, now: datetime) -> Answer:
    assert reminder.session is not None, "it was selected by its session"
    assert reminder.client is not None, "it is about a visit"
    act = confirm_by_client if word == Word.YES else cancel_by_client
    return act(
        session=reminder.session,
        client=reminder.client,
        via=AnswerVia.SMS,
        event_key=event_key,
        reminder=reminder,
        now=now,
    )


def _keep(
    client: Client, latest: Reminder | None, text: str, refusal: str, event_key: str, now: datetime
) -> Answer:
    answer, _ = Answer.objects.get_or_create(
        event_key=event_key,
        defaults={
            "clinic_id": client.clinic_id,
            "client": client,
            "reminder": latest,
            "session": latest.session if latest is not None else None,
            "kind": AnswerKind.OTHER,
            "via": AnswerVia.SMS,
            "channel": Channel.SMS,
            "text": text.replace("\x00", "")[:_TEXT_MOST],
            "refusal": refusal,
            "answered_at": now,
        },
    )
    return answer
