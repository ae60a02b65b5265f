"""A page of a list: the rows of the page in their order, whatever happens to them in between."""

import pytest

from clients.models import Client
from staff.paging import page_of
from tests.factories import ClientFactory, ClinicFactory

pytestmark = pytest.mark.django_db


def names(page):
    return [client.family_name for client in page.object_list]


def test_pages_hold_every_row_once_in_order():
    clinic = ClinicFactory()
    for name in ("C", "A", "B"):
        ClientFactory(clinic=clinic, family_name=name)
    rows = Client.objects.for_clinic(clinic).order_by("-family_name", "pk")

    first, second, beyond = (page_of(rows, number, size=2) for number in (None, "2", "99"))

    assert (names(first), names(second), names(beyond)) == (["C", "B"], ["A"], ["A"])
    assert (first.paginator.count, first.has_next(), second.has_next()) == (3, True, False)


def test_page_of_nothing_asks_for_no_rows(django_assert_num_queries):
    rows = Client.objects.for_clinic(ClinicFactory()).order_by("pk")

    with django_assert_num_queries(1):
        page = page_of(rows, "x", size=2)

    assert names(page) == []


@pytest.mark.parametrize(
    ("number", "size", "queries"), [(None, 3, 2), ("1", 3, 2), (None, 2, 3), ("2", 3, 3)]
)
def test_what_one_page_holds_is_not_counted(django_assert_num_queries, number, size, queries):
    clinic = ClinicFactory()
    for name in ("A", "B", "C"):
        ClientFactory(clinic=clinic, family_name=name)
    rows = Client.objects.for_clinic(clinic).order_by("family_name", "pk")

    with django_assert_num_queries(queries):
        page = page_of(rows, number, size=size)
        shown = names(page), page.paginator.count, page.number, page.has_next()

    assert shown == (["A", "B", "C"][:size], 3, 1, size < 3)
