"""The course card: what the page shows, on paper, for whoever may see the page."""

import re
import zlib

import pytest

from audit.models import AuditEvent
from clinics.models import Role
from reports.pdf import PdfUnavailable


@pytest.fixture
def drawn(monkeypatch):
    """Give what would be drawn, which takes a second less."""
    pages = []
    monkeypatch.setattr("staff.views.course_card.render_pdf", lambda html: pages.append(html) or b"%PDF-1.7")
    return pages


def test_card_shows_the_course_and_names_nobody_in_its_name(reception, course, session, drawn):
    response = reception.get(f"/courses/{course.code}/card/")

    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert response["Content-Disposition"] == 'attachment; filename="course-2026-03-09.pdf"'
    assert response["Cache-Control"] == "no-store"
    (page,) = drawn
    for told in (
        "Anna Berzina",
        "Kalnina Clinic",
        "every 1–2 days",
        "Mon 9 Mar, 11:00",
        "Wed 4 Mar",
        "Dr Ozola",
    ):
        assert told in page
    # What draws it reads no styles of the page for what is inside a picture.
    assert page.count("<svg") == page.count("<style>") > 1
    assert "<title>Course card</title>" in page


def test_findings_are_on_the_card(reception, make_course, drawn):
    course = make_course(attended=(2,))

    reception.get(f"/courses/{course.code}/card/")

    assert "What needs attention" in drawn[0]


def test_card_is_on_record(reception, course, drawn):
    reception.get(f"/courses/{course.code}/card/")

    event = AuditEvent.objects.get(action="course.card_made")
    assert (event.subject_code, event.new) == (course.code, {})


def test_card_that_cannot_be_drawn_is_said_on_the_page(reception, course, monkeypatch):
    def refuse(html):
        raise PdfUnavailable("Pango is missing.")

    monkeypatch.setattr("staff.views.course_card.render_pdf", refuse)

    response = reception.get(f"/courses/{course.code}/card/", follow=True)

    assert response.redirect_chain == [(f"/courses/{course.code}/", 302)]
    assert "Pango is missing." in response.content.decode()
    assert not AuditEvent.objects.filter(action="course.card_made").exists()


def test_page_leads_to_the_card(browser_of, course):
    page = browser_of(Role.PRACTITIONER).get(f"/courses/{course.code}/").content.decode()

    assert f'href="/courses/{course.code}/card/"' in page


@pytest.mark.slow
@pytest.mark.pdf
def test_card_is_drawn_on_one_sheet(reception, course, session):
    content = reception.get(f"/courses/{course.code}/card/").content

    packed = re.findall(rb"stream\n(.*?)\nendstream", content, re.S)
    objects = b"".join(zlib.decompress(part) for part in packed)
    assert content.startswith(b"%PDF-1.7")
    assert len(re.findall(rb"/Type ?/Page/", objects)) == 1
    assert b"DejaVu" not in objects
