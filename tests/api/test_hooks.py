"""Calls by providers: forged, old, copied and torn ones change nothing; true ones act once (F43)."""

import hashlib
import json
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client as Browser
from django.urls import reverse

from api.hooks import throttling
from clients.models import Channel, Consent, ContactPoint
from clinics.models import Role
from courses.errors import CourseError
from reminders.channels.inbound import hook_secret, hook_urls
from reminders.models import Answer, ChannelAccount, DeliveryAttempt, DeliveryReport
from reminders.sealing import seal
from tests.api.signing import as_form, as_json, standard, twilio, vonage
from tests.factories import StaffMemberFactory
from tests.reminders.builders import NOW, make_desk

pytestmark = pytest.mark.django_db

NUMBER = "+37120000001"
TOKEN = "0123456789abcdef0123456789abcdef"
ADDRESS = "https://clinic.example"


@pytest.fixture(autouse=True)
def monday(settings):
    settings.BASE_URL = ADDRESS
    throttling.cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield
    throttling.cache.clear()


@pytest.fixture
def desk(db):
    desk = make_desk()
    client = desk.course.client
    ContactPoint.objects.create(clinic=client.clinic, client=client, channel=Channel.SMS, value=NUMBER)
    Consent.objects.create(
        clinic=client.clinic, client=client, channel=Channel.SMS, granted_at=NOW, granted_source="desk"
    )
    return desk


@pytest.fixture
def make_account(desk):
    def make(provider="kept", channel="sms", **secrets):
        return ChannelAccount.objects.create(
            clinic=desk.course.clinic,
            channel=channel,
            provider=provider,
            sealed_secrets=seal(secrets),
            created_at=NOW,
            changed_at=NOW,
        )

    return make


@pytest.fixture
def post(client):
    def post(path, body, headers=None, content_type="application/json"):
        return client.post(path, data=body, content_type=content_type, headers=headers or {})

    return post


def texts(account):
    return f"/api/hooks/sms/{account.code}/"


def reports(account):
    return f"/api/hooks/reports/{account.code}/"


def received(text="STOP", sender=NUMBER):
    return as_json({"type": "sms.received", "data": {"from": sender, "text": text}})


def is_stopped():
    return not Consent.objects.filter(channel="sms", withdrawn_at=None).exists()


# ---------------------------------------------------------------- any gateway


def test_signed_text_is_taken(post, make_account):
    account, body = make_account(), received()

    response = post(texts(account), body, standard(hook_secret(account), body, at=NOW))

    assert (response.status_code, response.content) == (200, b"")
    assert is_stopped()


def test_hundred_copies_have_one_effect(post, make_account):
    account, body = make_account(), received("When do you open?")
    headers = standard(hook_secret(account), body, at=NOW)

    statuses = {post(texts(account), body, headers).status_code for _ in range(100)}

    assert statuses == {200}
    assert Answer.objects.count() == 1


def test_same_event_with_other_words_changes_nothing_more(post, make_account):
    account = make_account()
    for text in ("When do you open?", "STOP it already?"):
        body = received(text)
        post(texts(account), body, standard(hook_secret(account), body, at=NOW))

    assert Answer.objects.get().text == "When do you open?"


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda body, headers: (body, {}), id="unsigned"),
        pytest.param(lambda body, headers: (body.replace(b"STOP", b"stop"), headers), id="other-words"),
        pytest.param(lambda body, headers: (body + b" ", headers), id="one-space-more"),
        pytest.param(
            lambda body, headers: (as_json(dict(reversed(json.loads(body).items()))), headers), id="reordered"
        ),
        pytest.param(lambda body, headers: (body, {**headers, "webhook-id": "msg_2"}), id="other-id"),
        pytest.param(
            lambda body, headers: (body, {**headers, "webhook-timestamp": str(int(NOW.timestamp()) + 1)}),
            id="other-time",
        ),
        pytest.param(lambda body, headers: (body, {**headers, "webhook-timestamp": "soon"}), id="no-time"),
        pytest.param(lambda body, headers: (body, {**headers, "webhook-timestamp": "²"}), id="odd-digit"),
        pytest.param(
            lambda body, headers: (body, {**headers, "webhook-timestamp": "9" * 400}), id="huge-time"
        ),
        pytest.param(lambda body, headers: (body, {**headers, "webhook-signature": "v1,"}), id="empty"),
        pytest.param(lambda body, headers: (body, {**headers, "webhook-signature": "v1,é"}), id="no-base64"),
        pytest.param(
            lambda body, headers: (
                body,
                {**headers, "webhook-signature": headers["webhook-signature"].replace("v1,", "v1a,")},
            ),
            id="other-version",
        ),
    ],
)
def test_forged_call_is_refused(post, make_account, spoil):
    account, body = make_account(), received()
    spoiled, headers = spoil(body, standard(hook_secret(account), body, at=NOW))

    response = post(texts(account), spoiled, headers)

    assert response.status_code == 401
    assert not is_stopped()
    assert Answer.objects.count() == 0


