"""What owners type about their staff."""

from django import forms
from django.utils.translation import gettext_lazy as _

from clinics.models import Role
from staff.forms import DateInput, named
from staff.overtaken import SeenForm


class MemberForm(SeenForm):
    """Who somebody is in the clinic; whether that may be so is for the service to say."""

    display_name = forms.CharField(
        label=_("Name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("As colleagues and clients know them."),
    )
    # Not the first of the list: nobody becomes an owner by pressing Enter.
    role = forms.ChoiceField(label=_("Role"), choices=lambda: named(Role.choices), initial=Role.RECEPTIONIST)
    is_treating = forms.BooleanField(
        label=_("Treats clients, so sessions can be booked with them"), required=False
    )


class NewMemberForm(MemberForm):
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=_("They sign in with it. A link to choose a password goes there."),
    )
    field_order = ("display_name", "email", "role", "is_treating")


class AbsenceForm(forms.Form):
    """On which days a practitioner is away, both included."""

    from_on = forms.DateField(label=_("From day"), widget=DateInput())
    to_on = forms.DateField(label=_("To day"), widget=DateInput())
    reason = forms.CharField(
        label=_("Reason"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
