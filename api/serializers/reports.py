"""The figures of a period, and the reports as their pages show them."""

from typing import Any, Final, get_args

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.base import Answer, Word
from courses.models import FlagKind
from reports.tables import Figure, Kind, Table

_VALUE: Final[dict[str, Any]] = {"type": ["string", "number", "null"]}
_KINDS: Final = [(kind, kind) for kind in get_args(Kind)]


class ShareAnswer(Answer):
    """So many of so many."""

    part = serializers.IntegerField()
    whole = serializers.IntegerField()
    rate = serializers.FloatField(allow_null=True)


class FindingCountAnswer(Answer):
    kind = Word(choices=FlagKind.choices)
    opened = serializers.IntegerField(help_text="Began in the period.")
    open_now = serializers.IntegerField()


class FiguresAnswer(Answer):
    from_on = serializers.DateField()
    to_on = serializers.DateField()
    attendance = ShareAnswer(help_text="Attended, of attended, missed and cancelled late.")
    on_time = ShareAnswer(help_text="Inside their windows, of the attended sessions that were prescribed.")
    early = serializers.IntegerField()
    late = serializers.IntegerField()
    ran = serializers.IntegerField(help_text="Courses that ran in the period.")
    began = serializers.IntegerField(help_text="Courses that began in it.")
    findings = FindingCountAnswer(many=True)


class ReportEntryAnswer(Answer):
    """One report that there is."""

    slug = serializers.CharField(help_text="Its address.")
    title = serializers.CharField()
    question = serializers.CharField(help_text="What it answers.")


class ReportListAnswer(Answer):
    results = ReportEntryAnswer(many=True)


class ReportFigureAnswer(Answer):
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=_KINDS, help_text="What the number is: shares are 0 to 1.")
    value = serializers.FloatField(allow_null=True)
    of = serializers.CharField(help_text="Of what it is counted.")
    means = serializers.CharField(help_text="How it is counted.")
    before = serializers.SerializerMethodField(help_text="The same of the period before.")

    @extend_schema_field({"type": ["number", "null"]})
    def get_before(self, figure: Figure) -> float | None:
        return figure.before if figure.has_before else None


class ReportColumnAnswer(Answer):
    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=_KINDS)
    means = serializers.CharField(help_text="What is counted in it, where its title does not say.")


class ReportTableAnswer(Answer):
    name = serializers.CharField(help_text="The name of its file.")
    title = serializers.CharField()
    explains = serializers.CharField()
    columns = ReportColumnAnswer(many=True)
    rows = serializers.SerializerMethodField(help_text="Cells in the order of the columns.")

    @extend_schema_field({"type": "array", "items": {"type": "array", "items": _VALUE}})
    def get_rows(self, table: Table) -> list[list[Any]]:
        return [list(row) for row in table.rows]


class ReportAnswer(ReportEntryAnswer):
    """A report with what was asked for and the definitions of all that stands in it."""

    from_on = serializers.DateField(allow_null=True, help_text="Null in a report that looks ahead.")
    to_on = serializers.DateField(allow_null=True)
    weeks = serializers.IntegerField(allow_null=True, help_text="Null in a report about a period.")
    protocol = serializers.CharField(allow_null=True)
    practitioner = serializers.UUIDField(allow_null=True)
    is_empty = serializers.BooleanField(help_text="Nothing was there to be counted.")
    figures = ReportFigureAnswer(many=True)
    tables = ReportTableAnswer(many=True)
    notes = serializers.ListField(
        child=serializers.CharField(), help_text="What one has to know to read it rightly."
    )
