"""Reports of the e-mail provider: only with the password, each once, whatever is in them."""

import base64
import hashlib
import hmac

import pytest
import time_machine

from api.hooks import throttling
from clients.models import Consent, ContactPoint
from courses.errors import CourseError
from reminders.models import DeliveryReport
from tests.api.signing import as_json, standard
from tests.reminders.builders import NOW, make_desk, send_at

pytestmark = pytest.mark.django_db

SECRET = "postmark:a long password of the hook"
HOOK = "/api/hooks/email/"


@pytest.fixture(autouse=True)
def monday():
    throttling.cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield
    throttling.cache.clear()


@pytest.fixture
def provider(settings):
    """Let the installation's e-mail go through a provider."""

    def choose(name, **options):
        settings.EMAIL_BACKEND = f"anymail.backends.{name}.EmailBackend"
        settings.EMAIL_WEBHOOK_SECRET = SECRET
        settings.ANYMAIL = {"WEBHOOK_SECRET": [SECRET], **options}

    return choose


@pytest.fixture
def row(db):
    desk = make_desk()
    row = desk.row("schedule")
    send_at(row.send_at)
    return desk.row("schedule")


def password(text=SECRET):
    return {"authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


@pytest.fixture
def post(client):
    def post(data, headers=None):
        body = data if isinstance(data, bytes) else as_json(data)
        return client.post(
            HOOK,
            data=body,
            content_type="application/json",
            headers=password() if headers is None else headers,
        )

    return post


def postmark(row, **changes):
    return {
        "RecordType": "Delivery",
        "MessageID": "00000000-0000-0000-0000-0000000000aa",
        "Recipient": "anna@example.org",
        "DeliveredAt": "2026-03-02T05:59:00Z",
        "Metadata": {"reminder": str(row.code)},
    } | changes


def bounce(row, kind="HardBounce"):
    return postmark(row, RecordType="Bounce", Type=kind, TypeCode=1, ID=7, BouncedAt="2026-03-02T05:59:00Z")


def test_delivery_is_recorded_once(post, provider, row):
    provider("postmark")

    statuses = {post(postmark(row)).status_code for _ in range(100)}

    row.refresh_from_db()
    assert statuses == {200}
    assert (row.delivery, DeliveryReport.objects.count()) == ("delivered", 1)
    assert row.delivered_at.isoformat() == "2026-03-02T05:59:00+00:00"


@pytest.mark.parametrize(("kind", "is_disabled"), [("HardBounce", True), ("SoftBounce", False)])
def test_bounce_for_good_disables_the_address(post, provider, row, kind, is_disabled):
    provider("postmark")

    post(bounce(row, kind))

    row.refresh_from_db()
    assert row.delivery == "bounced"
    assert ContactPoint.objects.filter(disabled_at__isnull=False).exists() is is_disabled


def test_complaint_withdraws_the_consent(post, provider, row):
    provider("postmark")

    post(postmark(row, RecordType="SpamComplaint", Type="SpamComplaint", TypeCode=512, ID=8))

    assert not Consent.objects.filter(channel="email", withdrawn_at=None).exists()


def test_opening_a_message_is_nobodys_business(post, provider, row):
    provider("postmark")

    assert post(postmark(row, RecordType="Open", ReceivedAt="2026-03-02T05:59:00Z")).status_code == 200
    assert DeliveryReport.objects.count() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        password("postmark:other"),
        password(""),
        {"authorization": "Basic é"},
        {"authorization": "Bearer x"},
    ],
)
def test_call_without_the_password_is_refused(post, provider, row, headers):
    provider("postmark")

    assert post(postmark(row), headers).status_code == 401
    assert DeliveryReport.objects.count() == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff"])
def test_nonsense_with_the_password_is_refused_in_words(post, provider, body):
    provider("postmark")

    assert post(body).status_code == 400


def test_hook_is_not_there_without_a_provider_or_a_password(post, provider, settings, row):
    assert post(postmark(row)).status_code == 404
    provider("postmark")
    settings.EMAIL_WEBHOOK_SECRET = ""

    assert post(postmark(row), password("")).status_code == 404


def test_course_at_work_lets_the_provider_ask_again(post, provider, row, monkeypatch):
    def refuse(**_):
        raise CourseError("Somebody else is at work.", code="busy")

    monkeypatch.setattr("reminders.receivers.record_report", refuse)
    provider("postmark")

    assert post(postmark(row)).status_code == 503


def mailgun(row, key):
    moment, token = str(int(NOW.timestamp())), "t" * 50
    signature = hmac.new(key.encode(), f"{moment}{token}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": moment, "token": token, "signature": signature},
        "event-data": {
            "event": "delivered",
            "id": "event-1",
            "timestamp": NOW.timestamp() - 60,
            "recipient": "anna@example.org",
            "message": {"headers": {"message-id": "x@example.org"}},
            "user-variables": {"reminder": str(row.code)},
        },
    }


@pytest.mark.parametrize(("key", "status"), [("right", 200), ("wrong", 401)])
def test_signature_of_mailgun_is_checked_as_well(post, provider, row, key, status):
    provider("mailgun", MAILGUN_WEBHOOK_SIGNING_KEY="right", MAILGUN_API_KEY="k")

    assert post(mailgun(row, key)).status_code == status
    assert DeliveryReport.objects.count() == (1 if status == 200 else 0)


RESEND = "whsec_" + base64.b64encode(b"k" * 24).decode()


@pytest.mark.parametrize(("secret", "status"), [(RESEND, 200), ("whsec_QUJD", 401)])
def test_signature_of_resend_is_checked_as_well(post, provider, row, secret, status):
    provider("resend", RESEND_SIGNING_SECRET=RESEND, RESEND_API_KEY="k")
    body = as_json(
        {
            "type": "email.delivered",
            "created_at": "2026-03-02T05:59:00Z",
            "data": {"email_id": "e1", "to": ["anna@example.org"]},
        }
    )
    signed = {
        name.replace("webhook", "svix"): value for name, value in standard(secret, body, at=NOW).items()
    }

    assert post(body, password() | signed).status_code == status
    assert DeliveryReport.objects.filter(provider_id="e1").count() == (1 if status == 200 else 0)


@pytest.mark.parametrize("verb", ["get", "head", "put", "delete"])
def test_hook_knows_one_verb(client, provider, verb):
    provider("postmark")

    assert getattr(client, verb)(HOOK).status_code == 405


def test_nothing_personal_is_logged(post, provider, row, caplog):
    caplog.set_level("DEBUG")
    provider("postmark")

    post(bounce(row))
    post(postmark(row), {})

    assert [record for record in caplog.records if "anna@" in record.getMessage()] == []
