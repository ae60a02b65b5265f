"""Saved views: the filters of a list under a name."""

from datetime import datetime
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from audit.services import Actor, record
from clinics.access import Capability, is_allowed
from clinics.models import ListPage, SavedView, StaffMember
from clinics.services import check_printable, lock_clinic

# More than that nobody finds again.
MOST_VIEWS: Final = 20


def visible_views(member: StaffMember) -> QuerySet[SavedView]:
    """Return the member's own views and those that are shared in the clinic, by name."""
    views = SavedView.objects.for_clinic(member.clinic).select_related("member", "clinic")
    return views.filter(Q(member=member) | Q(is_shared=True))


def may_change(view: SavedView, member: StaffMember) -> bool:
    """Tell whether the member may rename, share and remove a view that they see: their own, as an owner any."""
    return view.member_id == member.pk or is_allowed(member, Capability.MANAGE)


def save_view(
    *,
    member: StaffMember,
    page: str,
    name: str,
    query: str,
    by: Actor,
    now: datetime,
    is_shared: bool = False,
) -> SavedView:
    """Keep the filters of a list under a name; `query` is what the list's own form let through.

    Raises: ValidationError by field for an empty or taken name, no filter at all, too many views, or sharing
    by who does not manage the clinic.
    """
    view = SavedView(
        clinic=member.clinic,
        member=member,
        page=ListPage(page),
        name=name.strip(),
        query=query,
        is_shared=is_shared,
        created_at=now,
    )
    with transaction.atomic():
        # A name is looked for and taken at once.
        lock_clinic(member.clinic)
        _check(view, sharer=member)
        view.save()
        _record(view, "view.saved", by=by, now=now)
    return view


def change_view(
    *, view: SavedView, name: str, is_shared: bool, member: StaffMember, by: Actor, now: datetime
) -> SavedView:
    """Give a view another name, share it or take it back; the same again is harmless.

    Raises: ValidationError by field, as save_view().
    """
    with transaction.atomic():
        lock_clinic(view.clinic)
        locked = SavedView.objects.select_related("clinic", "member").get(pk=view.pk)
        if (locked.name, locked.is_shared) == (name.strip(), is_shared):
            return locked
        sharer = member if is_shared and not locked.is_shared else None
        locked.name, locked.is_shared = name.strip(), is_shared
        _check(locked, sharer=sharer)
        locked.save(update_fields=["name", "is_shared"])
        _record(locked, "view.changed", by=by, now=now)
    return locked


def remove_view(*, view: SavedView, by: Actor, now: datetime) -> None:
    """Forget a view; twice is harmless."""
    with transaction.atomic():
        removed, _rows = SavedView.objects.filter(pk=view.pk).delete()
        if removed:
            _record(view, "view.removed", by=by, now=now)


def _check(view: SavedView, *, sharer: StaffMember | None) -> None:
    if not view.query:
        raise ValidationError(
            _("Set a filter first: a view without one is the whole list."), code="no_filter"
        )
    view.clean_fields(exclude=["clinic", "member", "code"])
    try:
        check_printable(view.name)
    except ValidationError as error:
        raise ValidationError({"name": error}) from error
    if view.is_shared and sharer is not None and not is_allowed(sharer, Capability.MANAGE):
        raise ValidationError({"is_shared": _("Only an owner shares a view with the clinic.")})
    others = SavedView.objects.filter(member=view.member, page=view.page).exclude(pk=view.pk)
    if others.filter(name=view.name).exists():
        raise ValidationError({"name": _("There is a view of this name already.")})
    if view.pk is None and others.count() >= MOST_VIEWS:
        raise ValidationError(
            _("There are %(most)s views already. Remove one first.") % {"most": MOST_VIEWS}, code="too_many"
        )


def _record(view: SavedView, action: str, *, by: Actor, now: datetime) -> None:
    record(
        action,
        at=now,
        by=by,
        clinic_code=view.clinic.code,
        subject_kind="view",
        subject_code=view.code,
        # Which list, never the name: it is in somebody's own words.
        new={"page": view.page, "is_shared": view.is_shared},
    )
