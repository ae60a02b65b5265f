"""Saved views: the filters of a list under a name, for oneself or for the clinic."""

import uuid
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from clinics.access import Capability
from clinics.models import Clinic, ListPage, SavedView
from clinics.saved_views import change_view, may_change, remove_view, save_view, visible_views
from staff.access import StaffRequest, acting, may, staff_page
from staff.forms import AttentionFilterForm, CourseFilterForm
from staff.message_forms import MessageFilterForm
from staff.overtaken import undisturbed
from staff.presenters.saved_views import list_url, view_bar, view_groups
from staff.view_forms import SavedViewForm, SaveViewForm

_PAGE: Final = "staff/saved_views/saved_views.html"
_FORMS: Final[dict[str, Any]] = {
    ListPage.COURSES: CourseFilterForm,
    ListPage.ATTENTION: AttentionFilterForm,
    ListPage.MESSAGES: MessageFilterForm,
}
# Whom somebody looked for is no view: a name would be kept, and shown to others.
_NEVER_KEPT: Final = frozenset({"q", "client"})


def filters_of(page: str, query: QueryDict, *, clinic: Clinic) -> str:
    """Return what an address asks of a list, as its own form understands it, in the form's order."""
    return _filters_in(_FORMS[page](query, clinic=clinic))


def _filters_in(form: forms.Form) -> str:
    form.is_valid()
    return urlencode(
        {
            name: form.data[name]
            for name in form.fields
            if name not in _NEVER_KEPT and form.data.get(name) and form.cleaned_data.get(name)
        }
    )


def views_context(request: StaffRequest, page: str, filters: forms.Form) -> dict[str, Any]:
    """Return the bar of views above a list with this form of filters, and the form that saves what it shows now.

    Cost: one query.
    """
    here = _filters_in(filters)
    views = visible_views(request.staff_member).filter(page=page)
    form = SaveViewForm(
        initial={"page": page, "query": here},
        may_share=may(request, Capability.MANAGE),
        auto_id="save-view-%s",
    )
    return {"views": view_bar(list(views), here=here), "save_view": form}


@staff_page(read=Capability.READ, write=Capability.READ)
def saved_views(request: StaffRequest) -> HttpResponse:
    """Show the views, and save one more."""
    if request.method != "POST":
        return _show(request)
    form = SaveViewForm(request.POST, may_share=may(request, Capability.MANAGE), auto_id="save-view-%s")
    if form.is_valid():
        wanted = form.cleaned_data
        query = filters_of(wanted["page"], QueryDict(wanted["query"]), clinic=request.staff_member.clinic)
        try:
            view = save_view(
                member=request.staff_member,
                page=wanted["page"],
                name=wanted["name"],
                query=query,
                is_shared=wanted.get("is_shared", False),
                by=acting(request),
                now=timezone.now(),
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("The view %(name)s is saved.") % {"name": view.name})
            return redirect(list_url(view.page, view.query))
    return _show(request, new=form)


@staff_page(write=Capability.READ)
def change(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    with undisturbed(request):
        view = _find(request, code)
        form = SavedViewForm(request.POST, view=view, may_share=may(request, Capability.MANAGE))
        if form.is_valid():
            try:
                changed = change_view(
                    view=view,
                    name=form.cleaned_data["name"],
                    is_shared=form.cleaned_data.get("is_shared", view.is_shared),
                    member=request.staff_member,
                    by=acting(request),
                    now=timezone.now(),
                )
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, _("The view %(name)s is saved.") % {"name": changed.name})
                return redirect("staff:saved-views")
    return _show(request, changed=(view, form))


@staff_page(write=Capability.READ)
def remove(request: StaffRequest, code: uuid.UUID) -> HttpResponse:
    view = _find(request, code)
    remove_view(view=view, by=acting(request), now=timezone.now())
    messages.success(request, _("The view %(name)s is removed.") % {"name": view.name})
    return redirect("staff:saved-views")


def _find(request: StaffRequest, code: uuid.UUID) -> SavedView:
    """Return a view to change; what others shared may be looked at only."""
    view = get_object_or_404(visible_views(request.staff_member), code=code)
    if not may_change(view, request.staff_member):
        raise PermissionDenied
    return view


def _show(
    request: StaffRequest,
    *,
    new: SaveViewForm | None = None,
    changed: tuple[SavedView, SavedViewForm] | None = None,
) -> HttpResponse:
    member, may_share = request.staff_member, may(request, Capability.MANAGE)
    views = list(visible_views(member))
    form_of = {
        view.pk: SavedViewForm(view=view, may_share=may_share) for view in views if may_change(view, member)
    }
    if changed:
        form_of[changed[0].pk] = changed[1]
    context = {"groups": view_groups(views, form_of, member=member), "save_view": new}
    return render(request, _PAGE, context, status=422 if new or changed else 200)
