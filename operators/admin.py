"""What an operator sees: the installation, its clinics and logins; of clients nothing, not even that they exist.

No name, contact, note, message or condition of a client stands in any list, page or search here. Everything is
read-only but a few acts, each of them a verb that is put on record.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.models import AuditEvent
from clinics.models import Clinic, StaffMember, User
from clinics.operating import (
    deactivate_clinic,
    let_owners_in,
    reactivate_clinic,
    reset_second_step,
    shut_clinic,
    switch_login,
)
from operators.access import acting
from operators.site import site as site
from reminders.models import ChannelHealth, Installation, JobState, Reminder

_MOST_COUNTED: Final = 10_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # generic in its stubs only
    """Counts so many rows at most: a table of millions is opened at once, and nobody turns a thousand pages."""

    @cached_property
    def count(self) -> int:
        found: Any = self.object_list
        return len(found.order_by().values_list("pk")[:_MOST_COUNTED])


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Rows to be looked at: only the fields named, and nothing to be saved."""

    actions = None
    list_per_page = 50
    show_full_result_count = False
    paginator = BoundedPaginator

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Not "Select ... to view": no language but English puts a name there as it is.
        title = {"title": capfirst(str(self.opts.verbose_name_plural))}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        title = {"title": capfirst(str(self.opts.verbose_name))}
        return super().changeform_view(request, object_id, form_url, {**title, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _act(
    request: HttpRequest, rows: QuerySet[Any], verb: Callable[[Any], object], said: Callable[[int], str]
) -> None:
    """Do something to each of the rows chosen; a refusal names its row and stops none of the others."""
    done = 0
    for row in rows:
        try:
            verb(row)
        except ValidationError as error:
            messages.error(request, f"{row}: {' '.join(error.messages)}")
        else:
            done += 1
    if done:
        messages.success(request, said(done))


def _ask(
    request: HttpRequest, rows: QuerySet[Any], *, action: str, question: str, button: str
) -> HttpResponse | None:
    """Ask before what cannot be taken back; None once the answer is yes."""
    if request.POST.get("sure"):
        return None
    context = site.each_context(request) | {
        "title": question,
        "rows": list(rows),
        "action": action,
        "button": button,
        "opts": rows.model._meta,
    }
    return render(request, "operators/ask.html", context)


@admin.register(User, site=site)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("email", "is_active", "is_superuser", "has_second_step", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("email",)
    ordering = ("email",)
    fields = ("code", "email", "language", "is_active", "is_superuser", "last_login", "date_joined")
    actions: ClassVar[Sequence[str]] = ("switch_off", "switch_on", "reset_second_step")  # type: ignore[misc,assignment]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        apps = Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)
        users: QuerySet[User] = super().get_queryset(request)
        return users.annotate(has_totp=Exists(apps))

    @admin.display(boolean=True, description=gettext_lazy("second step"))
    def has_second_step(self, user: User) -> bool:
        return bool(user.has_totp)  # type: ignore[attr-defined]

    @admin.action(description=gettext_lazy("Switch the login off"))
    def switch_off(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        self._switch(request, rows, is_active=False)

    @admin.action(description=gettext_lazy("Switch the login on again"))
    def switch_on(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        self._switch(request, rows, is_active=True)

    def _switch(self, request: HttpRequest, rows: QuerySet[User], *, is_active: bool) -> None:
        _act(
            request,
            rows,
            lambda user: switch_login(
                user=user,
                is_active=is_active,
                by=acting(request),
                now=timezone.now(),
            ),
            lambda done: ngettext("%(n)s login is changed.", "%(n)s logins are changed.", done) % {"n": done},
        )

    @admin.action(description=gettext_lazy("Reset the second step"))
    def reset_second_step(self, request: HttpRequest, rows: QuerySet[User]) -> HttpResponse | None:
        question = _(
            "Reset the second step of these logins? Until they set it up anew, the password alone guards them."
        )
        asked = _ask(request, rows, action="reset_second_step", question=question, button=_("Reset"))
        if asked is not None:
            return asked
        _act(
            request,
            rows,
            lambda user: reset_second_step(user=user, by=acting(request), now=timezone.now()),
            lambda done: (
                ngettext("%(n)s second step is reset.", "%(n)s second steps are reset.", done) % {"n": done}
            ),
        )
        return None


@admin.register(Clinic, site=site)
class ClinicAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "country",
        "time_zone",
        "language",
        "people",
        "created_at",
        "is_demo",
        "deactivated_at",
    )
    list_filter = (("deactivated_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "code")
    ordering = ("name", "pk")
    fields = (
        "code",
        "name",
        "country",
        "time_zone",
        "language",
        "created_at",
        "deactivated_at",
        "is_demo",
        "is_being_set_up",
        "calendar_version",
        "daily_message_cap",
    )
    actions: ClassVar[Sequence[str]] = ("shut", "let_in", "deactivate", "reactivate")  # type: ignore[misc,assignment]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Clinic]:
        active = Count("staff_members", filter=Q(staff_members__is_active=True))
        clinics: QuerySet[Clinic] = super().get_queryset(request)
        return clinics.annotate(people_count=active)

    @admin.display(description=gettext_lazy("people with access"))
    def people(self, clinic: Clinic) -> int:
        return int(clinic.people_count)  # type: ignore[attr-defined]

    @admin.action(description=gettext_lazy("Take everybody's access away"))
    def shut(self, request: HttpRequest, rows: QuerySet[Clinic]) -> HttpResponse | None:
        question = _(
            "Take the access of everybody in these clinics away? Messages to clients go on being sent."
        )
        asked = _ask(request, rows, action="shut", question=question, button=_("Take the access away"))
        if asked is not None:
            return asked
        _act(
            request,
            rows,
            lambda clinic: shut_clinic(clinic=clinic, by=acting(request), now=timezone.now()),
            lambda done: ngettext("%(n)s clinic is shut.", "%(n)s clinics are shut.", done) % {"n": done},
        )
        return None

    @admin.action(description=gettext_lazy("Let the owners in again"))
    def let_in(self, request: HttpRequest, rows: QuerySet[Clinic]) -> None:
        _act(
            request,
            rows,
            lambda clinic: let_owners_in(clinic=clinic, by=acting(request), now=timezone.now()),
            lambda done: (
                ngettext("%(n)s clinic is open again.", "%(n)s clinics are open again.", done) % {"n": done}
            ),
        )

    @admin.action(description=gettext_lazy("Deactivate the clinic"))
    def deactivate(self, request: HttpRequest, rows: QuerySet[Clinic]) -> HttpResponse | None:
        question = _(
            "Deactivate these clinics? Nobody gets in, no token or client's link opens anything, and no message goes out. Everything is kept."
        )
        asked = _ask(request, rows, action="deactivate", question=question, button=_("Deactivate"))
        if asked is not None:
            return asked
        self._switch(request, rows, deactivate_clinic)
        return None

    @admin.action(description=gettext_lazy("Reactivate the clinic"))
    def reactivate(self, request: HttpRequest, rows: QuerySet[Clinic]) -> None:
        self._switch(request, rows, reactivate_clinic)

    def _switch(self, request: HttpRequest, rows: QuerySet[Clinic], verb: Callable[..., bool]) -> None:
        _act(
            request,
            rows,
            lambda clinic: verb(clinic=clinic, by=acting(request), now=timezone.now()),
            lambda done: (
                ngettext("%(n)s clinic is changed.", "%(n)s clinics are changed.", done) % {"n": done}
            ),
        )


@admin.register(StaffMember, site=site)
class StaffMemberAdmin(ReadOnlyAdmin):
    list_display = ("display_name", "user", "clinic", "role", "is_treating", "is_active")
    list_filter = ("role", "is_active")
    list_select_related = ("user", "clinic")
    search_fields = ("user__email", "clinic__name", "code")
    fields = ("code", "display_name", "user", "clinic", "role", "is_treating", "gets_digest", "is_active")


@admin.register(AuditEvent, site=site)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who did what to which code; what it was before stays with the clinic."""

    list_display = ("at", "action", "actor_kind", "actor_code", "subject_kind", "subject_code", "clinic_code")
    list_filter = ("actor_kind",)
    search_fields = ("=action", "=clinic_code", "=subject_code", "=actor_code")
    ordering = ("-at", "-pk")
    fields = list_display
    list_display_links = None


@admin.register(Reminder, site=site)
class ReminderAdmin(ReadOnlyAdmin):
    """How a message fares: to whom it goes and what it says stays with the clinic."""

    list_display = (
        "code",
        "clinic",
        "trigger",
        "channel",
        "state",
        "decision_reason",
        "send_at",
        "sent_at",
        "attempt_count",
    )
    list_filter = ("state", "channel", "trigger")
    list_select_related = ("clinic",)
    search_fields = ("=code", "=clinic__code")
    ordering = ("-send_at", "-pk")
    fields = (
        *list_display,
        "expires_at",
        "decided_at",
        "delivery",
        "delivered_at",
        "retry_at",
        "lease_until",
    )


@admin.register(ChannelHealth, site=site)
class ChannelHealthAdmin(ReadOnlyAdmin):
    list_display = (
        "scope",
        "clinic",
        "failure_count",
        "open_until",
        "last_error_code",
        "last_failed_at",
        "last_succeeded_at",
    )
    list_select_related = ("clinic",)
    ordering = ("scope",)
    fields = list_display


@admin.register(JobState, site=site)
class JobStateAdmin(ReadOnlyAdmin):
    list_display = ("job", "last_started_at", "last_succeeded_at", "last_counts")
    ordering = ("job",)
    fields = list_display


@admin.register(Installation, site=site)
class InstallationAdmin(ReadOnlyAdmin):
    list_display = ("beat", "seen_at", "held_at", "held_reason")
    fields = list_display
