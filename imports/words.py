"""What is wrong with a file or a cell, and what to do about it, as sentences."""

from typing import Final

from django.utils.translation import gettext_lazy as _

FILE_WORDS: Final = {
    "too_large": _("The file is too large. Import at most 5 MB at a time."),
    "old_excel": _("This is an old Excel file. Save it as .xlsx or as CSV and choose that one."),
    "not_a_table": _("This is no spreadsheet that can be read. Save it as .xlsx or as CSV."),
    "encoding": _("The letters of this file cannot be read. Save it as CSV with UTF-8, or as .xlsx."),
    "empty": _("There is nothing in this file: the first line names the columns, each further one is a row."),
    "too_many_rows": _("The file has too many rows. Import at most 20,000 at a time."),
    "too_many_columns": _("The file has too many columns. Leave at most 60."),
}
CELL_WORDS: Final = {
    "date": _("This is no date. Write it as 31.12.2026 or 2026-12-31."),
    "date_twice": _("A date stands here twice. Leave each once."),
    "number": _("This is no whole number."),
    "consent": _("Write yes, no, or the channels: e-mail, SMS."),
    "language": _("Write English or Russian."),
    "too_many": _("There are more sessions than days until the last one."),
    "last_before_start": _("The last session lies before the start."),
}
FIELD_WORDS: Final = {
    "given_name": _("Given name"),
    "family_name": _("Family name"),
    "given_first": _("Name, given name first"),
    "family_first": _("Name, family name first"),
    "phone": _("Telephone"),
    "email": _("E-mail"),
    "birth_on": _("Born"),
    "language": _("Language"),
    "time_zone": _("Time zone"),
    "allowed": _("Allows messages by"),
    "health_notes": _("Health notes"),
    "protocol": _("Protocol"),
    "start_on": _("Starts on"),
    "attended": _("Dates attended"),
    "attended_count": _("Number attended"),
    "last_on": _("Last attended on"),
    "target": _("Number of sessions decided"),
    "prescriber": _("Prescribed by"),
    "practitioner": _("Practitioner"),
}


def field_words(field: str) -> str:
    """Return what a field is called; nothing for what concerns a whole row."""
    return str(FIELD_WORDS.get(field, ""))
