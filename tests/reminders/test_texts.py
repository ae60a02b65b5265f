"""What messages say, word for word, in both languages."""

from dataclasses import dataclass
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest
from django.utils.translation import override

from clinics.models import Language
from courses.models import Course
from courses.services import cancel_session, move_session, record_attendance, record_no_show
from reminders.channels.email import write_email
from reminders.models import TELLING_TRIGGERS, Reminder, ReminderRule, Trigger
from reminders.services import sync_course_reminders
from reminders.services.checking import checked_rows, load_rows, load_schedule
from reminders.texts import (
    PLACEHOLDERS,
    Part,
    check_text,
    preview_message,
    shipped_text,
    sms_segments,
    write_message,
)
from reminders.texts.compiling import compile_text, fill_blocks
from reminders.texts.rendering import write_html, write_text
from reminders.texts.shipped import shipped_words
from tests.factories import book
from tests.reminders.builders import NOW, Memory, at, make_desk, send_at

pytestmark = pytest.mark.django_db


def reword(desk, **changes):
    for owner, values in changes.items():
        row = {"clinic": desk.course.clinic, "client": desk.course.client, "protocol": desk.course.protocol}[
            owner
        ]
        for name, value in values.items():
            setattr(row, name, value)
        row.save()


def only_message(when):
    channel = Memory()
    assert send_at(when, channel) == {"sent": 1}
    return channel.messages[0]


@dataclass
class Links:
    session: str = "https://example.com/v/one"
    course: str = ""
    unsubscribe: str = "https://example.com/u/one"


def written(desk, slug="day-before", when="2026-03-03 15:00", links=None, **filters):
    """Return the message of the newest row of a rule as it would read at a moment."""
    pk = Reminder.objects.filter(course=desk.course, rule__slug=slug, **filters).latest("pk").pk
    row = load_rows([pk], now=at(when))[pk]
    return write_message([part_of(row, links)], address="anna@example.com", now=at(when))


def part_of(row, links=None):
    return Part(row, load_schedule(row) if row.trigger in TELLING_TRIGGERS else None, links)


EXPECTED = {
    "en": """Hello Anna,

We look forward to seeing you tomorrow.

    Wednesday, 4 March
    15:00–15:45
    Old Town
    Brivibas iela 1, Riga

If you cannot come, please tell us as early as you can. Somebody else may be waiting for the time.
Call us: +37120000000.

Old Town
""",
    "ru": """Здравствуйте, Anna!

Ждём вас завтра.

    среда, 4 марта
    15:00–15:45
    Old Town
    Brivibas iela 1, Riga

Если прийти не получится, сообщите нам, пожалуйста, как можно раньше. Возможно, этого времени ждёт кто-то другой.
Позвоните нам: +37120000000.

Old Town
""",
}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_day_before(language):
    desk = make_desk()
    reword(desk, clinic={"name": "Old Town"}, client={"language": language})

    assert written(desk).text == EXPECTED[language]


SECRETS = ("Anti-cellulite", "shower", "Session 1", "10–15", "est before")


def test_nothing_of_the_course_is_told_without_the_clinics_leave():
    desk = make_desk()
    reword(desk, protocol={"preparation_en": "Take a warm shower.\nDo not eat for two hours before."})
    hidden = written(desk)
    reword(desk, clinic={"shows_treatment_in_messages": True})

    shown = written(desk)

    for secret in SECRETS:
        assert secret not in hidden.text + hidden.html + hidden.subject + hidden.short
        assert secret in shown.text
        assert secret in shown.html
        # A subject and an SMS lie open on a screen, so they never say more than that there is a visit.
        assert secret not in shown.subject + shown.short
    assert "How to prepare:\n\n- Take a warm shower.\n- Do not eat for two hours before.\n" in shown.text
    assert "    Session 1 of 10–15\n" in shown.text
    assert "If you need another day: best before Wednesday, 4 March.\n" in shown.text


def test_each_visit_ahead_has_its_own_number_and_only_the_next_a_last_day():
    desk = make_desk()
    book(desk.course, date(2026, 3, 6), now=NOW)
    reword(desk, clinic={"shows_treatment_in_messages": True}, client={"language": "ru"})

    second = written(desk, when="2026-03-03 16:00")

    assert "    Сеанс 2 из 10–15\n" in second.text
    assert "не позже" not in second.text


