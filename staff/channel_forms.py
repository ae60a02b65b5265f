"""What owners type about a channel: the answers a provider asks for, and where a test goes."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.models import Channel
from reminders.channels.providers import Field, Provider
from reminders.models import ChannelAccount
from staff.overtaken import SeenForm

_MOST_PER_MINUTE = 6000


class AnswerField(forms.CharField):
    """A question whose mark says whether it must be answered; the service checks that, in its own words."""

    def validate(self, value: Any) -> None:
        pass


class AccountForm(SeenForm):
    """A provider's questions; which answers are right is for the service to say."""

    # The service names every wrong answer at once, in the page's words rather than the browser's.
    use_required_attribute = False

    def __init__(
        self,
        *args: Any,
        provider: Provider,
        account: ChannelAccount | None = None,
        usual_rate: int,
        has_lost_keys: bool = False,
        **kwargs: Any,
    ) -> None:
        is_same = account is not None and account.provider == provider.key
        if account is not None and is_same:
            kwargs["initial"] = {**account.settings, "per_minute": account.per_minute}
        super().__init__(*args, **kwargs)
        self.provider = provider
        for question in provider.fields:
            is_stored = is_same and question.is_secret and not has_lost_keys
            self.fields[question.name] = _answer_field(question, is_stored=is_stored)
        self.fields["per_minute"] = forms.IntegerField(
            label=_("Messages a minute, at most"),
            min_value=1,
            max_value=_MOST_PER_MINUTE,
            required=False,
            help_text=_("Empty means %(number)s.") % {"number": usual_rate},
            widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        )
        if provider.generated and is_same:
            self.fields["renews"] = forms.BooleanField(
                label=_("Make a new signing secret; the present one stops working at once"), required=False
            )

    def answers(self) -> Mapping[str, str]:
        """Return what was answered to the provider's questions."""
        return {question.name: self.cleaned_data.get(question.name, "") for question in self.provider.fields}


def _answer_field(question: Field, *, is_stored: bool) -> forms.Field:
    if question.choices:
        return forms.ChoiceField(
            label=str(question.label), choices=question.choices, help_text=str(question.hint)
        )
    # Neither remembered by the browser nor ever sent back to it.
    secret = forms.PasswordInput(attrs={"autocomplete": "new-password", "spellcheck": "false"})
    plain = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return AnswerField(
        label=str(question.label),
        max_length=2000,
        required=question.is_required and not is_stored,
        help_text=_("Stored. Leave it empty to keep it.") if is_stored else str(question.hint),
        widget=secret if question.is_secret else plain,
    )


class ChannelTestForm(forms.Form):
    """To whom a test message goes; the clinic's own system needs no address."""

    use_required_attribute = False

    def __init__(self, *args: Any, channel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if channel == Channel.WEBHOOK:
            return
        is_chat = channel == Channel.TELEGRAM
        self.fields["address"] = forms.CharField(
            label=_("Number of the chat") if is_chat else _("Telephone"),
            max_length=40,
            help_text=_("A person's chat with the bot: digits only.") if is_chat else "",
            widget=forms.TextInput(attrs={"type": "text" if is_chat else "tel", "autocomplete": "off"}),
        )
