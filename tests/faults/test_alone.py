"""Faults that one sender meets alone: the mail server's, and long silences. The clock leaps over the hours between."""

from collections import Counter
from datetime import timedelta

import pytest

from faults.alone import send_alone
from faults.cohort import PEAK, build_cohort
from faults.ledger import Ledger
from faults.scenarios.mail import poison_some
from faults.sink import run_sink
from faults.stage import fill
from reminders.models import AttemptOutcome, DeliveryAttempt, Reminder

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def sink(tmp_path, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.JOURNAL_DIR = tmp_path / "senders"
    with run_sink(tmp_path / "sink") as found:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", found.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = ""
        yield found


def send(cohort, sink, **options):
    """Send everything and return the ledger, which must have cleared its bars."""
    clock = send_alone(**options)
    ledger = fill(Ledger("alone", "", 1), cohort, sink.lines(), clock)
    assert ledger.broken == []
    return ledger


def test_f12_ten_minutes_of_refusals_delay_and_lose_nothing(sink):
    cohort = build_cohort(count=6, clinics=2)
    sink.set_mode("refuse")

    send_alone(leaps_most=8)
    refusals = len(sink.lines())
    sink.set_mode("accept")
    ledger = send(cohort, sink, begins_at=PEAK + timedelta(minutes=10))

    tries = Counter(line.recipient for line in sink.lines())
    assert refusals > 0
    assert (ledger.sent_unique, ledger.extra_copies) == (6, 0)
    assert max(tries.values()) <= 6


def test_f13_refused_recipients_fail_alone(sink):
    words = {1: "refuse550", 4: "data554"}
    cohort = build_cohort(count=8, clinics=2, word=lambda n: words.get(n, "client"))
    cohort.expect([*cohort.named("refuse550"), *cohort.named("data554")], "failed")

    ledger = send(cohort, sink)

    assert (ledger.sent_unique, ledger.failed, ledger.extra_copies) == (6, 2, 0)
    disabled = Reminder.objects.filter(client__contact_points__disabled_at__isnull=False)
    assert [str(row.code) for row in disabled] == cohort.named("refuse550")


def test_f14_lines_cut_before_the_answer_are_never_hidden(sink):
    words = {0: "dropkeep", 3: "droplose", 6: "dropalways"}
    cohort = build_cohort(count=9, clinics=2, word=lambda n: words.get(n, "client"))
    cohort.expect(cohort.named("dropalways"), "uncertain")

    ledger = send(cohort, sink)

    cuts = sum(line.answer in ("cut", "taken-cut") for line in sink.lines())
    assert (cuts, ledger.extra_copies, ledger.uncertain, ledger.sent_unique) == (4, 1, 1, 8)
    assert DeliveryAttempt.objects.filter(outcome=AttemptOutcome.UNCERTAIN).count() == cuts


def test_f20_after_three_hours_goes_what_is_still_of_use(sink):
    cohort = build_cohort(count=8, clinics=2)
    short_lived = sorted(cohort.planned)[:3]
    Reminder.objects.filter(code__in=short_lived).update(expires_at=PEAK + timedelta(hours=1))
    cohort.expect(short_lived, "expired")

    ledger = send(cohort, sink, begins_at=PEAK + timedelta(hours=3))

    assert (ledger.sent_unique, ledger.expired, ledger.extra_copies) == (5, 3, 0)
    assert not Reminder.objects.filter(state="expired").exclude(decision_reason="stale").exists()


def test_f21_after_a_week_nothing_stale_goes(sink):
    cohort = build_cohort(count=8, clinics=2, is_checked=True)
    cohort.expect(list(cohort.planned), "expired")

    ledger = send(cohort, sink, begins_at=PEAK + timedelta(days=7))

    assert (ledger.sent_unique, ledger.expired) == (0, 8)
    assert not Reminder.objects.filter(state="expired").exclude(decision_reason="stale").exists()


def test_f24_what_cannot_be_written_holds_up_nobody(sink):
    cohort = build_cohort(count=10, clinics=2)
    broken = sorted(cohort.planned)[:4]
    cohort.expect(broken, "failed", "suppressed")
    poison_some(broken)

    ledger = send(cohort, sink)

    assert (ledger.sent_unique, ledger.failed + ledger.suppressed, ledger.extra_copies) == (6, 4, 0)
    assert DeliveryAttempt.objects.filter(reminder__code__in=broken, number__gt=6).count() == 0