@pytest.mark.parametrize(
    ("language", "line"), [("en", "15:00–15:45 (Riga time)"), ("ru", "15:00–15:45 (время: Рига)")]
)
def test_clinics_time_is_named_where_the_clients_differs(language, line):
    desk = make_desk()
    reword(desk, client={"language": language, "time_zone": "Europe/London"})

    assert line in written(desk).text


def test_zone_with_the_same_time_is_not_named():
    desk = make_desk()
    reword(desk, client={"time_zone": "Europe/Helsinki"})

    assert "15:00–15:45\n" in written(desk).text


def test_schedule_lists_what_is_booked_and_what_is_not_any_more():
    desk = make_desk()
    later = book(desk.course, date(2026, 3, 6), now=NOW)
    first = only_message("2026-03-02 08:03")
    assert first.subject == "Your visits"
    assert [file.name for file in first.attachments] == ["invite.ics"]
    assert first.attachments[0].content.count(b"BEGIN:VEVENT") == 2
    assert "Here are your visits:\n\n- Wednesday, 4 March, 15:00\n- Friday, 6 March, 10:00\n" in first.text

    cancel_session(session=desk.fresh_session(), whose="clinic", by=desk.by, now=at("2026-03-02 10:00"))
    move_session(
        session=later,
        starts_at=at("2026-03-05 11:00"),
        practitioner=later.practitioner,
        room=None,
        by=desk.by,
        now=at("2026-03-02 10:01"),
    )
    second = only_message("2026-03-02 10:04")

    assert second.subject == "Your visits have changed"
    assert "No longer booked:\n\n- Wednesday, 4 March, 15:00\n- Friday, 6 March, 10:00\n" in second.text
    assert "Your visits now:\n\n- Thursday, 5 March, 11:00\n" in second.text


def test_schedule_without_any_session_says_so():
    desk = make_desk()
    only_message("2026-03-02 08:03")

    cancel_session(session=desk.fresh_session(), whose="clinic", by=desk.by, now=at("2026-03-02 10:00"))

    text = only_message("2026-03-02 10:03").text
    assert "Your visits now:\n\n- no visit is booked at the moment\n" in text


def test_missed_session_names_the_next():
    desk = make_desk()
    book(desk.course, date(2026, 3, 6), now=NOW)
    send_at("2026-03-02 08:03")

    record_no_show(session=desk.fresh_session(), by=desk.by, now=at("2026-03-04 15:20"))
    message = only_message("2026-03-04 16:20")

    assert message.subject == "We missed you on Wednesday, 4 March"
    assert "    Friday, 6 March, 10:00\n" in message.text


def test_every_trigger_has_words_in_every_language():
    desk = make_desk()
    reword(
        desk,
        clinic={"shows_treatment_in_messages": True, "daily_message_cap": 99},
        protocol={"preparation_en": "Shower.", "preparation_ru": "Душ."},
    )
    record_attendance(session=desk.session, by=desk.by, now=at("2026-03-04 16:00"))
    Course.objects.update(due_from_on=date(2026, 3, 5), due_by_on=date(2026, 3, 6))
    seen = {}
    for language in ("en", "ru"):
        reword(desk, client={"language": language})
        for trigger in set(Trigger.values) - {"staff_digest"}:
            seen[language, trigger] = _of_trigger(desk, trigger)

    assert len({message.subject for message in seen.values()}) == 2 * (len(Trigger) - 1)
    for message in seen.values():
        for text in (message.text, message.short):
            assert "{" not in text
            assert "None" not in text
            assert "\n\n\n" not in text
        assert message.text.endswith(f"{desk.course.clinic.name}\n")
        assert 1 <= sms_segments(message.short) <= 2
        assert message.short.startswith(f"{desk.course.clinic.name}: ")


def _of_trigger(desk, trigger):
    row = checked_rows().filter(session__isnull=False).first()
    row.trigger = trigger
    if trigger not in ("before_session", "preparation", "missed_session"):
        row.session = None
    return write_message([part_of(row)], address="a@example.com", now=at("2026-03-03 15:00"))


def test_shipped_texts_name_only_what_there_is():
    used = set()
    for language in Language.values:
        for trigger in Trigger.values:
            text = shipped_text(trigger, language)
            for part in (text.subject, text.body, text.short):
                assert check_text(part) == []
                used |= {name for name in PLACEHOLDERS if f"{{{name}}}" in part}
            secret = {"treatment", "progress", "preparation", "best_before"}
            assert not [name for name in secret if f"{{{name}}}" in text.subject + text.short]
    assert used >= set(PLACEHOLDERS) - {"phone", "until", "due_from"}
    assert shipped_words("en").keys() == shipped_words("ru").keys()


