"""What staff type about messages: filters, addresses, wishes."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.models import Channel, Client, ContactPoint
from clinics.models import Clinic
from reminders.models import Trigger
from reminders.selectors import COMING, NOT_SENT, SENT, WAITING, MessageFilter
from staff.forms import YEARS, DateInput, named
from staff.overtaken import SEEN, is_overtaken, overtaken_words, read_stamp, stamp_of

GROUPS = [
    (COMING, _("Coming")),
    (SENT, _("Sent")),
    (NOT_SENT, _("Not sent")),
    (WAITING, _("Needs a person")),
]


class MessageFilterForm(forms.Form):
    """The list's filters; they live in the address."""

    show = forms.ChoiceField(required=False, choices=GROUPS, widget=forms.HiddenInput)
    q = forms.CharField(label=_("Client"), required=False, max_length=100)
    channel = forms.ChoiceField(
        label=_("Channel"), required=False, choices=lambda: named(Channel.choices, _("Any"))
    )
    trigger = forms.ChoiceField(
        label=_("Message"), required=False, choices=lambda: named(Trigger.choices, _("Any"))
    )
    from_on = forms.DateField(label=_("From day"), required=False, widget=DateInput(), validators=YEARS)
    to_on = forms.DateField(label=_("To day"), required=False, widget=DateInput(), validators=YEARS)

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clients = Client.objects.for_clinic(clinic)
        self.fields["client"] = forms.ModelChoiceField(
            clients, to_field_name="code", required=False, widget=forms.HiddenInput
        )

    def wanted(self) -> MessageFilter:
        """Return what is asked for; what cannot be understood narrows nothing."""
        self.is_valid()
        chosen = self.cleaned_data
        return MessageFilter(
            group=chosen.get("show") or COMING,
            channel=chosen.get("channel") or "",
            trigger=chosen.get("trigger") or "",
            from_on=chosen.get("from_on"),
            to_on=chosen.get("to_on"),
            text=chosen.get("q") or "",
            client=chosen.get("client"),
        )


class AddressForm(forms.Form):
    """One address of a client on one channel, in the place of the one that the page showed there.

    `contacts` are those the client has; the page posts `stamp` back as SEEN.
    """

    channel = forms.ChoiceField(
        label=_("Channel"),
        choices=lambda: named(choice for choice in Channel.choices if choice[0] != Channel.WEBHOOK),
    )
    value = forms.CharField(
        label=_("New address"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("An e-mail address, a telephone number, or the number of a Telegram chat."),
    )

    def __init__(self, *args: Any, contacts: Iterable[ContactPoint], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stored = {contact.channel: contact.value for contact in contacts}

    @property
    def stamp(self) -> str:
        """A mark for each channel of the address there, also where there is none yet."""
        return stamp_of((channel, self._stored.get(channel, "")) for channel in Channel.values)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        channel = values.get("channel", "")
        stored = self._stored.get(channel, "")
        is_other = values.get("value") not in (None, stored)
        if is_other and is_overtaken(read_stamp(self.data.get(SEEN, "")), channel, stored):
            self.add_error("value", overtaken_words(stored or "–"))
        return values


class DigestForm(forms.Form):
    gets_digest = forms.BooleanField(
        label=_("Send me the morning summary by e-mail"),
        required=False,
        help_text=_("Who comes today, what needs attention, and which messages did not get through."),
    )
