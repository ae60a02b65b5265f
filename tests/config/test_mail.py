"""Which way e-mail goes: what is wrong with the variables stops the start and names them."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.mail import Mail, read_mail


@pytest.fixture
def variables(monkeypatch):
    """Return a function that sets the mail variables and no others."""
    names = ("HOST", "PROVIDER", "PROVIDER_KEY", "PROVIDER_SECRET", "PROVIDER_URL", "PROVIDER_DOMAIN")
    for name in (*names, "PROVIDER_SIGNING_KEY"):
        monkeypatch.delenv(f"EMAIL_{name}", raising=False)

    def set_variables(**values):
        for name, value in values.items():
            monkeypatch.setenv(f"EMAIL_{name}", value)

    return set_variables


def test_without_anything_mail_is_kept(variables):
    assert read_mail(timeout=15) == Mail("reminders.channels.kept.KeptEmailBackend")


def test_server_is_djangos_own(variables):
    variables(HOST="mail.example.com")

    assert read_mail(timeout=15) == Mail("django.core.mail.backends.smtp.EmailBackend")


def test_provider_has_its_key_under_its_name(variables):
    variables(
        PROVIDER="mailgun", PROVIDER_KEY="k", PROVIDER_DOMAIN="mg.example.com", PROVIDER_SIGNING_KEY="s"
    )

    assert read_mail(timeout=15) == Mail(
        "anymail.backends.mailgun.EmailBackend",
        {
            "REQUESTS_TIMEOUT": 15,
            "MAILGUN_API_KEY": "k",
            "MAILGUN_SENDER_DOMAIN": "mg.example.com",
            "MAILGUN_WEBHOOK_SIGNING_KEY": "s",
        },
    )


def test_second_key_and_another_region(variables):
    variables(
        PROVIDER="mailjet", PROVIDER_KEY="k", PROVIDER_SECRET="s", PROVIDER_URL="https://eu.example.com"
    )

    assert read_mail(timeout=15).options == {
        "REQUESTS_TIMEOUT": 15,
        "MAILJET_API_KEY": "k",
        "MAILJET_SECRET_KEY": "s",
        "MAILJET_API_URL": "https://eu.example.com",
    }


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"PROVIDER": "pigeon"}, "EMAIL_PROVIDER must be one of none, brevo"),
        ({"PROVIDER": "postmark"}, "EMAIL_PROVIDER_KEY is not set"),
        ({"PROVIDER": "mailjet", "PROVIDER_KEY": "k"}, "EMAIL_PROVIDER_SECRET is not set"),
        (
            {"PROVIDER": "resend", "PROVIDER_KEY": "k", "HOST": "x"},
            "EMAIL_HOST and EMAIL_PROVIDER are both set",
        ),
        (
            {"PROVIDER": "brevo", "PROVIDER_KEY": "k", "PROVIDER_URL": "http://x"},
            "EMAIL_PROVIDER_URL must be an address",
        ),
        (
            {"PROVIDER": "brevo", "PROVIDER_KEY": "k", "PROVIDER_DOMAIN": "x"},
            "EMAIL_PROVIDER_DOMAIN is of no use",
        ),
    ],
)
def test_wrong_variable_is_named(variables, values, words):
    variables(**values)

    with pytest.raises(ImproperlyConfigured, match=words):
        read_mail(timeout=15)