# ---------------------------------------------------------------- SMS


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("\U0001f600" * 35, 1),
        ("\U0001f600" * 36, 2),
    ],
)
def test_segments_of_an_sms(text, count):
    assert sms_segments(text) == count


def test_short_form_names_clinic_time_and_link():
    desk = make_desk()
    reword(desk, clinic={"name": "Old Town"})

    assert written(desk).short == "Old Town: your visit is Wed 4 Mar, 15:00."
    assert written(desk, links=Links()).short == (
        "Old Town: your visit is Wed 4 Mar, 15:00. https://example.com/v/one"
    )


def test_short_form_of_a_clinic_with_a_long_name_stays_short():
    desk = make_desk()
    reword(
        desk, clinic={"name": "The Old Town Centre of Massage, Movement and Rest"}, client={"language": "ru"}
    )
    link = Links(session="https://example.com/v/" + "x" * 22)

    assert sms_segments(written(desk, links=link).short) == 2


# ---------------------------------------------------------------- links


def test_links_become_a_button_a_footer_and_the_mail_programs_own_button():
    desk = make_desk()

    message = written(desk, links=Links())

    named = {"confirm": "Confirm", "move": "Choose another time", "cancel": "Cancel"}
    for part, words in named.items():
        assert f"{words}: https://example.com/v/one#{part}\n" in message.text
        assert f'<p class="button"><a href="https://example.com/v/one#{part}">{words}</a></p>' in message.html
    assert message.text.count("/v/one") == message.html.count("/v/one") == len(named)
    assert message.text.endswith("\nNo more of these messages: https://example.com/u/one\n")
    assert '<a href="https://example.com/u/one">No more of these messages</a>' in message.html
    assert message.headers == (
        ("List-Unsubscribe", "<https://example.com/u/one>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )


def test_message_without_links_has_no_button():
    message = written(make_desk())

    assert "Confirm" not in message.text + message.html
    assert 'class="foot"' not in message.html
    assert message.headers == ()


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "/relative", ""])
def test_only_pages_become_buttons(address):
    desk = make_desk()

    message = written(desk, links=Links(session=address))

    assert 'class="button"' not in message.html
    assert "Confirm" not in message.text


def test_programs_are_told_codes_and_instants_only():
    desk = make_desk()

    message = written(desk)

    assert message.facts == {
        "reminder": str(desk.row("day-before").code),
        "trigger": "before_session",
        "clinic": str(desk.course.clinic.code),
        "client": str(desk.course.client.code),
        "course": str(desk.course.code),
        "session": str(desk.session.code),
        "starts_at": "2026-03-04T13:00:00+00:00",
    }
    assert message.reference == message.facts["reminder"]


# ---------------------------------------------------------------- several as one


def test_several_reminders_make_one_message_that_says_everything_once():
    desk = make_desk()
    book(desk.course, date(2026, 3, 5), now=NOW)
    reword(desk, clinic={"name": "Old Town"})
    pks = list(Reminder.objects.filter(rule__slug="day-before").order_by("pk").values_list("pk", flat=True))
    rows = load_rows(pks, now=at("2026-03-03 15:00"))

    message = write_message(
        [part_of(rows[pk], Links(unsubscribe=f"https://example.com/u/{n}")) for n, pk in enumerate(pks)],
        address="anna@example.com",
        now=at("2026-03-03 15:00"),
    )

    assert (
        message.text
        == """Hello Anna,

We look forward to seeing you tomorrow.

    Wednesday, 4 March
    15:00–15:45
    Old Town
    Brivibas iela 1, Riga

We look forward to seeing you on Thursday, 5 March.

    Thursday, 5 March
    10:00–10:45
    Old Town
    Brivibas iela 1, Riga

Confirm: https://example.com/v/one#confirm

Choose another time: https://example.com/v/one#move

Cancel: https://example.com/v/one#cancel

If you cannot come, please tell us as early as you can. Somebody else may be waiting for the time.
Call us: +37120000000.

Old Town

No more of these messages: https://example.com/u/0
"""
    )
    assert message.subject == "About your visits"
    assert message.short == (
        "Old Town: your visit is Wed 4 Mar, 15:00. https://example.com/v/one your visit is Thu 5 Mar, 10:00."
    )
    assert message.key == f"<{rows[pks[0]].code}@localhost>"
    assert message.html.count("Hello Anna,") == 1


