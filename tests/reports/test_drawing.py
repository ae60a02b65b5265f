"""Charts on paper: where bars, steps, numbers and names stand."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.drawing import WIDTH, Series, axis_marks, draw, width_of

MONTHS = ("Jan", "Feb", "Mar")


def drawn(kind, *values, names=MONTHS):
    tones = ("good", "warning", "serious")
    series = [Series(f"Series {tone}", tone, row) for tone, row in zip(tones, values, strict=False)]
    return draw(kind, names, series, words=lambda number: f"{number:g}")


@pytest.mark.parametrize(
    ("largest", "marks"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (4, [0, 1, 2, 3, 4]),
        (5, [0, 2, 4, 6]),
        (17, [0, 5, 10, 15, 20]),
        (80, [0, 20, 40, 60, 80]),
        (384, [0, 100, 200, 300, 400]),
    ],
)
def test_axis_goes_in_whole_round_steps(largest, marks):
    assert axis_marks(largest) == marks


@given(st.floats(0, 1e6))
def test_axis_holds_the_largest_number_with_few_marks(largest):
    marks = axis_marks(largest)

    assert marks[-1] >= largest
    assert 2 <= len(marks) <= 6


def test_stack_stands_on_what_is_below():
    drawing = drawn("stack", (2, 0, 1), (2, 4, None))
    below, above = (bar for bar in drawing.bars if bar.x < 120 and bar.width > 7)

    assert (below.tone, above.tone) == ("good", "warning")
    assert above.y + above.height == pytest.approx(below.y)
    # Four of four marks: the whole height.
    assert below.height + above.height == pytest.approx(120)


def test_bars_stand_beside_each_other_on_one_ground():
    first, second = (bar for bar in drawn("bars", (4,), (2,), names=("Jan",)).bars if bar.width > 7)

    assert first.x + first.width == pytest.approx(second.x)
    assert first.y + first.height == pytest.approx(second.y + second.height)
    assert (first.height, second.height) == (pytest.approx(120), pytest.approx(60))


def test_rows_go_on_where_the_tone_before_ends():
    drawing = drawn("rows", (3, 1), (1, 0), names=("Back", "Honey"))
    good, warning = (bar for bar in drawing.bars if bar.y < 15)

    assert warning.x == pytest.approx(good.x + good.width)
    assert good.width == pytest.approx(3 * warning.width)
    names = [text for text in drawing.texts if text.text in ("Back", "Honey")]
    assert {text.anchor for text in names} == {"end"}
    assert all(text.x < good.x for text in names)


def test_steps_hold_up_to_the_next_number_and_stop_where_one_is_missing():
    first, second = drawn("steps", (100, 50, None, 75), names=("1", "2", "3", "4")).curves

    (left, top), corner, (right, low) = first.points
    assert corner == (right, top)
    assert (left < right, low - top) == (True, pytest.approx(60))
    assert len(second.points) == len(second.dots) == 1


def test_one_series_needs_no_legend_and_several_name_theirs():
    alone, together = drawn("stack", (1, 2, 3)), drawn("stack", (1, 2, 3), (1, 1, 1))

    assert not [text for text in alone.texts if "Series" in text.text]
    assert [text.text for text in together.texts if "Series" in text.text] == [
        "Series good",
        "Series warning",
    ]
    assert together.height > alone.height


def test_many_names_leave_each_other_room():
    weeks = [f"Mon {number} Feb 2027" for number in range(1, 29)]
    texts = [text for text in drawn("bars", range(28), names=weeks).texts if text.text in weeks]

    assert 1 < len(texts) < 28
    assert all(right.x - left.x >= width_of(left.text) for left, right in pairwise(texts))


def test_long_name_is_shortened_and_leaves_the_bars_their_room():
    drawing = drawn("rows", (5,), names=("Антицеллюлитный массаж со свободными днями между сеансами",))
    name = next(text for text in drawing.texts if text.text.startswith("Анти"))

    assert name.text.endswith("…")
    assert width_of(name.text) <= name.x <= WIDTH / 2


NUMBERS = st.none() | st.floats(-5, 5_000)
ROWS = st.lists(st.tuples(st.text("aбв ", max_size=60), NUMBERS, NUMBERS, NUMBERS), max_size=30)


@given(st.sampled_from(["bars", "stack", "rows"]), ROWS)
def test_nothing_stands_out_of_the_page(kind, rows):
    names, *values = zip(*rows, strict=True) if rows else ((), (), (), ())
    drawing = drawn(kind, *values, names=names)

    for bar in drawing.bars:
        assert bar.x >= 0
        assert bar.x + bar.width <= WIDTH + 0.01
        assert bar.y >= -0.01
        assert bar.y + bar.height <= drawing.height
    assert all(0 <= text.x <= WIDTH and 0 <= text.y <= drawing.height for text in drawing.texts)
