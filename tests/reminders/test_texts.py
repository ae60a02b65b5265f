"""What messages say, word for word, in both languages."""

from datetime import date, timedelta
from html.parser import HTMLParser

import pytest

from courses.models import Course
from courses.services import cancel_session, move_session, record_attendance, record_no_show
from reminders.models import Reminder, ReminderRule, Trigger
from reminders.services import sync_course_reminders
from reminders.services.checking import checked_rows, load_schedule
from reminders.texts import fill, parse_blocks, write_message, write_text
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


EXPECTED = {
    "en": """Hello Anna,

We look forward to seeing you tomorrow.

    Wednesday, 4 March
    15:00–15:45
    Old Town
    Brivibas iela 1, Riga

If you cannot come, please tell us as early as you can: +37120000000. Somebody else may be waiting for the time.

Old Town
""",
    "ru": """Здравствуйте, Anna!

Ждём вас завтра.

    среда, 4 марта
    15:00–15:45
    Old Town
    Brivibas iela 1, Riga

Если прийти не получится, сообщите нам, пожалуйста, как можно раньше: +37120000000. Возможно, этого времени ждёт кто-то другой.

Old Town
""",
}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_day_before(language):
    desk = make_desk()
    reword(desk, clinic={"name": "Old Town"}, client={"language": language})

    assert only_message("2026-03-03 15:00").text == EXPECTED[language]


def test_treatment_and_preparation_only_with_the_clinics_leave():
    desk = make_desk()
    reword(desk, protocol={"preparation_en": "Take a warm shower.\nDo not eat for two hours before."})
    hidden = only_message("2026-03-03 15:00")
    Reminder.objects.filter(rule__slug="two-hours-before").update(expires_at=at("2026-03-04 14:00"))
    reword(desk, clinic={"shows_treatment_in_messages": True})

    shown = only_message("2026-03-04 13:00")

    for secret in ("Anti-cellulite", "shower"):
        assert secret not in hidden.text + hidden.html + hidden.subject
        assert secret in shown.text
        assert secret in shown.html
        assert secret not in shown.subject
    assert "How to prepare:\n\n- Take a warm shower.\n- Do not eat for two hours before.\n" in shown.text


@pytest.mark.parametrize(
    ("language", "line"), [("en", "15:00–15:45 (Riga time)"), ("ru", "15:00–15:45 (время: Рига)")]
)
def test_clinics_time_is_named_where_the_clients_differs(language, line):
    desk = make_desk()
    reword(desk, client={"language": language, "time_zone": "Europe/London"})

    assert line in only_message("2026-03-03 15:00").text


def test_zone_with_the_same_time_is_not_named():
    desk = make_desk()
    reword(desk, client={"time_zone": "Europe/Helsinki"})

    assert "15:00–15:45\n" in only_message("2026-03-03 15:00").text


def test_schedule_lists_what_is_booked_and_what_is_not_any_more():
    desk = make_desk()
    later = book(desk.course, date(2026, 3, 6), now=NOW)
    first = only_message("2026-03-02 08:03")
    assert first.subject == "Your visits"
    assert "- Wednesday, 4 March, 15:00\n- Friday, 6 March, 10:00\n" in first.text

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

    assert "No visit is booked at the moment." in only_message("2026-03-02 10:03").text


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
        for trigger in Trigger.values:
            seen[language, trigger] = _written(desk, trigger)

    assert len({message.subject for message in seen.values()}) == 2 * len(Trigger)
    for message in seen.values():
        assert "{" not in message.text
        assert "None" not in message.text
        assert "\n\n\n" not in message.text
        assert message.text.endswith(f"{desk.course.clinic.name}\n")


def _written(desk, trigger):
    row = checked_rows().filter(session__isnull=False).first()
    row.trigger = trigger
    if trigger not in ("before_session", "preparation", "missed_session"):
        row.session = None
    schedule = load_schedule(row) if trigger == "schedule" else None
    return write_message(row, address="a@example.com", schedule=schedule, now=at("2026-03-03 15:00"))


# ---------------------------------------------------------------- a clinic's own words


def test_clinics_own_words_replace_ours():
    desk = make_desk()
    own = {"en": {"subject": "{clinic} expects you", "intro": "Dear {name}, see you on {day} at {time}. {x}"}}
    ReminderRule.objects.filter(slug="day-before").update(texts=own)

    message = only_message("2026-03-03 15:00")

    assert message.subject == f"{desk.course.clinic.name} expects you"
    assert "\nDear Anna, see you on Wednesday, 4 March at 15:00. {x}\n" in message.text


def test_clinics_own_words_are_no_programs():
    values = {"name": "Anna", "clinic": "{name}", "secret": "x"}

    assert fill("{name} {{ name }} {% load x %} {secret} {name.__class__} {clinic}", values) == (
        "Anna {{ name }} {% load x %} {secret} {name.__class__} {name}"
    )


def test_name_cannot_change_the_form_of_a_message():
    desk = make_desk()
    reword(desk, client={"given_name": "Anna\n\n| <b>Free</b>\r\nBcc: x"})

    message = only_message("2026-03-03 15:00")

    assert message.text.splitlines()[0] == "Hello Anna | <b>Free</b> Bcc: x,"
    assert "<b>" not in message.html
    assert "&lt;b&gt;Free" in message.html


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
    make_desk()
    html = only_message("2026-03-03 15:00").html
    tags = Tags()

    tags.feed(html)

    assert tags.open == []
    assert not [
        name for name, attrs in tags.seen if name in ("img", "script", "link", "iframe") or "src" in attrs
    ]
    assert "url(" not in html
    assert "prefers-color-scheme: dark" in html
    assert len(html.encode()) < 5_000


def test_blocks_are_told_by_their_marks():
    blocks = parse_blocks("\nHello,\nyou\n\n| a\n| b\n\n\n- c\n- d\n")

    assert [(b.kind, b.lines) for b in blocks] == [
        ("text", ("Hello,", "you")),
        ("card", ("a", "b")),
        ("list", ("c", "d")),
    ]
    assert write_text(blocks) == "Hello,\nyou\n\n    a\n    b\n\n- c\n- d\n"


def test_sync_is_not_needed_for_new_words():
    desk = make_desk()
    sync_course_reminders(course_id=desk.course.pk, now=NOW + timedelta(minutes=1))
    reword(desk, client={"language": "ru"})

    assert only_message("2026-03-03 15:00").subject == "Ваш визит: завтра, среда, 4 марта, 15:00"