def test_visits_with_pages_of_their_own_keep_their_buttons():
    desk = make_desk()
    book(desk.course, date(2026, 3, 5), now=NOW)
    pks = list(Reminder.objects.filter(rule__slug="day-before").order_by("pk").values_list("pk", flat=True))
    rows = load_rows(pks, now=at("2026-03-03 15:00"))

    message = write_message(
        [part_of(rows[pk], Links(session=f"https://example.com/v/{n}")) for n, pk in enumerate(pks)],
        address="anna@example.com",
        now=at("2026-03-03 15:00"),
    )

    assert (
        message.text.index("4 March\n") < message.text.index("/v/0") < message.text.index("    Thursday, 5")
    )
    assert message.text.index("    Thursday, 5 March\n") < message.text.index("/v/1")


# ---------------------------------------------------------------- a clinic's own words


def test_clinics_own_words_replace_ours():
    desk = make_desk()
    own = {
        "en": {
            "subject": "{clinic} expects you",
            "body": "Dear {name}, see you on {day} at {time}. {x}\n\n> Your page: {link}",
        }
    }
    ReminderRule.objects.filter(slug="day-before").update(texts=own)

    message = written(desk, links=Links())

    assert message.subject == f"{desk.course.clinic.name} expects you"
    assert message.text.startswith(
        "Dear Anna, see you on Wednesday, 4 March at 15:00. {x}\n\nYour page: https://example.com/v/one\n"
    )
    # What the clinic has not written itself is ours.
    assert (
        message.short
        == f"{desk.course.clinic.name}: your visit is Wed 4 Mar, 15:00. https://example.com/v/one"
    )


def test_clinics_own_words_are_no_programs():
    desk = make_desk()
    body = "{name} {{ name }} {% load x %} {{% now %}} {secret} {name.__class__} {clinic}"
    ReminderRule.objects.filter(slug="day-before").update(texts={"en": {"body": body}})
    reword(desk, clinic={"name": "{name}"})

    assert written(desk).text == (
        "Anna {{ name }} {% load x %} {{% now %}} {secret} {name.__class__} {name}\n"
    )


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("Hello {name}, until {day}", []),
        ("Hello {nmae} and {nmae}", ["There is no placeholder {nmae}."]),
        (
            "{{ name }}",
            ["There is no placeholder { name }.", "Every { needs its } around the name of a placeholder."],
        ),
        ("{% load x %}", ["There is no placeholder {% load x %}."]),
        ("{name", ["Every { needs its } around the name of a placeholder."]),
        ("name}", ["Every { needs its } around the name of a placeholder."]),
        ("{name.__class__}", ["There is no placeholder {name.__class__}."]),
    ],
)
def test_what_is_wrong_with_a_text(text, problems):
    assert check_text(text) == problems


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("trigger", Trigger.values)
def test_preview_reads_like_a_message(language, trigger):
    desk = make_desk()
    rule = ReminderRule(trigger=trigger, channels=["email"])

    with override("en" if language == "ru" else "ru"):
        message = preview_message(rule, language=language, clinic=desk.course.clinic, channel="email")

    assert "{" not in message.subject + message.text + message.short
    assert "Classical" not in message.text
    assert "\n\n\n" not in message.text
    assert message.address == ""
    assert (message.text[0] in "HG") is (language == "en")


def test_preview_shows_the_treatment_where_the_clinic_does():
    desk = make_desk()
    reword(desk, clinic={"shows_treatment_in_messages": True})
    rule = ReminderRule(
        trigger="before_session", channels=["email"], texts={"en": {"subject": "{progress}!"}}
    )

    message = preview_message(rule, language="en", clinic=desk.course.clinic, channel="email")

    assert message.subject == "Session 7 of 10–15!"
    assert "    Session 7 of 10–15\n" in message.text
    assert Reminder.objects.filter(state="sent").count() == 0


# ---------------------------------------------------------------- names that would do harm

HARMFUL = [
    "Anna\r\nBcc: x@example.com",
    "Anna\n\n| <b>Free</b>",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "{clinic} {phone}",
    # No NUL among them: PostgreSQL takes none, and forms refuse it.
    "\u202egnp.exe\x01\x0b\u2028Bcc: x",
    '"><img src=x onerror=alert(1)>',
]