@pytest.mark.parametrize(("seconds", "status"), [(-301, 401), (-300, 200), (0, 200), (300, 200), (301, 401)])
def test_time_may_be_five_minutes_off(post, make_account, seconds, status):
    account, body = make_account(), received()
    headers = standard(hook_secret(account), body, at=NOW + timedelta(seconds=seconds))

    assert post(texts(account), body, headers).status_code == status
    assert is_stopped() is (status == 200)


def test_one_good_signature_of_several_is_enough(post, make_account):
    account, body = make_account(), received()
    headers = standard(hook_secret(account), body, at=NOW)
    headers["webhook-signature"] = f"v1,AAAA v1a,BBBB {headers['webhook-signature']}"

    assert post(texts(account), body, headers).status_code == 200


def test_secret_of_another_account_opens_nothing(post, make_account):
    account, body = make_account(), received()
    other = make_account("kept", "telegram")

    response = post(texts(account), body, standard(hook_secret(other), body, at=NOW))

    assert response.status_code == 401


def test_secret_outlives_a_change_of_key_as_long_as_the_old_one_is_kept(post, make_account, settings):
    account, body = make_account(), received()
    headers = standard(hook_secret(account), body, at=NOW)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key of more than thirty-two letters"
    assert post(texts(account), body, headers).status_code == 401

    settings.SECRET_KEY_FALLBACKS = [old]

    assert post(texts(account), body, headers).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b'{"type": "sms.received"}',
        b'{"type": "sms.received", "data": []}',
        b'{"type": "sms.received", "data": {"from": 1, "text": "STOP"}}',
        b'{"type": "sms.received", "data": {"from": "+37120000001"}}',
        b'{"type": "sms.sent", "data": {"from": "+37120000001", "text": "STOP"}}',
        b"[" * 60_000,
    ],
)
def test_signed_nonsense_is_refused_in_words(post, make_account, body):
    account = make_account()

    response = post(texts(account), body, standard(hook_secret(account), body, at=NOW))

    assert response.status_code == 400
    assert not is_stopped()


@pytest.mark.parametrize(
    ("path", "kind", "data"),
    [
        (texts, "sms.received", {"from": NUMBER, "text": "see you \ud83d"}),
        (reports, "message.delivered", {"provider_id": "a\ud83d"}),
    ],
)
def test_half_a_character_is_survived(post, make_account, path, kind, data):
    """A text cut in two by the network, as JSON may have it."""
    account = make_account()
    body = json.dumps({"type": kind, "data": data}).encode()

    response = post(path(account), body, standard(hook_secret(account), body, at=NOW))

    assert response.status_code == 200


@pytest.mark.parametrize("name", ["text", "\ud83d", "sig"])
def test_half_a_character_from_anybody_is_refused_in_words(post, make_account, name):
    account = make_account("vonage", hook_signature_secret="s" * 20)
    body = json.dumps({"sig": "0" * 64, name: "x" if name == "\ud83d" else "\ud83d" * 64}).encode()

    assert post(texts(account), body).status_code == 400


def test_large_call_is_not_read(post, make_account):
    account, body = make_account(), received("x" * 70_000)

    response = post(texts(account), body, standard(hook_secret(account), body, at=NOW))

    assert response.status_code == 413


def test_account_that_is_switched_off_still_takes_a_stop(post, make_account):
    account, body = make_account(), received()
    ChannelAccount.objects.update(is_active=False)

    post(texts(account), body, standard(hook_secret(account), body, at=NOW))

    assert is_stopped()


def test_course_at_work_lets_the_provider_ask_again(post, make_account, monkeypatch):
    def refuse(**_):
        raise CourseError("Somebody else is at work.", code="busy")

    monkeypatch.setattr("api.hooks.views.receive_text", refuse)
    account, body = make_account(), received()

    assert post(texts(account), body, standard(hook_secret(account), body, at=NOW)).status_code == 503


