"""What is wrong with a file or a cell, and what to do about it, as sentences."""

from typing import Final

from django.utils.translation import gettext_lazy as _

FILE_WORDS: Final = {
    "too_large": _("The file is too large. Import at most 5 MB at a time."),
    "old_excel": _("This is an old Excel file. Save it as .xlsx or as CSV and choose that one."),
    "not_a_table": _("This is no spreadsheet that can be read. Save it as .xlsx or as CSV."),
    "quotes": _(
        "A quotation mark in this file is not closed, or stands within a cell by itself. Save it anew as CSV or .xlsx."
    ),
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
# What a course cannot keep of a FHIR resource; the last two are only to be known.
FHIR_WORDS: Final = {
    "too_large": _("The file is too large. Give one course of at most 2 MB."),
    "not_json": _("This is no JSON that can be read. Save the resource as JSON in UTF-8."),
    "given_twice": _("The name %(name)s stands twice in one object. Give it once."),
    "kind_unknown": _("Give a resource of one of these kinds: %(kinds)s."),
    "not_an_object": _("Give an object with named elements."),
    "not_a_list": _("Give a list."),
    "not_a_text": _("Give a short text."),
    "not_a_number": _("Give a whole number from %(least)s to %(most)s."),
    "not_a_day": _("Give a whole date as YYYY-MM-DD."),
    "not_whole_days": _("This is not a whole number of days. Give it in days."),
    "not_so_many_days": _("Give a number that makes 1 to %(most)s days."),
    "unit_unknown": _("Give one of these units: %(units)s. A month or a year has no fixed number of days."),
    "too_many_items": _("Give at most %(most)s of these."),
    "modifier_unknown": _(
        "This changes the meaning of all the rest in a way that is not known here. Send the resource without it."
    ),
    "one_plan": _("Give one care plan at a time."),
    "old_release": _(
        "A plan with its details inside is of an older FHIR. Give a plannedActivityReference to a ServiceRequest."
    ),
    "not_a_request": _(
        "This leads to no ServiceRequest in the same file, and a course is made of nothing else."
    ),
    "two_subjects": _("These requests are for different people. Give those of one."),
    "in_error": _("Whoever sent this has taken it back as an error."),
    "starts_differ": _("The plan and its first phase begin on different days (%(other)s). Give one of them."),
    "no_phase": _("There is no ServiceRequest with a timing here. Give at least one."),
    "too_many_phases": _("A course has at most %(most)s phases."),
    "no_timing": _("Say how often: give a timing with a period."),
    "single": _("This is one date or one stretch of time. Give a timing that says how often."),
    "forbids": _("This request forbids what it names, and prescribes nothing."),
    "as_needed": _("A course has a rhythm. What is done only when needed cannot be kept."),
    "quantity": _("Give the number of sessions as count and countMax of the timing."),
    "timing_unknown": _("This cannot be kept, and left out it would be another prescription. Remove it."),
    "no_interval": _(
        "A course keeps intervals, not weekdays or times of day. Say it as so many times in a period of days."
    ),
    "no_period": _("Say how often: give period and periodUnit."),
    "frequency_range": _(
        "A course keeps one frequency. Let the period have the range: period and periodMax."
    ),
    "more_than_daily": _("There is one session a day at most."),
    "max_below": _("Give at least as much as %(other)s."),
    "max_alone": _("Give %(other)s too."),
    "no_amount": _("Say how many sessions (count, countMax) or for how long (boundsDuration)."),
    "too_long": _("Let the phase take at most %(most)s days."),
    "bounds_range": _(
        "Give one length of time as boundsDuration, or a range of sessions as count and countMax."
    ),
    "end_alone": _("Give the first day too, or the length as boundsDuration."),
    "end_before_start": _("The last day lies before the first."),
    "not_minutes": _("Give the length of a session in minutes (min)."),
    "target_outside": _("Give a target from count to countMax."),
    "grace_above_lapse": _("Give at most the days until it has lapsed, which are %(lapse)s."),
    "start_left_out": _("Begins when the phase before it is done, not on %(day)s."),
    "is_over": _("What is sent has the status %(status)s; it would begin anew here."),
}


def field_words(field: str) -> str:
    """Return what a field is called; nothing for what concerns a whole row."""
    return str(FIELD_WORDS.get(field, ""))
