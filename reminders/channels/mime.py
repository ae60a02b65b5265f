"""A message as the bytes that go over the wire: text and HTML, written once.

Django's own way builds a tree of message objects and flattens it, which takes several times as long as sending the
result; a sender's rate is made here. Headers are folded and encoded by the standard library.
"""

import base64
from collections.abc import Iterable
from email.header import Header
from email.utils import formatdate
from functools import lru_cache
from hashlib import sha256
from typing import Final

from django.core.mail import BadHeaderError, EmailMultiAlternatives
from django.core.mail.message import sanitize_address

# RFC 5322 allows 998 characters a line.
_LINE_MOST: Final = 990
# A header of up to this length needs no folding.
_FOLDED_FROM: Final = 74
_ADDRESSES: Final = frozenset({"From", "To", "Reply-To"})
# Written as they are: no program folds or encodes them, and some read them only on one line.
_VERBATIM: Final = frozenset({"Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"})


def write_mime(email: EmailMultiAlternatives) -> bytes:
    """Return an e-mail of one text and one HTML part, without attachments, in the form of RFC 5322.

    Raises: BadHeaderError for a line break in a header, ValueError for an address that is none.
    """
    key = email.extra_headers["Message-ID"]
    html = str(email.alternatives[0][0])
    boundary = f"=_{sha256(key.encode()).hexdigest()[:32]}"
    headers = "".join([f"{name}: {_header(name, value)}\r\n" for name, value in _headers(email)])
    return (
        f"{headers}MIME-Version: 1.0\r\n"
        f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
        f"--{boundary}\r\n{_part('plain', str(email.body), boundary)}"
        f"--{boundary}\r\n{_part('html', html, boundary)}--{boundary}--\r\n"
    ).encode("ascii")


def _headers(email: EmailMultiAlternatives) -> Iterable[tuple[str, str]]:
    yield "Subject", str(email.subject)
    yield "From", email.from_email
    yield "To", ", ".join(email.to)
    if email.reply_to:
        yield "Reply-To", ", ".join(email.reply_to)
    yield "Date", formatdate()
    yield from ((name, str(value)) for name, value in email.extra_headers.items())


def _header(name: str, value: str) -> str:
    if "\n" in value or "\r" in value:
        raise BadHeaderError(f"a header cannot have a line break ({name})")
    if value.isascii() and len(name) + len(value) <= _FOLDED_FROM:
        return value
    return _encoded(name, value)


# The same few senders, and the same words with another time, come again and again.
@lru_cache(maxsize=1024)
def _encoded(name: str, value: str) -> str:
    if name in _ADDRESSES and not value.isascii():
        value = sanitize_address(value, "utf-8")
    if name in _VERBATIM:
        return value
    charset = "us-ascii" if value.isascii() else "utf-8"
    return str(Header(value, charset, header_name=name).encode(linesep="\r\n"))


def _part(subtype: str, text: str, boundary: str) -> str:
    lines = text.splitlines() or [""]
    encoding, body = "7bit", "\r\n".join(lines)
    if not (text.isascii() and boundary not in text and max(map(len, lines)) <= _LINE_MOST):
        encoding, body = "base64", _base64_lines(body.encode())
    return (
        f"Content-Type: text/{subtype}; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n"
    )


def _base64_lines(data: bytes) -> str:
    return base64.encodebytes(data).decode("ascii").rstrip("\n").replace("\n", "\r\n")