# ---------------------------------------------------------------- Twilio


def twilio_text(**changes):
    return {"MessageSid": "SM1", "From": NUMBER, "Body": "Стоп & точка=", "To": "+15005550006"} | changes


def post_twilio(post, account, fields, *, signed=None, query="", path=texts):
    url = f"{ADDRESS}{path(account)}{query}"
    headers = twilio(TOKEN, url, fields if signed is None else signed)
    return post(path(account) + query, as_form(fields), headers, "application/x-www-form-urlencoded")


def test_signature_of_twilio_is_the_documented_one():
    """The example of Twilio's own documentation."""
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+12349013030",
        "Digits": "1234",
        "From": "+12349013030",
        "To": "+18005551212",
    }
    headers = twilio("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", fields)

    assert headers == {"x-twilio-signature": "0/KCTR6DLpKmkAf8muzZqo1nDgQ="}


@pytest.mark.parametrize("query", ["", "?from=twilio&x=1"])
def test_text_by_twilio_is_taken(post, make_account, query):
    account = make_account("twilio", auth_token=TOKEN)

    response = post_twilio(post, account, twilio_text(), query=query)

    assert (response.status_code, response.content) == (200, b"<Response/>")
    assert response["Content-Type"] == "text/xml"
    assert Answer.objects.get().text == "Стоп & точка="


def test_hundred_copies_by_twilio_have_one_effect(post, make_account):
    account = make_account("twilio", auth_token=TOKEN)

    for _ in range(100):
        post_twilio(post, account, twilio_text(Body="hello?"))

    assert Answer.objects.count() == 1


@pytest.mark.parametrize("changes", [{"Body": "STOP"}, {"From": "+37120000002"}, {"Extra": "1"}])
def test_text_forged_in_the_name_of_twilio_is_refused(post, make_account, changes):
    account = make_account("twilio", auth_token=TOKEN)

    response = post_twilio(post, account, twilio_text(**changes), signed=twilio_text())

    assert response.status_code == 401
    assert Answer.objects.count() == 0


def test_account_without_a_token_believes_nobody(post, make_account):
    account = make_account("twilio")
    fields = twilio_text()
    headers = twilio("", f"{ADDRESS}{texts(account)}", fields)

    assert (
        post(texts(account), as_form(fields), headers, "application/x-www-form-urlencoded").status_code == 401
    )


def sent_row(desk, provider_id):
    row = desk.row("day-before")
    type(row).objects.filter(pk=row.pk).update(
        channel="sms", state="sent", sent_at=NOW, decided_at=NOW, message_id="m"
    )
    contact = ContactPoint.objects.get(client=desk.course.client, channel="sms")
    DeliveryAttempt.objects.create(
        clinic=row.clinic,
        reminder=row,
        number=1,
        generation=1,
        contact_point=contact,
        started_at=NOW,
        finished_at=NOW,
        outcome="sent",
        provider_id=provider_id,
    )
    return row