@pytest.mark.parametrize("name", HARMFUL)
@pytest.mark.parametrize("owner", ["client", "clinic"])
def test_name_cannot_change_the_form_of_a_message(name, owner):
    desk = make_desk()
    plain = written(desk, links=Links())
    field = "given_name" if owner == "client" else "name"
    reword(desk, **{owner: {field: name}})
    ReminderRule.objects.filter(slug="day-before").update(texts={"en": {"subject": "{name} {clinic}"}})

    message = written(desk, links=Links())

    assert len(message.text.splitlines()) == len(plain.text.splitlines())
    assert message.subject.isprintable()
    assert message.sender_name.isprintable()
    assert message.short.isprintable()
    assert _tags(message.html) == _tags(plain.html)
    email = write_email(message).message()
    assert email.keys().count("Bcc") == 0
    assert [key for key in set(email.keys()) if len(email.get_all(key)) > 1] == []
    assert "+37120000000" not in message.subject


def _tags(html):
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    return tags.seen


# ---------------------------------------------------------------- form


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_well_formed_small_and_loads_nothing():
    html = written(make_desk(), links=Links()).html

    seen = _tags(html)

    assert not [name for name, attrs in seen if name in ("img", "script", "link", "iframe") or "src" in attrs]
    assert "url(" not in html
    assert "prefers-color-scheme: dark" in html
    assert '<html lang="en">' in html
    assert len(html.encode()) < 5_000


def test_blocks_are_told_by_their_marks():
    blocks = compile_text("\nHello,\nyou\n\n| a\n| b\n\n\n- c\n- d\n\n> e: https://f\n", frozenset()).blocks

    filled = fill_blocks(blocks, {})

    assert [(b.kind, b.lines) for b in filled] == [
        ("text", ("Hello,", "you")),
        ("card", ("a", "b")),
        ("list", ("c", "d")),
        ("button", ("e", "https://f")),
    ]
    assert write_text(filled) == "Hello,\nyou\n\n    a\n    b\n\n- c\n- d\n\ne: https://f\n"


def test_card_begins_large_also_in_russian():
    blocks = fill_blocks(compile_text("| понедельник, 30 ноября\n| кабинет", frozenset()).blocks, {})

    page = write_html(blocks, language="ru", subject="", clinic="")

    assert '<div class="card"><p>Понедельник, 30 ноября</p><p>кабинет</p></div>' in page
    assert write_text(blocks) == "    понедельник, 30 ноября\n    кабинет\n"


KNOWN = frozenset({"a", "b", "list"})


@pytest.mark.parametrize(
    ("source", "values", "text"),
    [
        ("x {a}\ny", {"a": "1"}, "x 1\ny\n"),
        # A line whose placeholders are all empty is left out, one of whose is not stays.
        ("x {a}\ny", {"a": ""}, "y\n"),
        ("x {a} {b}\ny", {"a": "", "b": "2"}, "x 2\ny\n"),
        # A card goes with its first line.
        ("x\n\n| {a}\n| here", {"a": ""}, "x\n"),
        # What introduces a block goes with it.
        ("x\n\nThese:\n\n- {list}", {"list": ()}, "x\n"),
        ("x\n\nThese:\n\n- {list}", {"list": ("1", "2")}, "x\n\nThese:\n\n- 1\n- 2\n"),
        ("x\n\nThis:\n\nstays", {}, "x\n\nThis:\n\nstays\n"),
        # A list in a sentence stands with commas.
        ("x {list}", {"list": ("1", "2")}, "x 1, 2\n"),
        ("- {list} at {a}", {"list": ("1", "2"), "a": "3"}, "- 1 at 3\n- 2 at 3\n"),
    ],
)
def test_lines_without_anything_to_say_are_left_out(source, values, text):
    assert write_text(fill_blocks(compile_text(source, KNOWN).blocks, values)) == text


def test_sync_is_not_needed_for_new_words():
    desk = make_desk()
    sync_course_reminders(course_id=desk.course.pk, now=NOW + timedelta(minutes=1))
    reword(desk, client={"language": "ru"})

    assert only_message("2026-03-03 15:00").subject == "Ваш визит: завтра, среда, 4 марта, 15:00"


@pytest.mark.parametrize("count", [1, 3])
def test_query_count_of_a_batch_does_not_grow(count, django_assert_num_queries):
    desks = [make_desk() for _ in range(count)]
    for desk in desks:
        reword(desk, clinic={"shows_treatment_in_messages": True})
    pks = list(Reminder.objects.filter(rule__slug="day-before").values_list("pk", flat=True))

    with django_assert_num_queries(10):
        rows = load_rows(pks, now=NOW)
        messages = [write_message([part_of(row)], address="a@example.com", now=NOW) for row in rows.values()]

    assert len(messages) == count
    assert all("Session 1 of 10–15" in message.text for message in messages)
