from imports.management.operation import ImportCommand
from imports.models import ImportKind


class Command(ImportCommand):
    help = "Import running courses from a spreadsheet: what would come of it, and with --apply the import itself."
    kind = ImportKind.COURSES
