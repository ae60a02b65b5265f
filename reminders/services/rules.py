"""Changes of a clinic's rules: each makes a version, nothing is overwritten."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from audit.services import Actor, record
from clients.models import Channel
from clinics.models import Language
from courses.errors import CourseError
from courses.services.changes import refuse, transacting
from reminders.models import ReminderRule, RuleVersion, Trigger
from reminders.services.resyncing import request_resync
from reminders.services.seeding import CHANGEABLE, TIMING, make_version, rule_values, seed_rules
from reminders.texts import check_text

__all__ = ["change_rule", "pause_rule", "resume_rule", "rule_values", "seed_rules"]

_TEXT_PARTS: Final = ("subject", "body", "short")
_LONGEST_TEXT: Final = 4000
_LONGEST_LINE: Final = 200


def change_rule(*, rule: ReminderRule, values: Mapping[str, Any], by: Actor, now: datetime) -> ReminderRule:
    """Change a rule and return it; what is not in `values` stays, and values that change nothing make no version.

    Messages that wait already follow with the next ticks; until then none of them goes by the old timing.
    Raises: CourseError naming the field for an unknown value, a text that cannot be filled in, no channel.
    """
    return _change(rule, values, action="rule.changed", by=by, now=now)


def pause_rule(*, rule: ReminderRule, by: Actor, now: datetime) -> ReminderRule:
    """Switch a rule off: nothing of it goes out from this moment on."""
    return _change(rule, {"is_active": False}, action="rule.paused", by=by, now=now)


def resume_rule(*, rule: ReminderRule, by: Actor, now: datetime) -> ReminderRule:
    """Switch a rule on again; what it would have sent meanwhile is not made up for."""
    return _change(rule, {"is_active": True}, action="rule.resumed", by=by, now=now)


def _change(
    rule: ReminderRule, values: Mapping[str, Any], *, action: str, by: Actor, now: datetime
) -> ReminderRule:
    with transacting():
        locked = ReminderRule.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=rule.pk)
        old = rule_values(locked)
        for name, value in values.items():
            if name not in CHANGEABLE:
                raise refuse(name, _("This cannot be changed."), code="not_changeable")
            setattr(locked, name, value)
        _check(locked)
        new = rule_values(locked)
        changed = [name for name in CHANGEABLE if new[name] != old[name]]
        if not changed:
            return locked
        locked.version += 1
        if any(name in TIMING for name in changed):
            locked.timing_version = locked.version
            request_resync(clinic=locked.clinic, now=now)
        locked.save()
        RuleVersion.objects.bulk_create([make_version(locked, at=now, by=by)])
        record(
            action,
            at=now,
            by=by,
            clinic_code=locked.clinic.code,
            subject_kind="rule",
            subject_code=locked.code,
            old={"version": locked.version - 1, **{name: old[name] for name in changed if name != "texts"}},
            # The words themselves stand in the version; the trail says that they were changed.
            new={
                "version": locked.version,
                "changed": changed,
                **{name: new[name] for name in changed if name != "texts"},
            },
        )
    return locked


def _check(rule: ReminderRule) -> None:
    """Raise a refusal that names the field for a rule that could not work."""
    known = [Channel.EMAIL] if rule.trigger == Trigger.STAFF_DIGEST else Channel.values
    if not isinstance(rule.channels, list) or not rule.channels:
        raise refuse("channels", _("Choose at least one channel."), code="no_channel")
    if len(set(rule.channels)) != len(rule.channels) or not set(rule.channels) <= set(known):
        raise refuse("channels", _("Choose each channel at most once."), code="unknown_channel")
    if rule.trigger in (Trigger.BEFORE_SESSION, Trigger.PREPARATION):
        if (rule.lead_days is None) == (rule.lead_minutes is None):
            raise refuse(
                "lead_days", _("Say how long before, either in days or in minutes."), code="lead_needed"
            )
    elif rule.lead_minutes is not None:
        raise refuse("lead_minutes", _("This message has no lead in minutes."), code="lead_not_used")
    if rule.trigger == Trigger.STAFF_DIGEST and rule.at_time is None:
        raise refuse("at_time", _("Say at what time of the day."), code="time_needed")
    _check_texts(rule)
    try:
        # Bounds of the columns and the database's own conditions, before the database says no.
        rule.full_clean(exclude=["clinic", "texts", "channels"])
    except ValidationError as error:
        fields = {name: " ".join(messages) for name, messages in error.message_dict.items()}
        raise CourseError(" ".join(fields.values()), code="value_out_of_range", fields=fields) from error


def _check_texts(rule: ReminderRule) -> None:
    if not isinstance(rule.texts, dict) or not set(rule.texts) <= set(Language.values):
        raise refuse("texts", _("Write texts in the languages of the clinic."), code="unknown_language")
    for language, parts in rule.texts.items():
        if not isinstance(parts, dict) or not set(parts) <= set(_TEXT_PARTS):
            raise refuse("texts", _("A text has a subject, a body and a short form."), code="unknown_part")
        for part, text in parts.items():
            field = f"{part}_{language}"
            longest = _LONGEST_TEXT if part == "body" else _LONGEST_LINE
            if not isinstance(text, str) or len(text) > longest:
                raise refuse(
                    field,
                    _("Write at most %(longest)s characters.") % {"longest": longest},
                    code="text_too_long",
                )
            problems = check_text(text)
            if part == "subject" and ("\n" in text or "\r" in text):
                problems.append(_("A subject is a single line."))
            if problems:
                raise refuse(field, " ".join(problems), code="text_unusable")
