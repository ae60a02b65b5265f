"""What a new clinic still needs, step by step; each step's state comes from the rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _

from clients.models import Client
from clinics.models import Clinic, Closure, OpeningHours, Room, StaffMember
from courses.models import Course, Protocol


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, why, and where; what is optional does not keep the clinic from working."""

    title: str
    text: str
    url: str
    is_done: bool
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Guide:
    """The steps in the order in which they help each other."""

    steps: tuple[Step, ...]

    @property
    def next(self) -> Step | None:
        """The first step that is not done."""
        return next((step for step in self.steps if not step.is_done), None)

    @property
    def done_count(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing that the clinic cannot do without."""
        return all(step.is_done or step.is_optional for step in self.steps)


def load_guide(clinic: Clinic) -> Guide | None:
    """Return what a clinic that is being set up still needs; None for any other.

    Cost: one query, none for a clinic that is not being set up.
    """
    if not clinic.is_being_set_up:
        return None
    mine = {"clinic": OuterRef("pk")}
    has = (
        Clinic.objects.filter(pk=clinic.pk)
        .values(
            has_hours=Exists(OpeningHours.objects.filter(**mine)),
            has_closures=Exists(Closure.objects.filter(**mine)),
            has_people=Exists(StaffMember.objects.filter(**mine, is_treating=True, is_active=True)),
            has_rooms=Exists(Room.objects.filter(**mine, is_active=True)),
            has_protocols=Exists(Protocol.objects.filter(**mine, is_current=True)),
            has_clients=Exists(Client.objects.filter(**mine)),
            has_courses=Exists(Course.objects.filter(**mine)),
        )
        .get()
    )
    return Guide(_steps(has))


def _steps(has: Mapping[str, Any]) -> tuple[Step, ...]:
    return (
        Step(
            _("Opening hours"),
            _("Sessions are planned inside them. Monday to Friday from nine to six to begin with."),
            reverse("staff:settings-hours"),
            has["has_hours"],
        ),
        Step(
            _("Public holidays"),
            _("Closed days are never held against a client."),
            reverse("staff:settings-holidays"),
            has["has_closures"],
            is_optional=True,
        ),
        Step(
            _("Who treats"),
            _("Add your colleagues and mark who treats clients; each has a column in the calendar."),
            reverse("staff:people-new"),
            has["has_people"],
        ),
        Step(
            _("Rooms"),
            _("With rooms entered, no two sessions meet in one. Without any, only people and hours bind."),
            reverse("staff:settings-rooms"),
            has["has_rooms"],
            is_optional=True,
        ),
        Step(
            _("Protocols"),
            _("Pick from the library what you treat with; a course is prescribed from a protocol."),
            reverse("staff:start-protocols"),
            has["has_protocols"],
        ),
        Step(
            _("The first client"),
            _("A name is enough to begin with; an address or a telephone lets reminders go out."),
            reverse("staff:client-add"),
            has["has_clients"],
        ),
        Step(
            _("The first course"),
            _("Choose client and protocol: every date is shown with its reason before anything is saved."),
            reverse("staff:course-new"),
            has["has_courses"],
        ),
    )