@pytest.mark.parametrize(
    ("status", "code", "delivery", "is_disabled"),
    [
        ("delivered", "", "delivered", False),
        ("undelivered", "30005", "bounced", True),
        ("undelivered", "30008", "bounced", False),
        ("sent", "", "", False),
        ("queued", "", "", False),
    ],
)
def test_report_by_twilio_is_kept(post, make_account, desk, status, code, delivery, is_disabled):
    account = make_account("twilio", auth_token=TOKEN)
    row = sent_row(desk, "SM1")
    fields = {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": code}

    for _ in range(3):
        assert post_twilio(post, account, fields, path=reports).status_code == 200

    row.refresh_from_db()
    assert row.delivery == delivery
    assert DeliveryReport.objects.count() == (1 if delivery else 0)
    assert ContactPoint.objects.filter(disabled_at__isnull=False).exists() is is_disabled


# ---------------------------------------------------------------- Vonage


def vonage_text(**changes):
    return {
        "msisdn": NUMBER[1:],
        "to": "37120000009",
        "messageId": "0C000000217B7F02",
        "text": "a&b=c?",
        "type": "text",
        "timestamp": str(int(NOW.timestamp())),
        "nonce": "1",
    } | changes


def test_signature_of_vonage_is_the_documented_one():
    """A value that Vonage's own libraries are tested with."""
    fields = {"a": "1", "b": "2", "timestamp": "1461605396"}

    assert (
        vonage("secret", fields)["sig"] == "a321e824b9b816be7c3f28859a31749a098713d39f613c80d455bbaffae1cd24"
    )


@pytest.mark.parametrize("method", [hashlib.sha256, hashlib.sha512])
@pytest.mark.parametrize("is_form", [True, False])
def test_text_by_vonage_is_taken(post, make_account, method, is_form):
    account = make_account("vonage", hook_signature_secret="s" * 20)
    fields = vonage("s" * 20, vonage_text(), method)
    body, kind = (
        (as_form(fields), "application/x-www-form-urlencoded")
        if is_form
        else (
            as_json(fields),
            "application/json",
        )
    )

    assert post(texts(account), body, content_type=kind).status_code == 200
    assert post(texts(account), body, content_type=kind).status_code == 200
    assert Answer.objects.get().text == "a&b=c?"


@pytest.mark.parametrize(
    "fields",
    [
        vonage_text(),
        vonage("other", vonage_text()),
        vonage("s" * 20, vonage_text()) | {"text": "STOP"},
        vonage("s" * 20, vonage_text(), hashlib.md5),
        vonage("s" * 20, vonage_text(timestamp=str(int(NOW.timestamp()) - 301))),
        vonage("s" * 20, {k: v for k, v in vonage_text().items() if k != "timestamp"}),
    ],
    ids=["unsigned", "other-secret", "other-words", "md5", "old", "timeless"],
)
def test_text_forged_in_the_name_of_vonage_is_refused(post, make_account, fields):
    account = make_account("vonage", hook_signature_secret="s" * 20)

    assert post(texts(account), as_json(fields)).status_code == 401
    assert Answer.objects.count() == 0


def test_account_without_a_signature_secret_believes_nobody(post, make_account):
    account = make_account("vonage", secret="s" * 20)

    assert post(texts(account), as_json(vonage("", vonage_text()))).status_code == 401


def test_report_by_vonage_is_kept(post, make_account, desk):
    account = make_account("vonage", hook_signature_secret="s" * 20)
    row = sent_row(desk, "0C1")
    fields = {
        "messageId": "0C1",
        "status": "failed",
        "err-code": "9",
        "message-timestamp": "2026-03-02 05:59:00",
        "timestamp": str(int(NOW.timestamp())),
    }

    assert post(reports(account), as_json(vonage("s" * 20, fields))).status_code == 200

    row.refresh_from_db()
    assert (row.delivery, row.delivered_at) == ("bounced", NOW - timedelta(minutes=1))
    assert ContactPoint.objects.filter(disabled_at__isnull=False).count() == 1


# ---------------------------------------------------------------- reports of any gateway


def report(row, kind="message.delivered", **data):
    return as_json({"type": kind, "data": {"reference": str(row.code), **data}})


def test_reports_come_twice_and_in_any_order(post, make_account, desk):
    account, row = make_account(), sent_row(desk, "x")
    calls = [("3", "message.complained"), ("1", "message.delivered"), ("2", "message.bounced")]

    for ident, kind in calls * 2:
        body = report(row, kind)
        headers = standard(hook_secret(account), body, ident=ident, at=NOW)
        assert post(reports(account), body, headers).status_code == 200

    row.refresh_from_db()
    assert row.delivery == "complained"
    assert DeliveryReport.objects.count() == 3


def test_report_before_the_attempt_is_kept_and_a_time_ahead_is_not_believed(post, make_account, desk):
    account = make_account()
    body = as_json(
        {"type": "message.delivered", "data": {"provider_id": "later", "happened_at": "2030-01-01T00:00:00Z"}}
    )

    post(reports(account), body, standard(hook_secret(account), body, at=NOW))

    kept = DeliveryReport.objects.get()
    assert (kept.reminder, kept.provider_id, kept.happened_at) == (None, "later", NOW)


def test_message_of_another_clinic_is_not_touched(post, make_account, desk):
    account = make_account()
    row = sent_row(make_other_desk(), "y")
    body = report(row, "message.bounced", permanent=True)

    post(reports(account), body, standard(hook_secret(account), body, at=NOW))

    row.refresh_from_db()
    assert row.delivery == ""


def make_other_desk():
    desk = make_desk()
    client = desk.course.client
    ContactPoint.objects.create(
        clinic=client.clinic, client=client, channel=Channel.SMS, value="+37120000007"
    )
    return desk


def test_clinics_own_system_reports_with_its_own_secret(post, make_account, desk):
    secret = "whsec_" + "QUJD" * 10
    account = make_account("webhook", "webhook", secret=secret)
    row = sent_row(desk, "z")
    body = report(row)

    assert post(reports(account), body, standard(secret, body, at=NOW)).status_code == 200

    row.refresh_from_db()
    assert row.delivery == "delivered"


@pytest.mark.parametrize(
    "body", [{"type": "message.delivered", "data": {}}, {"type": 1, "data": {"reference": 2}}]
)
def test_report_about_nothing_is_refused(post, make_account, body):
    account = make_account()
    raw = as_json(body)

    assert post(reports(account), raw, standard(hook_secret(account), raw, at=NOW)).status_code == 400


def test_report_of_unknown_kind_changes_nothing(post, make_account, desk):
    account, row = make_account(), sent_row(desk, "x")
    body = report(row, "message.opened")

    assert post(reports(account), body, standard(hook_secret(account), body, at=NOW)).status_code == 200
    assert DeliveryReport.objects.count() == 0


# ---------------------------------------------------------------- who gets in


HOOKS = ("hooks:sms", "hooks:reports")


@pytest.mark.parametrize("name", HOOKS)
def test_login_opens_nothing_here(client, make_account, desk, name):
    account = make_account()
    for role in Role:
        member = StaffMemberFactory(clinic=desk.course.clinic, role=role)
        client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")

        assert client.post(reverse(name, args=[account.code])).status_code == 401


@pytest.mark.parametrize("name", HOOKS)
@pytest.mark.parametrize("verb", ["get", "head", "options", "put", "patch", "delete"])
def test_hooks_know_one_verb(client, make_account, name, verb):
    assert getattr(client, verb)(reverse(name, args=[make_account().code])).status_code == 405


@pytest.mark.parametrize("name", HOOKS)
def test_unknown_account_is_not_there(client, name):
    assert client.post(reverse(name, args=["00000000-0000-4000-8000-000000000000"])).status_code == 404


def test_texts_come_over_sms_only(client, make_account):
    assert client.post(texts(make_account("kept", "telegram"))).status_code == 404


def test_hooks_need_no_csrf_token_and_leave_no_cookie(make_account):
    account, body = make_account(), received()
    browser = Browser(enforce_csrf_checks=True)
    headers = standard(hook_secret(account), body, at=NOW)

    response = browser.post(texts(account), data=body, content_type="application/json", headers=headers)

    assert response.status_code == 200
    assert response.cookies == {}
    assert "no-cache" in response["Cache-Control"]


def test_flood_is_turned_away(post, make_account, monkeypatch):
    monkeypatch.setattr(throttling, "PER_MINUTE", 3)
    account = make_account()
    other = make_account("kept", "telegram")

    statuses = [post(texts(account), b"").status_code for _ in range(5)]

    assert statuses == [401, 401, 401, 429, 429]
    assert post(reports(other), b"").status_code == 401


def test_cache_that_is_down_turns_nobody_away(post, make_account, monkeypatch):
    def fail(*_, **__):
        raise ConnectionError

    monkeypatch.setattr(throttling.cache, "add", fail)
    account, body = make_account(), received()

    assert post(texts(account), body, standard(hook_secret(account), body, at=NOW)).status_code == 200


def test_nothing_personal_is_logged(post, make_account, caplog):
    caplog.set_level("DEBUG")
    account = make_account()
    for number, text in enumerate(("STOP", "Anna Bergmane asks")):
        body = received(text)
        post(texts(account), body, standard(hook_secret(account), body, ident=str(number), at=NOW))
        post(texts(account), body)

    words = [record.getMessage() for record in caplog.records]
    assert any("was not taken: unsigned" in line for line in words)
    assert [line for line in words if NUMBER in line or "Anna" in line or "STOP" in line] == []


def test_addresses_are_those_of_the_routes(make_account):
    account = make_account()

    assert hook_urls(account) == {
        "texts": f"{ADDRESS}{texts(account)}",
        "reports": f"{ADDRESS}{reports(account)}",
    }


def test_command_lists_addresses_and_keeps_secrets_unless_asked(make_account, capsys):
    account = make_account()

    call_command("show_hooks")
    listed = capsys.readouterr().out
    call_command("show_hooks", "--secrets")
    told = capsys.readouterr().out

    assert f"texts: {ADDRESS}{texts(account)}" in listed
    assert hook_secret(account) not in listed
    assert f"secret: {hook_secret(account)}" in told
