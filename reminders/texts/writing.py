"""From reminders to one message in the recipient's language, written at the moment of sending."""

from collections.abc import Sequence
from datetime import datetime
from email.utils import parseaddr
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from reminders.calendar import calendar_file
from reminders.channels.base import Attachment, Message
from reminders.models import Reminder
from reminders.texts.compiling import Filled, Template, compile_line, compile_text, fill_block, fill_blocks
from reminders.texts.rendering import footer_html, write_html, write_text
from reminders.texts.shipped import RuleText, shipped_text
from reminders.texts.values import KNOWN, Part, Values, View, plain, sender_name, view_of

# A name longer than this would leave an SMS no room for the rest.
_SHORT_CLINIC_MOST: Final = 30
_SUBJECT_MOST: Final = 200


def message_key(row: Reminder) -> str:
    """Return the Message-ID of a reminder, the same at every try."""
    return f"<{row.code}@{_host(settings.DEFAULT_FROM_EMAIL, settings.BASE_URL)}>"


def write_message(parts: Sequence[Part], *, address: str, now: datetime) -> Message:
    """Return one message that says what all of its parts say, as it reads now.

    Written at the moment of sending, so that "tomorrow" is never yesterday's word. The first part leads: its
    row gives the key, the channel and the addresses. All parts are for one recipient, and their rows come
    from load_rows(); one that tells a schedule needs it.
    """
    views = [view_of(part, now=now) for part in parts]
    texts = [text_of(view.row.rule, view.row.trigger, view.language) for view in views]
    return compose(views, texts, [Values(view) for view in views], address=address)


def text_of(rule: Any, trigger: str, language: str) -> RuleText:
    """Return the words of a rule in a language: the clinic's own, else ours, each part by itself."""
    ours = shipped_text(trigger, language)
    own = rule.texts.get(language)
    if not own:
        return ours
    return RuleText(
        own.get("subject") or ours.subject, own.get("body") or ours.body, own.get("short") or ours.short
    )


def compose(
    views: Sequence[View], texts: Sequence[RuleText], values: Sequence[Values], *, address: str
) -> Message:
    """Return the message of parts whose words and values are known."""
    lead = views[0]
    row, clinic = lead.row, sender_name(lead)
    blocks = _join(
        [_sections(compile_text(text.body, KNOWN), found) for text, found in zip(texts, values, strict=True)]
    )
    subject = _subject(lead, texts, values)
    stop = lead.part.links.unsubscribe if lead.part.links is not None else ""
    text = write_text(blocks)
    footer = ""
    if stop and row.channel == "email":
        text += "\n" + lead.words["unsubscribe"].format(link=stop) + "\n"
        footer = footer_html(lead.words["unsubscribe_label"], stop)
    return Message(
        key=message_key(row),
        address=address,
        subject=subject,
        text=text,
        html=write_html(blocks, language=lead.language, subject=subject, clinic=clinic, footer=footer)
        if row.channel == "email"
        else "",
        sender_name=clinic,
        reply_to=row.clinic.reply_to_email,
        clinic_id=row.clinic.pk,
        short=_short(texts, values, clinic),
        reference=str(row.code),
        headers=_headers(stop) if row.channel == "email" else (),
        attachments=_attachments(views),
        facts=_facts(row),
    )


def _sections(template: Template, values: Values) -> tuple[list[Filled], list[Filled], list[Filled]]:
    """Return the greeting, what the message says, and the signature."""
    greeting = fill_block(template.greeting, values) if template.greeting else None
    signature = fill_block(template.signature, values) if template.signature else None
    return (
        [greeting] if greeting else [],
        fill_blocks(template.blocks, values),
        [signature] if signature else [],
    )


def _join(sections: list[tuple[list[Filled], list[Filled], list[Filled]]]) -> list[Filled]:
    """Return one greeting, everything that is said, said once, and one signature."""
    if len(sections) == 1:
        greeting, said, signature = sections[0]
        return [*greeting, *said, *signature]
    bodies = [said for _, said, _ in sections]
    closing: list[Filled] = []
    # What all of them end with is said once, at the end.
    while all(bodies) and all(said[-1] == bodies[0][-1] for said in bodies):
        closing.insert(0, bodies[0][-1])
        bodies = [said[:-1] for said in bodies]
    middle = dict.fromkeys(block for said in bodies for block in said)
    greeting = next((greeting for greeting, _, _ in sections if greeting), [])
    signature = next((signature for _, _, signature in sections if signature), [])
    return [*greeting, *middle, *closing, *signature]


def _subject(lead: View, texts: Sequence[RuleText], values: Sequence[Values]) -> str:
    found = {
        compile_line(text.subject, KNOWN).fill(own) or "" for text, own in zip(texts, values, strict=True)
    }
    subject = plain(found.pop()) if len(found) == 1 else lead.words["several"]
    return subject[:_SUBJECT_MOST]


def _short(texts: Sequence[RuleText], values: Sequence[Values], clinic: str) -> str:
    """Return the parts one after the other on one line, the clinic's name once and not at length."""
    name = clinic[:_SHORT_CLINIC_MOST].rstrip()
    found: dict[str, None] = {}
    for text, own in zip(texts, values, strict=True):
        for line in text.short.splitlines():
            compiled = compile_line(line.strip(), KNOWN)
            own_values = {known: name if known == "clinic" else own[known] for known in compiled.names}
            filled = compiled.fill(own_values)
            if filled:
                found[filled.removeprefix(f"{name}: ") if found else filled] = None
    return plain(" ".join(found))


def _headers(stop: str) -> tuple[tuple[str, str], ...]:
    """Return what gives a mail program its button for no more messages (RFC 8058)."""
    if not stop:
        return ()
    return (("List-Unsubscribe", f"<{stop}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))


def _attachments(views: Sequence[View]) -> tuple[Attachment, ...]:
    """Return the calendar files of an e-mail that tells a schedule."""
    found = [
        calendar_file(row=view.row, schedule=view.part.schedule, now=view.now)
        for view in views
        if view.part.schedule is not None and view.row.channel == "email"
    ]
    return tuple(file for file in found if file is not None)


def _facts(row: Any) -> dict[str, str]:
    """Return what a program needs to know: codes and instants only."""
    facts = {"reminder": str(row.code), "trigger": str(row.trigger), "clinic": str(row.clinic.code)}
    if row.client is not None:
        facts["client"] = str(row.client.code)
    if row.course is not None:
        facts["course"] = str(row.course.code)
    if row.session is not None:
        facts["session"] = str(row.session.code)
        if row.session.starts_at is not None:
            facts["starts_at"] = row.session.starts_at.isoformat()
    return facts


@lru_cache(maxsize=8)
def _host(sender: str, base_url: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or urlsplit(base_url).hostname or "localhost"
