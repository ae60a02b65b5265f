"""Lists in pages, whose price does not grow with what is on the other pages."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet


def page_of(rows: QuerySet[Any], number: str | None, *, size: int) -> Page[Any]:
    """Return a page of the rows; a number that there is not gives the first or the last one.

    The page is found by its keys alone. What each row is shown with, its relations and all that is asked about it, is
    read for the page's rows only: a database may else join or look it up for all of them, to drop all but a few.

    Cost: three queries, two where one page holds all, one where there is nothing, and those of prefetched relations.
    """
    keys = rows.values_list("pk", flat=True)
    paginator = Paginator(keys, size)
    is_first = number in (None, "", "1")
    first = list(keys[: size + 1]) if is_first else []
    if is_first and len(first) <= size:
        # All of them are here: counting would go through everything that a search has gone through a second time.
        paginator.count = len(first)
    page = paginator.get_page(number)
    shown = first[:size] or list(page.object_list)
    found = {row.pk: row for row in rows.order_by().filter(pk__in=shown)} if shown else {}
    page.object_list = [found[key] for key in shown if key in found]
    return page
