"""Where bars, marks and words stand in the pictures of headquarters' pages; every expected place is worked out here."""

from __future__ import annotations

from itertools import pairwise

import pytest

from app.reporting.charts import Bar, Gap, Mark, Point, of_days, ranked, scale_end, short

pytestmark = pytest.mark.requirement("headquarters' pages show what was released, say what is missing, and name nobody")


@pytest.mark.parametrize(
    ("largest", "end"),
    [
        (0, 1), (-3, 1), (1, 1), (1.01, 2), (2.5, 3), (3.2, 4), (5, 6), (7, 8), (9, 10), (10, 10), (11, 20),
        (420, 600), (1_000_000, 1_000_000), (1_000_001, 2_000_000), (0.07, 0.08), (0.3, 0.3),
    ],
)  # fmt: skip
def test_a_scale_ends_at_a_round_number_that_has_room(largest: float, end: float) -> None:
    assert scale_end(largest) == pytest.approx(end)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.5, "0.5"), (150, "150"), (999, "999"), (1000, "1k"), (1500, "1.5k"), (40_000, "40k"),
        (2_000_000, "2m"), (1_500_000_000, "1.5bn"),
    ],
)  # fmt: skip
def test_numbers_of_a_scale_are_short(value: float, text: str) -> None:
    assert short(value) == text


def test_days_stand_side_by_side_and_are_as_high_as_their_values() -> None:
    """Four places of 77.5 in 310; bars take 72 % of a place, 120 are 400."""
    chart = of_days(
        "Visitors",
        [Point("5", 400, "400"), Point("6", 100, "100"), Point("7", 0, "0"), Point("8", 310.0, "310")],
    )
    assert chart.bars == (
        Bar(54.85, 12, 55.8, 120, "5: 400"),
        Bar(132.35, 102, 55.8, 30, "6: 100"),
        Bar(209.85, 132, 55.8, 0, "7: 0"),
        Bar(287.35, 39, 55.8, 93, "8: 310"),
    )
    assert chart.marks == ()
    assert [(word.x, word.y, word.text, word.anchor) for word in chart.words] == [
        (38, 136, "0", "end"), (38, 76, "200", "end"), (38, 16, "400", "end"),
        (44, 150, "5", "start"), (354, 150, "8", "end"),
    ]  # fmt: skip
    assert chart.lines == (132, 72, 12)
    assert chart.description == "4 of 4 have a figure; the largest is 400, 5."


def test_a_day_without_a_number_is_a_mark_and_never_a_bar() -> None:
    chart = of_days(
        "Revenue",
        [Point("5", Gap.SMALL, "small"), Point("6", 50, "50"), Point("7", Gap.INCOMPLETE, "incomplete")],
    )
    assert chart.marks == (
        Mark(95.67, 128, Gap.SMALL, "5: small"),
        Mark(302.33, 128, Gap.INCOMPLETE, "7: incomplete"),
    )
    assert [(bar.x, bar.height) for bar in chart.bars] == [(161.8, 100)]
    assert chart.description == "1 of 3 have a figure; the largest is 50, 6."


@pytest.mark.parametrize("number", [1, 7, 28, 91])
def test_everything_stays_inside_the_drawing(number: int) -> None:
    chart = of_days("Visitors", [Point(str(each), float(each), str(each)) for each in range(number)])
    for bar in chart.bars:
        assert bar.x >= 44
        assert bar.x + bar.width <= 354
        assert 12 <= bar.y <= 132
    lefts = [bar.x for bar in chart.bars]
    assert all(one + chart.bars[0].width < other for one, other in pairwise(lefts))


def test_nothing_to_show_is_a_drawing_too() -> None:
    for chart in (of_days("Visitors", []), ranked("Products", [])):
        assert (chart.bars, chart.marks) == ((), ())
        assert chart.description == "None of 0 has a figure."
    nothing = of_days("Visitors", [Point("5", Gap.MISSING, "not here")])
    assert [word.text for word in nothing.words] == ["0", "0.5", "1", "5"]


def test_rows_of_a_ranking_have_their_words_above_their_bars() -> None:
    chart = ranked(
        "Steps", [Point("Visited", 200, "200"), Point("Bought", 30, "30"), Point("Left", Gap.SMALL, "small")]
    )
    assert chart.height == 102
    assert chart.bars == (Bar(0, 19, 360, 10, "Visited: 200"), Bar(0, 53, 54, 10, "Bought: 30"))
    assert chart.marks == (Mark(5, 92, Gap.SMALL, "Left: small"),)
    assert [(word.x, word.y, word.text, word.anchor) for word in chart.words] == [
        (0, 14, "Visited", "start"), (360, 14, "200", "end"),
        (0, 48, "Bought", "start"), (360, 48, "30", "end"),
        (0, 82, "Left", "start"), (360, 82, "small", "end"),
    ]  # fmt: skip
