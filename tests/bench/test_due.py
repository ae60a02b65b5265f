"""Which rows of the scratch databases become due."""

import pytest

from bench.due import spread
from bench.multiply import STRIDE
from bench.scratch import address_of


def test_spread_gives_no_id_to_two_runs_and_each_run_the_same_share_of_each_original():
    runs = [spread((7, 9, 11), number=number, runs=4, clinics=10, amount=5) for number in range(4)]

    assert len({pk for run in runs for pk in run}) == 20
    assert [[pk % STRIDE for pk in run] for run in runs] == [[7, 9, 11, 7, 9]] * 4
    assert {pk // STRIDE for run in runs for pk in run} == set(range(10))


def test_spread_over_exactly_as_many_clinics_takes_every_row():
    runs = [spread((7, 9), number=number, runs=2, clinics=4, amount=4) for number in range(2)]

    assert sorted(runs[0] + runs[1]) == sorted(pk + clinic * STRIDE for pk in (7, 9) for clinic in range(4))


def test_spread_refuses_too_few_clinics():
    with pytest.raises(ValueError, match="3 clinics are too few for 2 runs of 4, 2 in each clinic"):
        spread((7, 9), number=0, runs=2, clinics=3, amount=4)


def test_address_keeps_the_server_and_changes_the_database():
    address = "postgresql://me:secret@db.example.com:5433/live?sslmode=require"

    assert address_of(address, "bench_1") == (
        "postgresql://me:secret@db.example.com:5433/bench_1?sslmode=require"
    )
