"""Names of protocols and practitioners in rows that only know their keys."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinics.models import Clinic, StaffMember
from courses.models import Protocol


class Names:
    """Names of one clinic's protocols, all versions of one alike, and people. Cost: two queries, at the first look."""

    def __init__(self, clinic: Clinic) -> None:
        language = get_language() or "en"
        self._slugs: dict[int, str] = {}
        self._protocols: dict[str, str] = {}
        for protocol in Protocol.objects.for_clinic(clinic).order_by("pk"):
            self._slugs[protocol.pk] = protocol.slug
            # The latest version's name stands for all.
            self._protocols[protocol.slug] = protocol.name_in(language)
        self._people = dict(StaffMember.objects.for_clinic(clinic).values_list("pk", "display_name"))

    def slug(self, protocol_id: int) -> str:
        return self._slugs[protocol_id]

    def protocol(self, slug: str) -> str:
        return self._protocols[slug]

    def person(self, pk: int | None) -> str:
        return _("nobody named") if pk is None else self._people[pk]
