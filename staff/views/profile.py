"""One's own settings: the language of the pages, how one signs in, and the clinic one works in now."""

from allauth.mfa import app_settings as mfa_settings
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clinics.access import Capability
from clinics.middleware import CHOSEN_MEMBER
from clinics.models import StaffMember, User
from clinics.services import choose_date_order as save_date_order
from clinics.services import choose_digest as save_digest
from clinics.services import choose_language as save_language
from clinics.services import record_sign_in
from courses.convert import local_today
from staff import presenters
from staff.access import StaffRequest, acting, staff_page
from staff.exchange_forms import OwnSessionsForm
from staff.forms import DateOrderForm, LanguageForm, WorkplaceForm
from staff.message_forms import DigestForm


def _memberships(request: StaffRequest) -> QuerySet[StaffMember]:
    members = StaffMember.objects.filter(user=request.user, is_active=True, clinic__deactivated_at=None)
    return members.select_related("clinic").order_by("clinic__name", "pk")


def _second_step(user: User) -> presenters.SecondStep:
    known = {row.type: row for row in Authenticator.objects.filter(user=user)}
    app, codes = known.get(Authenticator.Type.TOTP), known.get(Authenticator.Type.RECOVERY_CODES)
    return presenters.SecondStep(
        since=app.created_at if app else None,
        codes_left=len(codes.wrap().get_unused_codes()) if codes else 0,
        codes_total=mfa_settings.RECOVERY_CODE_COUNT,
    )


def _show(
    request: StaffRequest, *, language: LanguageForm | None = None, workplace: WorkplaceForm | None = None
) -> HttpResponse:
    spoken = request.user.language or translation.get_language()
    members = _memberships(request)
    today = local_today(request.staff_member.clinic, timezone.now())
    wrong = bool((language and language.errors) or (workplace and workplace.errors))
    context = {
        "language_form": language or LanguageForm(initial={"language": spoken}),
        "workplace_form": workplace
        or WorkplaceForm(members=members, initial={"member": request.staff_member.code}),
        "has_choice": members.count() > 1,
        "may_start": settings.ALLOW_NEW_CLINICS,
        "digest_form": DigestForm(initial={"gets_digest": request.staff_member.gets_digest}),
        "own_sessions_form": OwnSessionsForm({}, today=today) if request.staff_member.is_treating else None,
        "second_step": _second_step(request.user),
        "date_form": DateOrderForm(
            initial={"date_order": request.user.date_order or DateOrderForm.OWN}, today=today
        ),
        "today": today,
    }
    return render(request, "staff/profile/profile.html", context, status=422 if wrong else 200)


@staff_page(read=Capability.READ)
def show_profile(request: StaffRequest) -> HttpResponse:
    return _show(request)


@staff_page(write=Capability.READ)
def choose_language(request: StaffRequest) -> HttpResponse:
    form = LanguageForm(request.POST)
    if not form.is_valid():
        return _show(request, language=form)
    language = form.cleaned_data["language"]
    save_language(user=request.user, language=language, by=acting(request), now=timezone.now())
    translation.activate(language)
    messages.success(request, _("The pages speak your language now."))
    response = redirect("staff:profile")
    # The login page has nobody to ask, so the device remembers too.
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 3600,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


@staff_page(write=Capability.READ)
def choose_dates(request: StaffRequest) -> HttpResponse:
    form = DateOrderForm(request.POST, today=local_today(request.staff_member.clinic, timezone.now()))
    save_date_order(user=request.user, order=form.order(), by=acting(request), now=timezone.now())
    messages.success(request, _("Dates are written your way now."))
    return redirect("staff:profile")


@staff_page(write=Capability.READ)
def choose_clinic(request: StaffRequest) -> HttpResponse:
    form = WorkplaceForm(request.POST, members=_memberships(request))
    if not form.is_valid():
        return _show(request, workplace=form)
    member = form.cleaned_data["member"]
    request.session[CHOSEN_MEMBER] = str(member.code)
    record_sign_in(member=member, now=timezone.now())
    messages.success(request, _("You work in %(clinic)s now.") % {"clinic": member.clinic.name})
    return redirect("staff:today")


@staff_page(write=Capability.READ)
def choose_digest(request: StaffRequest) -> HttpResponse:
    form = DigestForm(request.POST)
    wants = form.is_valid() and form.cleaned_data["gets_digest"]
    save_digest(member=request.staff_member, wants=wants, by=acting(request), now=timezone.now())
    messages.success(
        request, _("The morning summary comes by e-mail.") if wants else _("No morning summary comes.")
    )
    return redirect("staff:profile")
