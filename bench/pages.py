"""pages: the staff's pages as the owner of a clinic with ten years of history asks for them.

Each page is asked for again and again through the whole application, from the middleware to the rendered page, in a
process that is set up as one of the web server; what is measured is the time that the server takes, without a network.
That is by the clock, and so counts what other programs on the machine take: the processor time of the web process and of
the database stands beside it. A tenth of the clinic shows whether a page asks the database the same number of times
however much is in it.
"""

from __future__ import annotations

import gzip
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from bench.harness import Figure, Goal, Size
from bench.scratch import ScratchServer, create_migrated, enter, scratch_server
from bin.steps import say

if TYPE_CHECKING:
    from django.test import Client as Browser

_ROUNDS: Final[dict[Size, int]] = {"small": 20, "default": 60, "full": 100}
# Asked for beforehand, unmeasured: templates are read, and the database has its pages at hand.
_WARMING_ROUNDS: Final = 3
# Copies of the model clinic's courses in the past: clients by 25, sessions by some 250.
_PAST: Final[dict[Size, int]] = {"small": 400, "default": 4_000, "full": 4_000}
_SEARCHED: Final = "ozola 7-123@"
_GOAL: Final = Goal(0.1, "most", of="figure")
_REPORT_GOAL: Final = Goal(0.3, "most", of="figure")


@dataclass(frozen=True, slots=True)
class Page:
    """A page by its address; where something is sent, what the answer leads to, as a search does."""

    name: str
    address: str
    sent: dict[str, str] = field(default_factory=dict)
    goal: Goal = _GOAL


@dataclass(frozen=True, slots=True)
class Asked:
    goal: Goal
    seconds: list[float]
    queries: int
    kilobytes: float
    processor_seconds: list[float] = field(default_factory=list)
    database_seconds: list[float] = field(default_factory=list)


def measure(size: Size) -> Iterator[Figure]:
    """Yield the time of each page, the slowest of twenty left out.

    Raises: RuntimeError when a page is not shown.
    """
    with scratch_server() as server:
        yield from _measure(server, size)


