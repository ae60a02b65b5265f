"""Several findings at once: acknowledged, put off or written about, each by itself, with a reason where not."""

from datetime import date

import pytest

from audit.models import AuditEvent
from clinics.models import Role
from courses.models import Flag, FlagKind, Pause
from courses.services import acknowledge_flag, reassess
from reminders.models import Reminder, ReminderState
from reminders.services import sync_course_reminders
from tests.factories import actor_of, prescribe
from tests.staff.conftest import HTMX, NOW
from tests.staff.test_attention import url
from tests.staff.test_today import words_of

BULK = "/attention/selected/"


@pytest.fixture
def flags(make_course):
    """Two courses overdue since Friday."""
    courses = [make_course(), make_course(given_name="Olga", family_name="Zaiceva", at=12)]
    for course in courses:
        reassess(course=course, now=NOW)
        sync_course_reminders(course_id=course.pk, now=NOW)
    return [Flag.objects.get(course=course, kind=FlagKind.OVERDUE) for course in courses]


@pytest.fixture
def flag(flags):
    return flags[0]


def stop_messages(flag):
    rows = Reminder.objects.filter(course=flag.course)
    rows.update(state=ReminderState.SUPPRESSED, decision_reason="stopped", decided_at=NOW)


def pick(*flags):
    return [f"{flag.code}:{flag.stamp}" for flag in flags]


def test_all_selected_are_acknowledged_and_counted(reception, flags):
    response = reception.post(BULK, {"action": "acknowledge", "flag": pick(*flags)}, follow=True)

    assert "2 findings acknowledged." in words_of(response)
    assert Flag.objects.filter(acknowledged_at=NOW).count() == 2
    assert AuditEvent.objects.filter(action="flag.acknowledged").count() == 2


def test_one_box_stands_for_all_that_the_page_shows(reception, flags):
    sent = {"action": "snooze", "until_on": "2026-03-12", "all": "on", "shown": pick(*flags)}

    response = reception.post(f"{BULK}?list=kind%3Doverdue", sent)

    assert response["Location"] == "/attention/?kind=overdue"
    assert set(Flag.objects.filter(kind="overdue").values_list("snoozed_until_on", flat=True)) == {
        date(2026, 3, 12)
    }


def test_what_others_did_meanwhile_is_left_and_said(reception, flags, prescriber):
    resolved, taken = flags
    sent = {"action": "snooze", "until_on": "2026-03-12", "flag": pick(*flags)}
    Flag.objects.filter(pk=resolved.pk).update(resolved_at=NOW, resolved_reason="attended")
    acknowledge_flag(flag=taken, by=actor_of(prescriber), now=NOW, note="on Thursday")

    said = words_of(reception.post(BULK, sent, headers=HTMX))

    assert "Not done for Anna Berzina: This has been resolved in the meantime." in said
    assert "Not done for Olga Zaiceva: Somebody took care of this meanwhile; look at it again." in said
    taken.refresh_from_db()
    assert (taken.acknowledged_note, taken.snoozed_until_on) == ("on Thursday", None)


def test_message_of_the_rules_goes_at_once(reception, flags):
    row = Reminder.objects.filter(course=flags[0].course, trigger="overdue", state="due").earliest("send_at")
    stop_messages(flags[1])
    Reminder.objects.filter(pk=row.pk).update(send_at=NOW.replace(hour=14))

    said = words_of(reception.post(BULK, {"action": "message", "flag": pick(*flags)}, headers=HTMX))

    assert "1 message goes out in a moment." in said
    assert "Not done for Olga Zaiceva: The rules have no message ready for this course." in said
    row.refresh_from_db()
    assert (row.state, row.send_at) == ("due", NOW)
    assert AuditEvent.objects.filter(action="reminder.sent_now").count() == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"until_on": "2026-03-09"}, "Choose a day after today."),
        ({"until_on": ""}, "Give the day until which it is put off."),
        ({"until_on": "31.02.2026"}, "Enter a valid date."),
    ],
)
def test_wrong_day_keeps_the_selection(reception, flags, change, message):
    response = reception.post(BULK, {"action": "snooze", "flag": pick(flags[0])} | change)

    assert response.status_code == 422
    assert message in words_of(response)
    assert f'value="{pick(flags[0])[0]}" data-pick checked' in response.content.decode()
    assert not Flag.objects.filter(snoozed_until_on__isnull=False).exists()


def test_nothing_selected_is_said(reception, flags):
    assert "Select at least one finding." in words_of(
        reception.post(BULK, {"action": "message"}, follow=True)
    )


def test_finding_of_another_clinic_stops_everything(reception, flags):
    abroad = prescribe()
    reassess(course=abroad, now=NOW)

    sent = {"action": "acknowledge", "flag": pick(flags[0], abroad.flags.first())}
    assert reception.post(BULK, sent).status_code == 404
    assert reception.post(BULK, {"action": "acknowledge", "flag": ["x"]}).status_code == 404
    assert not Flag.objects.filter(acknowledged_at__isnull=False).exists()


def test_reader_sees_no_boxes(browser_of, flags):
    page = browser_of(Role.ANALYST).get("/attention/").content.decode()

    assert "data-pick" not in page


def test_course_is_paused_from_its_line(reception, flag):
    assert "Pause until, that day included" in words_of(reception.get(url(flag, "pause")))
    refused = reception.post(url(flag, "pause"), {"reason": "illness", "to_on": "2026-03-01"}, headers=HTMX)
    assert refused.status_code == 422
    assert 'value="2026-03-01"' in refused.content.decode()

    said = words_of(
        reception.post(url(flag, "pause"), {"reason": "illness", "to_on": "2026-03-12"}, headers=HTMX)
    )

    assert "Anna Berzina: the course is paused." in said
    pause = Pause.objects.get()
    assert (pause.from_on, pause.to_on) == (date(2026, 3, 9), date(2026, 3, 12))


def test_message_goes_from_its_line(reception, flag):
    said = words_of(reception.post(url(flag, "message"), headers=HTMX))

    assert "Anna Berzina: the message goes out in a moment." in said
    stop_messages(flag)
    assert "The rules have no message ready for this course." in words_of(
        reception.post(url(flag, "message"), headers=HTMX)
    )
