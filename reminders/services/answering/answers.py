"""What all answers share: who acts, and which answer an event that comes again already has."""

from audit.models import ActorKind
from audit.services import Actor
from clients.models import Client
from reminders.models import Answer


def actor_of(client: Client) -> Actor:
    """Return the client as the actor of a service."""
    return Actor(ActorKind.CLIENT, code=client.code)


def first_answer(event_key: str) -> Answer | None:
    """Return the answer that an event already has; a press on a page is no event."""
    return Answer.objects.filter(event_key=event_key).first() if event_key else None
