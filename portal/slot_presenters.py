"""Free slots in the words of their page, by day: those that keep the prescription first; runs no query."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client
from courses.services import SlotOffer, SlotOffers
from portal.presenters import zone_note
from portal.slots import sign_slot
from reminders.texts.dates import day_text, time_text


@dataclass(frozen=True)
class SlotButton:
    """One slot: what its button says and sends."""

    value: str
    time: str
    moment: str


@dataclass(frozen=True)
class SlotDay:
    """One day's slots, with what choosing that day does to the course; blank where it keeps the prescription."""

    day: str
    warning: str
    slots: tuple[SlotButton, ...]


@dataclass(frozen=True)
class SlotDays:
    """The days that keep the prescription, and those that do not; whose time it is, where that could be mistaken."""

    fitting: tuple[SlotDay, ...]
    others: tuple[SlotDay, ...]
    zone_note: str

    @property
    def is_empty(self) -> bool:
        return not self.fitting and not self.others


def present_slots(offers: SlotOffers, *, about: str, version: int, client: Client) -> SlotDays:
    """Return the slots in the language in force; what their buttons send is good for this link and purpose only."""
    zone = ZoneInfo(client.clinic.time_zone)
    days = []
    for on, group in groupby(offers.slots, key=lambda offer: offer.starts_at.astimezone(zone).date()):
        slots = list(group)
        days.append((slots[0].keeps_prescription, _day(on, slots, about, version, client, zone)))
    return SlotDays(
        tuple(day for is_fitting, day in days if is_fitting),
        tuple(day for is_fitting, day in days if not is_fitting),
        zone_note((offer.starts_at for offer in offers.slots), client, zone),
    )


def _day(
    on: date, slots: list[SlotOffer], about: str, version: int, client: Client, zone: ZoneInfo
) -> SlotDay:
    return SlotDay(
        day_text(on, client.language),
        _warning(slots[0]),
        tuple(
            SlotButton(
                sign_slot(slot, about=about, version=version),
                time_text(slot.starts_at, zone),
                slot.starts_at.isoformat(),
            )
            for slot in slots
        ),
    )


def _warning(offer: SlotOffer) -> str:
    """Return what choosing the slot's day does to the course, in plain words."""
    said = []
    if offer.late_days:
        said.append(
            ngettext(
                "%(n)s day later than planned for you.",
                "%(n)s days later than planned for you.",
                offer.late_days,
            )
            % {"n": offer.late_days}
        )
    if offer.early_days:
        said.append(_("Another visit near it would then come too soon; the clinic may move that one."))
    return " ".join(said)
