"""A file of many rows is written in the memory of a few: measured in a process of its own."""

import subprocess
import sys

import pytest

from bin.steps import ROOT

# Rows as the database hands them over, more of them than would fit below the cap all at once.
PROGRAM = """
import os, resource, sys
from datetime import UTC, date, datetime
from types import SimpleNamespace

import django
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings_test"
django.setup()
import xlsxwriter
from exports.columns import Column, Kind
from exports.files import head_bytes, line_blocks, write_workbook

ROW = ("4f7f9b64-1d8e-4a8c-9d9d-0a4f3c8d2b11", date(2026, 3, 2), datetime(2026, 3, 2, 9, tzinfo=UTC), 45, 0.5)
TITLES = ("Code", "Day", "From", "Minutes", "Rate", "Note")

class Reading:
    is_text_ready = False
    table = SimpleNamespace(name="rows")
    columns = [Column(name.lower(), name) for name in TITLES]
    def rows(self, found=None):
        return ((*ROW, f"note {number}") for number in range(COUNT))

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

file_format, COUNT = sys.argv[1], int(sys.argv[2])
before, size = peak(), 0
with open(os.devnull if file_format != "xlsx" else sys.argv[3], "w+b") as file:
    if file_format == "xlsx":
        write_workbook(Reading(), file)
        size = file.tell()
    else:
        file.write(head_bytes(Reading(), file_format))
        for block, count in line_blocks(Reading(), file_format):
            file.write(block)
            size += len(block)
print(peak() - before, size)
"""


@pytest.mark.slow
@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("file_format", "rows", "least_bytes"),
    [("csv", 120_000, 10_000_000), ("xlsx", 20_000, 400_000)],
)
def test_file_of_many_rows_needs_the_memory_of_a_few(tmp_path, file_format, rows, least_bytes):
    command = [sys.executable, "-c", PROGRAM, file_format, str(rows), str(tmp_path / "book.xlsx")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    megabytes, size = map(int, done.stdout.split())

    assert size > least_bytes
    # A block of two thousand rows, and what the writers keep; all rows at once would be several times that.
    assert megabytes <= 8
