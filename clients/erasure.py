"""What is left of a client who is erased: a row without a person."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from audit.services import Actor
from clients.links import revoke_links
from clients.models import Client, Consent, ContactPoint, DetailLevel, ErasureRequest


def anonymise_client(*, client: Client, by: Actor, now: datetime) -> Client:
    """Take everything that tells who somebody is from a client's own rows: names, addresses, wishes, notes, links.

    Permissions end and stay with their dates: they name nobody. There is no way back.
    Raises: ValidationError `client_erased` when it was done before.
    """
    with transaction.atomic():
        locked = Client.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=client.pk)
        if locked.erased_at is not None:
            raise ValidationError(_("This client has been erased."), code="client_erased")
        revoke_links(client=locked, by=by, now=now)
        ContactPoint.objects.filter(client=locked).delete()
        Consent.objects.filter(client=locked, withdrawn_at=None).update(
            withdrawn_at=now, withdrawn_source="erased"
        )
        ErasureRequest.objects.filter(client=locked, handled_at=None).update(handled_at=now)
        with translation.override(locked.clinic.language):
            empty_client(locked, name=_("Erased client"), now=now)
    return locked


def empty_client(client: Client, *, name: str, now: datetime) -> None:
    """Leave of a locked client's row nothing but a name that is nobody's."""
    client.given_name = name
    client.family_name = client.health_notes = client.time_zone = client.search_text = ""
    client.birth_on = client.prefers_from_time = client.prefers_to_time = None
    client.quiet_from_time = client.quiet_to_time = None
    client.detail_level = DetailLevel.CLINIC
    client.prefers_weekdays, client.prefers_practitioner = [], None
    client.erased_at = now
    client.save()
