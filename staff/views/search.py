"""Search: a client, a course or a page, from wherever the reader is."""

from django.http import HttpResponse
from django.shortcuts import render

from clinics.access import Capability
from courses.selectors import latest_courses, search_clients
from staff.access import StaffRequest, staff_page
from staff.answers import vary_on_htmx
from staff.forms import SearchForm
from staff.navigation import find_places
from staff.presenters.search import HitGroup, found_words, hit_groups

MOST = 8
# One letter is in every name.
_SHORTEST = 2


@staff_page(read=Capability.READ, write=Capability.READ)
def search(request: StaffRequest) -> HttpResponse:
    """Find what is typed; it comes in the body of the request, so that no address and no log holds a name."""
    form = SearchForm(request.POST if request.method == "POST" else None)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    groups = _find(request, text) if len(text) >= _SHORTEST else []
    note = found_words(groups, text if len(text) >= _SHORTEST else "")
    template = "staff/search/_found.html" if request.htmx else "staff/search/search.html"
    return vary_on_htmx(render(request, template, {"text": text, "groups": groups, "note": note}))


def _find(request: StaffRequest, text: str) -> list[HitGroup]:
    """Return what a text finds in the clinic and in the pages of the reader's role.

    Cost: three queries: clients, their contacts, courses.
    """
    clinic = request.staff_member.clinic
    # One more than is shown tells that there are more.
    clients = list(search_clients(clinic, text)[: MOST + 1])
    courses = list(latest_courses(clinic, text)[: MOST + 1])
    return hit_groups(clients, courses, find_places(request.staff_member, text), most=MOST)
