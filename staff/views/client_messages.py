"""A client's messages, addresses and wishes: why two, why none?"""

from datetime import datetime
from typing import Any, Final

from clients.models import Client
from courses.convert import local_today
from reminders.models import LIVE_STATES
from reminders.selectors import client_messages
from staff.message_forms import AddressForm
from staff.presenters import messages as shown
from staff.views.messages import open_channels

SHOWN_AHEAD: Final = 6
SHOWN_BEHIND: Final = 10


def messages_context(
    client: Client, *, now: datetime, address_form: AddressForm | None = None
) -> dict[str, Any]:
    """Return what a client's page shows of messages; the contact points and consents must be loaded.

    address_form: one that was refused, with what was typed.
    Cost: three queries.
    """
    today, contacts = local_today(client.clinic, now), list(client.contact_points.all())
    rows, channels = client_messages(client), open_channels(client.clinic)
    ahead = rows.filter(state__in=LIVE_STATES).order_by("send_at", "pk")[:SHOWN_AHEAD]
    behind = rows.exclude(state__in=LIVE_STATES)[:SHOWN_BEHIND]
    return {
        "messages_ahead": [shown.message_line(row, today=today, channels=channels) for row in ahead],
        "messages_behind": [shown.message_line(row, today=today) for row in behind],
        "contact_rows": shown.contact_lines(contacts, today=today),
        "consent_rows": shown.consent_lines(list(client.consents.all()), today=today),
        "address_form": address_form or AddressForm(contacts=contacts, auto_id="address-%s"),
        "today": today,
    }
