"""The clinic's people in words: what they may do, how they sign in, and what is booked with them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from clinics.models import StaffMember, Weekday
from staff.presenters.badges import Badge
from staff.presenters.sign_in import second_step_badge


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One member of staff as a line of the list; `coming` counts the bookings that lie ahead."""

    member: StaffMember
    url: str
    role: str
    badge: Badge
    # Nothing before they have signed in here: what guards a login is known to the clinics it works in.
    second_step: Badge | None
    last_seen: datetime | None
    coming: int
    is_self: bool
    # They have not signed in here yet; whether the login works elsewhere is not told.
    is_invited: bool

    @property
    def coming_words(self) -> str:
        """Return how many sessions lie ahead with them; nothing when none do."""
        if not self.coming:
            return ""
        return ngettext(
            "%(n)s session is booked with them", "%(n)s sessions are booked with them", self.coming
        ) % {"n": self.coming}


def person_line(member: StaffMember, *, has_second_step: bool, coming: int, is_self: bool) -> PersonLine:
    is_invited = member.signed_in_at is None
    return PersonLine(
        member=member,
        url=reverse("staff:people-edit", args=[member.code]),
        role=capfirst(str(member.get_role_display())),
        badge=_badge(member, is_invited=is_invited),
        second_step=None if is_invited else second_step_badge(is_on=has_second_step),
        last_seen=member.signed_in_at,
        coming=coming,
        is_self=is_self,
        is_invited=is_invited,
    )


def _badge(member: StaffMember, *, is_invited: bool) -> Badge:
    if not member.is_active:
        return Badge(pgettext("staff member", "No access"), "quiet", "ban")
    if is_invited:
        return Badge(pgettext("staff member", "Invited"), "accent", "mail")
    return Badge(pgettext("staff member", "Active"), "good", "circle-check")


def left_behind_words(coming: int) -> str:
    """Return what is still booked with somebody who is not there any more; nothing when nothing is."""
    if not coming:
        return ""
    return ngettext(
        "%(n)s coming session is still booked with them: move it or give it to somebody else.",
        "%(n)s coming sessions are still booked with them: move them or give them to somebody else.",
        coming,
    ) % {"n": coming}


def hit_words(count: int) -> str:
    """Return what is booked on days on which somebody will be away; nothing when nothing is."""
    if not count:
        return ""
    return ngettext(
        "%(n)s session is booked with them on these days: move it or give it to somebody else.",
        "%(n)s sessions are booked with them on these days: move them or give them to somebody else.",
        count,
    ) % {"n": count}


def invitation_words(*, is_sent: bool) -> str:
    if is_sent:
        return _("The link to sign in went to their e-mail address.")
    return _("The mail with the link did not go out. Check the address, then send the link again.")


def hours_lines(hours: Sequence[tuple[int, time, time]]) -> list[str]:
    """Return hours as a line for each weekday that has any, for example "Monday: 09:00–13:00, 14:00–18:00"."""
    spans: defaultdict[int, list[str]] = defaultdict(list)
    for weekday, starts, ends in hours:
        spans[weekday].append(f"{starts:%H:%M}–{ends:%H:%M}")
    return [f"{capfirst(Weekday(day).label)}: {', '.join(found)}" for day, found in sorted(spans.items())]