def _measure(server: ScratchServer, size: Size) -> Iterator[Figure]:
    from bench.big_clinic import grow_clinic  # noqa: PLC0415  # app ready: models need Django set up
    from bench.model_clinic import build_model_clinic  # noqa: PLC0415  # app ready
    from config.web import warm_up  # noqa: PLC0415  # app ready
    from courses.models import TreatmentSession  # noqa: PLC0415  # app ready

    model = create_migrated(server, "model")
    say("  model clinic ...")
    build_model_clinic()
    found: list[dict[str, Asked]] = []
    work = ""
    for past in (_PAST[size] // 10, _PAST[size]):
        enter(server.create(f"{past}", template=model))
        grow_clinic(past)
        warm_up()
        found.append(ask_all(_ROUNDS[size]))
        work = f"in a clinic with {TreatmentSession.objects.count():,} sessions"
    small, large = found
    for name, asked in large.items():
        few = small[name].queries
        yield Figure(
            name="pages",
            work=f"{name}, {work}",
            figure=quantiles(asked.seconds, n=20)[-1],
            unit="s",
            goal=asked.goal,
            note=f"p95 of {len(asked.seconds)}, median {median(asked.seconds):.3f} s; processor time "
            f"{median(asked.processor_seconds):.3f} s"
            f" and in the database {median(asked.database_seconds):.3f} s; {asked.queries} queries, "
            + (
                "as with a tenth of it"
                if few == asked.queries
                else f"but {few} with a tenth of it: NOT constant"
            )
            + f"; {asked.kilobytes:.0f} kB compressed",
        )


def _pages(least_attended: int) -> list[Page]:
    from django.urls import reverse  # noqa: PLC0415  # app ready

    from bench.model_clinic import TODAY  # noqa: PLC0415  # app ready
    from courses.models import Course  # noqa: PLC0415  # app ready

    course = Course.objects.filter(status="active", attended_count__gte=least_attended).order_by("pk").last()
    assert course is not None, "the model clinic has them"
    return [
        Page("Today", reverse("staff:today")),
        Page("Needs attention", reverse("staff:attention")),
        Page("Courses", reverse("staff:course-list")),
        Page("Courses, the latest first", reverse("staff:course-list") + "?show=all&order=-started"),
        Page("Courses, searched", reverse("staff:course-list"), {"show": "all", "q": _SEARCHED}),
        Page("Course", reverse("staff:course-detail", args=[course.code])),
        Page("Calendar, a week", reverse("staff:calendar") + f"?view=week&on={TODAY}"),
        Page("Calendar, a day", reverse("staff:calendar") + f"?view=day&on={TODAY}"),
        Page("Clients", reverse("staff:client-list")),
        Page("Clients, searched", reverse("staff:client-list"), {"q": _SEARCHED}),
        Page("Client", reverse("staff:client-edit", args=[course.client.code])),
        Page("Messages", reverse("staff:message-list")),
        *_report_pages(),
    ]


def _report_pages() -> list[Page]:
    """Return every report about the longest period that may be asked for: a year, compared with the one before."""
    from django.urls import reverse  # noqa: PLC0415  # app ready

    from bench.model_clinic import TODAY  # noqa: PLC0415  # app ready
    from courses.models import Protocol  # noqa: PLC0415  # app ready
    from reports.catalogue import CATALOGUE  # noqa: PLC0415  # app ready

    year = f"from_on={TODAY - timedelta(days=365)}&to_on={TODAY}"
    protocol = Protocol.objects.values_list("slug", flat=True)[:1].get()
    addresses = {f"Report: {slug}": reverse("staff:report-detail", args=[slug]) for slug in CATALOGUE}
    pages = {"Reports": reverse("staff:report-list"), **addresses}
    filtered = f"{addresses['Report: adherence']}?{year}&protocol={protocol}"
    return [
        *(Page(f"{name}, a year", f"{address}?{year}", goal=_REPORT_GOAL) for name, address in pages.items()),
        Page("Report: adherence, a year of a protocol", filtered, goal=_REPORT_GOAL),
    ]


def _found(browser: Browser, page: Page) -> Page:
    """Return the page that what is sent leads to: a text that is searched for stands in no address."""
    if not page.sent:
        return page
    return replace(page, address=browser.post(page.address, page.sent).headers["Location"])


def ask_all(rounds: int, *, least_attended: int = 5) -> dict[str, Asked]:
    """Ask for every page in turns, so that all meet the same load.

    Raises: RuntimeError when a page is not shown.
    """
    import time_machine  # noqa: PLC0415  # slow import
    from django.db import connection  # noqa: PLC0415  # app ready
    from django.test import Client as Browser  # noqa: PLC0415  # app ready
    from django.test.utils import CaptureQueriesContext, override_settings  # noqa: PLC0415  # app ready

    from bench.model_clinic import TODAY, local  # noqa: PLC0415  # app ready
    from clinics.models import Role, StaffMember  # noqa: PLC0415  # app ready

    now = local(TODAY, 9, 30)
    member = StaffMember.objects.order_by("pk").first()
    assert member is not None, "the model clinic has them"
    StaffMember.objects.filter(pk=member.pk).update(role=Role.OWNER)
    asked: dict[str, Asked] = {}
    with time_machine.travel(now, tick=True), override_settings(ALLOWED_HOSTS=["testserver"], DEBUG=False):
        browser = Browser()
        browser.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        pages = [_found(browser, page) for page in _pages(least_attended)]
        for page in pages:
            with CaptureQueriesContext(connection) as queries:
                response = browser.get(page.address)
            if response.status_code != 200:
                raise RuntimeError(f"{page.name} answered {response.status_code}")
            weight = len(gzip.compress(response.content)) / 1000
            asked[page.name] = Asked(page.goal, [], len(queries), weight)
        for _ in range(_WARMING_ROUNDS):
            for page in pages:
                browser.get(page.address)
        database_time = _database_clock()
        for _ in range(rounds):
            for page in pages:
                in_database, in_process, start = database_time(), time.thread_time(), time.perf_counter()
                browser.get(page.address)
                found = asked[page.name]
                found.seconds.append(time.perf_counter() - start)
                found.processor_seconds.append(time.thread_time() - in_process)
                found.database_seconds.append(database_time() - in_database)
    return asked


def _database_clock() -> Callable[[], float]:
    """Return what tells the processor seconds that the database has taken for this connection; nan where it cannot.

    Helpers that it starts for one query are not counted.
    """
    from django.db import connection  # noqa: PLC0415  # app ready

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        file = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")

    def tell() -> float:
        try:
            return int(file.read_text().split()[0]) / 1e9
        except OSError:
            # Another machine, or another kind of system.
            return math.nan

    return tell
