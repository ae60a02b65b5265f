"""How somebody signs in: whether a second step guards the password, and what opens when the telephone is lost."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import pgettext

from staff.presenters.badges import Badge


@dataclass(frozen=True, slots=True)
class SecondStep:
    """The second step of a user; `since` is empty while it is off, `codes_left` counts unused recovery codes."""

    since: datetime | None
    codes_left: int
    codes_total: int

    @property
    def badge(self) -> Badge:
        return second_step_badge(is_on=self.since is not None)


def second_step_badge(*, is_on: bool) -> Badge:
    if is_on:
        return Badge(pgettext("second step", "On"), "good", "shield-check")
    return Badge(pgettext("second step", "Off"), "warning", "alert-circle")
