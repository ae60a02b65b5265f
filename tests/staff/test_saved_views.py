"""Saved views: a list's filters under a name, one's own or shared, never with the name of a client."""

import pytest

from audit.models import AuditEvent
from clinics.models import Role, SavedView
from clinics.saved_views import MOST_VIEWS
from tests.factories import ClinicFactory, StaffMemberFactory
from tests.staff.conftest import HTMX, NOW
from tests.staff.lists import look_for
from tests.staff.test_today import words_of

NEW = {"page": "courses", "query": "show=due&order=-due", "name": "Due soon"}


@pytest.fixture
def owner(clinic):
    return StaffMemberFactory(clinic=clinic, role=Role.OWNER, display_name="Ilze", is_treating=False)


def make_view(member, name="Late", *, page="courses", query="show=late", is_shared=False):
    return SavedView.objects.create(
        clinic=member.clinic, member=member, page=page, name=name, query=query,
        is_shared=is_shared, created_at=NOW,
    )  # fmt: skip


def test_view_is_saved_and_leads_back_to_the_list(reception, course):
    page = reception.get(
        look_for(reception, "/courses/", "berzina", show="due", order="-due")
    ).content.decode()
    assert 'name="query" value="show=due&amp;order=-due"' in page

    response = reception.post("/views/", NEW)

    assert response["Location"] == "/courses/?show=due&order=-due"
    shown = reception.get(response["Location"]).content.decode()
    assert '<a href="/courses/?show=due&amp;order=-due" aria-current="true">Due soon</a>' in shown
    assert "Save this view" not in words_of(reception.get(response["Location"]))
    event = AuditEvent.objects.get(action="view.saved")
    assert event.new == {"page": "courses", "is_shared": False}


@pytest.mark.parametrize(
    ("page", "query", "kept"),
    [
        ("courses", "show=due&q=Berzina&page=3&next=//evil.example", "show=due"),
        ("attention", "kind=overdue&severity=huge&cause=clinic", "kind=overdue&cause=clinic"),
        (
            "messages",
            "show=sent&q=anna&channel=sms&from_on=2026-03-02",
            "show=sent&channel=sms&from_on=2026-03-02",
        ),
    ],
)
def test_only_what_the_list_understands_is_kept(reception, page, query, kept):
    reception.post("/views/", {"page": page, "query": query, "name": "Mine"})

    assert SavedView.objects.get().query == kept


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "Late"}, "There is a view of this name already."),
        ({"query": "q=berzina"}, "Set a filter first"),
        ({"name": "a\u0007b"}, "Leave out the characters that cannot be printed."),
    ],
)
def test_wrong_view_keeps_what_was_typed(log_in, clinic, change, message):
    member = StaffMemberFactory(clinic=clinic, role=Role.RECEPTIONIST)
    make_view(member)

    response = log_in(member).post("/views/", NEW | change)

    assert response.status_code == 422
    assert message in words_of(response)
    assert f'value="{(NEW | change)["query"].replace("&", "&amp;")}"' in response.content.decode()
    assert SavedView.objects.count() == 1


def test_there_is_an_end_to_views(log_in, owner):
    for number in range(MOST_VIEWS):
        make_view(owner, str(number))

    assert "There are 20 views already." in words_of(log_in(owner).post("/views/", NEW))


def test_owner_shares_a_view_and_takes_it_back(log_in, owner, reception):
    browser, mine = log_in(owner), make_view(owner)
    assert "Late ones" not in words_of(reception.get("/courses/"))

    browser.post(f"/views/{mine.code}/", {"name": "Late ones", "is_shared": "on"})

    assert "shared" in reception.get("/courses/").content.decode()
    assert "Everybody in the clinic sees it, saved by Ilze" in words_of(reception.get("/views/"))
    assert reception.post(f"/views/{mine.code}/", {"name": "x"}).status_code == 403
    browser.post(f"/views/{mine.code}/", {"name": "Late ones"})
    assert "Late ones" not in words_of(reception.get("/courses/"))


def test_receptionist_cannot_share(reception):
    reception.post("/views/", NEW | {"is_shared": "on"})

    assert SavedView.objects.get().is_shared is False


def test_rename_to_a_taken_name_is_said_in_its_place(log_in, owner):
    make_view(owner, "Due")
    mine = make_view(owner)

    response = log_in(owner).post(f"/views/{mine.code}/", {"name": "Due"})

    assert response.status_code == 422
    assert "There is a view of this name already." in words_of(response)
    mine.refresh_from_db()
    assert mine.name == "Late"


def test_removed_view_is_gone(log_in, owner):
    mine = make_view(owner)

    response = log_in(owner).post(f"/views/{mine.code}/remove/", follow=True)

    assert "The view Late is removed." in words_of(response)
    assert "No views yet" in words_of(response)
    assert AuditEvent.objects.filter(action="view.removed").count() == 1


def test_views_of_others_are_not_found(log_in, owner, reception):
    private = make_view(StaffMemberFactory(clinic=owner.clinic, role=Role.RECEPTIONIST))
    foreign = make_view(StaffMemberFactory(clinic=ClinicFactory(), role=Role.OWNER), is_shared=True)

    for view in (private, foreign):
        assert reception.post(f"/views/{view.code}/", {"name": "x"}).status_code == 404
        assert log_in(owner).post(f"/views/{view.code}/remove/").status_code == 404
    assert SavedView.objects.count() == 2


def test_bar_follows_the_filters_and_costs_one_query(reception, log_in, owner, django_assert_num_queries):
    browser = log_in(owner)
    browser.get("/courses/")

    # Login session, user, membership, keys of the page, saved views; no course fits.
    def count():
        with django_assert_num_queries(5):
            return browser.get("/courses/?show=late", headers=HTMX).content.decode()

    assert 'hx-swap-oob="true"' in count()
    for name in ("A", "B", "C"):
        make_view(owner, name)
    assert count().count('aria-current="true"') == 3
