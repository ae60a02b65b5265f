"""What goes over the wire reads like the e-mail that Django would have written."""

from email import message_from_bytes, policy

import pytest
from django.core.mail import BadHeaderError
from hypothesis import given
from hypothesis import strategies as st

from reminders.channels.base import Message
from reminders.channels.email import write_email
from reminders.channels.mime import write_mime

PRINTABLE = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029"), max_size=300
)


def message(**changes):
    values = {
        "key": "<abc@clinic.example>",
        "address": "anna@example.com",
        "subject": "Your visit: Monday, 23 November, 10:00",
        "text": "Hello Anna\n\n    Monday\n",
        "html": "<p>Hello Anna</p>\n",
        "sender_name": "Clinic",
        "reply_to": "desk@clinic.example",
        "headers": (("List-Unsubscribe", "<https://clinic.example/c/u/0123456789abcdef/>"),),
    }
    return Message(**{**values, **changes})


def parsed(data):
    return message_from_bytes(data, policy=policy.default)


def parts_of(mail):
    return [
        (part.get_content_type(), part.get_content().replace("\r\n", "\n").rstrip("\n"))
        for part in mail.iter_parts()
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"subject": "Ваш визит: понедельник, 23 ноября, 10:00"},
        {"sender_name": 'Клиника "Здоровье"', "text": "Здравствуйте, Анна\n", "html": "<p>Анна</p>\n"},
        {"sender_name": 'Smith, "Best" & Sons'},
        {"subject": "A very long subject that goes on and on " * 5},
        {"text": "x" * 3000 + "\n", "html": "<p>" + "y" * 3000 + "</p>\n"},
        {"text": ".\n..\nFrom here\n--=_\n"},
        {"address": "анна@пример.рф"},
        {"reply_to": ""},
    ],
)
def test_reads_like_djangos(changes):
    email = write_email(message(**changes))

    ours, theirs = parsed(write_mime(email)), parsed(email.message().as_bytes())

    names = ("Subject", "From", "To", "Reply-To", "Message-ID", "Auto-Submitted", "List-Unsubscribe")
    # Folding leaves a space at the end of what was too long.
    assert {n: (ours[n] or "").strip() for n in names} == {n: (theirs[n] or "").strip() for n in names}
    assert parts_of(ours) == parts_of(theirs)
    assert ours.get_content_type() == "multipart/alternative"
    assert ours["Date"].datetime is not None


@given(subject=PRINTABLE, name=PRINTABLE, text=PRINTABLE)
def test_nothing_breaks_the_form(subject, name, text):
    mail = write_mime(write_email(message(subject=subject, sender_name=name, text=text)))

    assert mail.isascii()
    assert all(len(line) <= 998 for line in mail.split(b"\r\n"))
    assert b"\n" not in mail.replace(b"\r\n", b"")
    found = parsed(mail)
    assert found.defects == []
    assert len(list(found.iter_parts())) == 2
    # The headers are those that were meant, and no more.
    wanted = (
        "Subject From To Reply-To Date Message-ID Auto-Submitted List-Unsubscribe MIME-Version Content-Type"
    )
    assert found.keys() == wanted.split()


@pytest.mark.parametrize("header", ["Hello\nBcc: all@example.com", "Hello\rBcc: x@example.com", "a\r\n\r\nb"])
def test_line_break_in_a_header_is_refused(header):
    with pytest.raises(BadHeaderError):
        write_mime(write_email(message(subject=header)))
