"""The commands: a dry run first, problems by row, and an import that the page can undo."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from clients.models import Client
from clinics.models import Role
from imports.models import ImportBatch
from tests.factories import ClinicFactory, StaffMemberFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return StaffMemberFactory(clinic=ClinicFactory(), role=Role.OWNER)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "clients.csv"
    path.write_text("name;phone\nAnna Berzina;20000001\n;12\n", encoding="utf-8")
    return path


def run(*arguments, **options):
    said = StringIO()
    try:
        call_command(*arguments, stdout=said, **options)
    except CommandError as error:
        return said.getvalue().splitlines(), str(error)
    return said.getvalue().splitlines(), ""


def test_dry_run_says_everything_and_leaves_nothing(owner, file):
    said, error = run("import_clients", str(file))

    assert said == [
        "row 3: Telephone: This is not a telephone number. Write it with the country code, such as +371 20 000 000.",
        "row 3: Give the client's name.",
        "1 new, 1 refused",
    ]
    assert error == "Mend the rows named above and import the file again."
    assert not Client.objects.exists()
    assert not ImportBatch.objects.exists()


def test_apply_imports_what_is_sound_and_can_be_undone_later(owner, file):
    said, _error = run("import_clients", str(file), apply=True, by=owner.user.email.upper())
    again, _error = run("import_clients", str(file), apply=True)

    assert said[-2:] == ["1 new, 1 refused", "1 made, 1 refused"]
    assert again[-1] == "1 refused, 1 same"
    assert Client.objects.get().name == "Anna Berzina"
    assert ImportBatch.objects.get().status == "applied"


def test_what_cannot_be_run_is_said_in_one_line(owner, file, tmp_path):
    strange = tmp_path / "strange.csv"
    strange.write_text("a;b\n1;2\n", encoding="utf-8")

    assert run("import_clients", str(tmp_path / "no.csv"))[1].endswith("no.csv: No such file or directory.")
    assert run("import_clients", str(file), by="nobody@example.com")[1] == (
        "--by: nobody of the clinic has this e-mail."
    )
    assert "A column is needed for one of these: Telephone, E-mail." in run("import_courses", str(strange))[1]
    ClinicFactory()
    assert run("import_clients", str(file))[1] == "--clinic: name one clinic by its code."
    assert not ImportBatch.objects.exists()
