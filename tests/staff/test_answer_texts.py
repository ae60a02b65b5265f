import pytest

from clinics.models import Role
from reminders.models import Answer
from tests.factories import ClientFactory
from tests.staff.conftest import NOW

pytestmark = pytest.mark.django_db


def test_what_a_client_wrote_stands_with_the_answer_as_text(clinic, browser_of):
    Answer.objects.create(
        clinic=clinic,
        client=ClientFactory(clinic=clinic),
        kind="other",
        via="sms",
        channel="sms",
        text="<b>Later?</b>",
        answered_at=NOW,
    )

    page = browser_of(Role.RECEPTIONIST).get("/messages/?show=waiting").content.decode()

    assert "“&lt;b&gt;Later?&lt;/b&gt;”" in page
    assert "<b>Later?" not in page
