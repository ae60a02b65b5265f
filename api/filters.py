"""How lists are narrowed: by codes, words and days that stand in the address, each refused when it makes no sense."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, ClassVar, Final

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from rest_framework.exceptions import ValidationError as RefusedError
from rest_framework.request import Request

from api.serializers.base import read_code, read_day
from clients.models import Channel, Client
from clinics.models import Clinic, StaffMember
from courses.convert import local_midnight, local_today
from courses.models import (
    Course,
    CourseStatus,
    DriftState,
    Flag,
    FlagKind,
    Pause,
    Protocol,
    SessionStatus,
    Severity,
    TreatmentSession,
)
from courses.selectors import is_awake
from reminders.models import Reminder, ReminderState, Trigger

PAGING: Final = ("cursor", "page_size")


class _DayField(forms.Field):
    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        found = read_day(value)
        if found is None:
            raise ValidationError("Write a date that exists as YYYY-MM-DD.")
        return found


class _CodeField(forms.Field):
    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        found = read_code(value)
        if found is None:
            raise ValidationError(
                "Write a code as it is answered, such as 7f0b8a5c-0000-4000-8000-000000000001."
            )
        return found


class _TruthField(forms.Field):
    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if value not in ("true", "false"):
            raise ValidationError("Write true or false.")
        return value == "true"


class _SlugField(forms.Field):
    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if not re.fullmatch(r"[-a-zA-Z0-9_]{1,60}", value):
            raise ValidationError("Write the name of a protocol as it is answered.")
        return value


class DayFilter(django_filters.Filter):
    field_class = _DayField
    schema: ClassVar[dict[str, Any]] = {"type": "string", "format": "date"}


class CodeFilter(django_filters.Filter):
    """Rows that refer to one of the clinic; a code of another clinic finds nothing."""

    field_class = _CodeField
    schema: ClassVar[dict[str, Any]] = {"type": "string", "format": "uuid"}


class TruthFilter(django_filters.Filter):
    field_class = _TruthField
    schema: ClassVar[dict[str, Any]] = {"type": "boolean"}


class SlugFilter(django_filters.Filter):
    field_class = _SlugField
    schema: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[-a-zA-Z0-9_]{1,60}$"}


class WordFilter(django_filters.ChoiceFilter):
    """One of the words of the domain."""

    def __init__(self, words: type[Any], **kwargs: Any) -> None:
        super().__init__(choices=words.choices, **kwargs)
        self.schema = {"type": "string", "enum": list(words.values)}


class ListFilter(django_filters.FilterSet):
    """The filters of one list."""

    @classmethod
    def parameters(cls) -> dict[str, tuple[dict[str, Any], str]]:
        """Return the schema and the meaning of each filter by its name."""
        return {
            name: (found.schema, str(found.extra["help_text"])) for name, found in cls.base_filters.items()
        }


def narrowed(request: Request, rows: QuerySet[Any], filters: type[ListFilter] | None) -> QuerySet[Any]:
    """Return the rows of a list that the address asks for.

    Raises: ValidationError (of the framework) by name for a value that makes no sense, is given twice or left empty,
    and for a name that is no filter: a misspelt one would silently show everything.
    """
    asked = request.query_params
    known = {*PAGING, *(filters.base_filters if filters else ())}
    wrong: dict[str, list[str]] = {}
    for name, values in asked.lists():
        if name not in known:
            wrong[name] = ["There is no such filter here."]
        elif len(values) > 1 or not values[0].strip():
            wrong[name] = ["Give one value, or leave the filter out."]
    if wrong:
        raise RefusedError(wrong)
    if filters is None:
        return rows
    found = filters(asked, queryset=rows, request=request)
    if not found.is_valid():
        raise RefusedError({name: [str(text) for text in texts] for name, texts in found.errors.items()})
    qs: QuerySet[Any] = found.qs
    return qs


def _says(text: str) -> dict[str, Any]:
    return {"help_text": text}


class ProtocolFilter(ListFilter):
    is_current = TruthFilter(**_says("Only versions in force, or only former ones."))
    slug = SlugFilter(**_says("All versions of one protocol."))

    class Meta:
        model = Protocol
        fields: ClassVar[list[str]] = []


class ClientFilter(ListFilter):
    created_from = DayFilter(method="since", **_says("Registered on this day or later."))

    class Meta:
        model = Client
        fields: ClassVar[list[str]] = []

    def since(self, rows: QuerySet[Client], name: str, value: Any) -> QuerySet[Client]:
        return rows.filter(created_at__gte=local_midnight(self.request.auth.clinic, value))


class CourseFilter(ListFilter):
    status = WordFilter(CourseStatus, **_says("Where the course stands."))
    state = WordFilter(DriftState, **_says("Where it stands against its prescription."))
    client = CodeFilter("client__code", **_says("Of one client."))
    protocol = SlugFilter("protocol__slug", **_says("Prescribed from any version of this protocol."))
    practitioner = CodeFilter("practitioner__code", **_says("Whose wished practitioner this is."))
    due_before = DayFilter(
        "due_by_on", lookup_expr="lt", **_says("Whose next session is due before this day.")
    )
    flag = WordFilter(FlagKind, method="with_flag", **_says("With an open flag of this kind."))

    class Meta:
        model = Course
        fields: ClassVar[list[str]] = []

    def with_flag(self, rows: QuerySet[Course], name: str, value: str) -> QuerySet[Course]:
        return rows.filter(Exists(Flag.objects.filter(course=OuterRef("pk"), kind=value, resolved_at=None)))


class SessionFilter(ListFilter):
    on = DayFilter(**_says("On this day."))
    from_on = DayFilter("on", lookup_expr="gte", **_says("On this day or later."))
    to_on = DayFilter("on", lookup_expr="lte", **_says("On this day or earlier."))
    status = WordFilter(SessionStatus, **_says("Where the session stands."))
    course = CodeFilter("course__code", **_says("Of one course."))
    client = CodeFilter("client__code", **_says("Of one client."))
    practitioner = CodeFilter("practitioner__code", **_says("With one practitioner."))
    room = CodeFilter("room__code", **_says("In one room."))

    class Meta:
        model = TreatmentSession
        fields: ClassVar[list[str]] = []


class PauseFilter(ListFilter):
    course = CodeFilter("course__code", **_says("Of one course."))
    holds_on = DayFilter(method="holding", **_says("That hold on this day."))

    class Meta:
        model = Pause
        fields: ClassVar[list[str]] = []

    def holding(self, rows: QuerySet[Pause], name: str, value: Any) -> QuerySet[Pause]:
        return rows.filter(Q(to_on__isnull=True) | Q(to_on__gte=value), from_on__lte=value)


class FlagFilter(ListFilter):
    is_open = TruthFilter(
        "resolved_at", lookup_expr="isnull", **_says("Only open ones, or only resolved ones.")
    )
    is_awake = TruthFilter(
        method="awake", **_says("Only those on the worklist, or only those put off past today.")
    )
    kind = WordFilter(FlagKind, **_says("Of one kind."))
    severity = WordFilter(Severity, **_says("Of one severity."))
    course = CodeFilter("course__code", **_says("Of one course."))
    client = CodeFilter("course__client__code", **_says("Of one client."))

    class Meta:
        model = Flag
        fields: ClassVar[list[str]] = []

    def awake(self, rows: QuerySet[Flag], name: str, value: bool) -> QuerySet[Flag]:
        condition = is_awake(local_today(self.request.auth.clinic, timezone.now()))
        return rows.filter(condition if value else ~condition)


class ReminderFilter(ListFilter):
    state = WordFilter(ReminderState, **_says("What became of it."))
    channel = WordFilter(Channel, **_says("Over one channel."))
    trigger = WordFilter(Trigger, **_says("Caused by one kind of rule."))
    course = CodeFilter("course__code", **_says("About one course."))
    client = CodeFilter("client__code", **_says("To one client."))
    session = CodeFilter("session__code", **_says("About one session."))
    send_from = DayFilter(method="from_day", **_says("Due on this day or later."))
    send_to = DayFilter(method="to_day", **_says("Due on this day or earlier."))

    class Meta:
        model = Reminder
        fields: ClassVar[list[str]] = []

    def from_day(self, rows: QuerySet[Reminder], name: str, value: date) -> QuerySet[Reminder]:
        return rows.filter(send_at__gte=local_midnight(self.request.auth.clinic, value))

    def to_day(self, rows: QuerySet[Reminder], name: str, value: date) -> QuerySet[Reminder]:
        return rows.filter(send_at__lt=local_midnight(self.request.auth.clinic, value + timedelta(days=1)))


Rows = Callable[[Clinic], QuerySet[Any]]


def practitioners(clinic: Clinic) -> QuerySet[StaffMember]:
    """Return who treats at a clinic at present."""
    return StaffMember.objects.for_clinic(clinic).filter(is_treating=True, is_active=True)
