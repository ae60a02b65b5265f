"""Ratios, goals, medians and the table; how long anything takes is no test's matter."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bench.harness import Figure, Goal, median_of, medians_in_turns, number_text, table, write_results

RATE = Figure("dispatch", "5,000 e-mails", 90.0, "/s", Goal(0.8, "least"), baseline=100.0, note="a loop")
TIME = Figure("tick", "500 due", 2.0, "s", Goal(1.3, "most"), baseline=1.0)
LONE = Figure("assess", "one core", 31_250.4, "/s", Goal(30_000, "least", of="figure"))


@pytest.mark.parametrize(
    ("figure", "ratio", "is_met"),
    [
        (RATE, 0.9, True),
        (replace(RATE, figure=80.0), 0.8, True),
        (replace(RATE, figure=79.9), 0.799, False),
        (TIME, 2.0, False),
        (replace(TIME, figure=1.3), 1.3, True),
        (LONE, None, True),
        (replace(LONE, figure=29_999.9), None, False),
    ],
)
def test_figure_is_judged_by_its_goal(figure, ratio, is_met):
    assert (figure.ratio, figure.is_met) == (ratio, is_met)


def test_ratio_to_nothing_is_refused():
    with pytest.raises(ValueError, match="the baseline of tick is nothing"):
        _ = replace(TIME, baseline=0.0).ratio


def test_goal_of_a_ratio_without_baseline_is_refused():
    with pytest.raises(ValueError, match="tick has a goal for its ratio but no baseline"):
        _ = replace(TIME, baseline=None).is_met


def test_table_aligns_figures_with_their_notes():
    assert table([LONE, RATE, TIME]).splitlines() == [
        "name      work           figure     baseline  ratio  goal                met",
        "--------  -------------  ---------  --------  -----  ------------------  ---",
        "assess    one core       31,250 /s  -         -      at least 30,000 /s  yes",
        "dispatch  5,000 e-mails  90 /s      100 /s    0.9    at least 0.8        yes",
        "          a loop",
        "tick      500 due        2 s        1 s       2      at most 1.3         NO",
    ]


def test_table_of_nothing_has_its_heading():
    assert table([]).splitlines() == [
        "name  work  figure  baseline  ratio  goal  met",
        "----  ----  ------  --------  -----  ----  ---",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.04251, "0.0425"),
        (0.9999, "1"),
        (12.34, "12.3"),
        (100.0, "100"),
        (999.4, "999"),
        (30_000, "30,000"),
    ],
)
def test_number_has_three_digits(value, text):
    assert number_text(value) == text


def test_median_of_runs_numbers_them_from_zero():
    assert median_of(3, lambda number: [5.0, 1.0, 3.0][number]) == 3.0


def test_sides_are_run_in_turns_and_backwards_every_other_round():
    order = []

    def side(name):
        def once(number):
            order.append((name, number))
            return float(number) if name == "a" else 10.0 - number

        return once

    medians = medians_in_turns(3, [side("a"), side("b")])

    assert order == [("a", 0), ("b", 0), ("b", 1), ("a", 1), ("a", 2), ("b", 2)]
    assert medians == [1.0, 9.0]


def test_results_say_what_was_measured_and_what_failed(tmp_path):
    file = tmp_path / "var" / "bench.json"

    write_results(
        file,
        [TIME],
        size="small",
        started_at=datetime(2026, 3, 2, tzinfo=UTC),
        load_before=(0.5, 0.4, 0.3),
        failures=["plan"],
    )

    result = json.loads(file.read_text(encoding="utf-8"))
    assert (result["started_at"], result["size"]) == ("2026-03-02T00:00:00+00:00", "small")
    assert (result["load_before"], result["failed"]) == ([0.5, 0.4, 0.3], ["plan"])
    assert result["figures"] == [
        {
            "name": "tick",
            "work": "500 due",
            "figure": 2.0,
            "unit": "s",
            "goal": {"limit": 1.3, "side": "most", "of": "ratio"},
            "baseline": 1.0,
            "note": "",
            "ratio": 2.0,
            "met": False,
        }
    ]
