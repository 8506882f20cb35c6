"""Which batches were seen, of so many tabs, and where the last two minutes begin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.insight.marks import BEFORE_MS, STEP_MS, Marks, Trail

pytestmark = pytest.mark.requirement("duplicates out by tab and batch")

T0 = 1_764_500_040_000
TAB = "00000000000000aa"


def test_a_number_is_new_once_and_so_is_no_lower_one() -> None:
    marks = Marks()
    assert [marks.is_new(TAB, number) for number in (0, 0, 2, 1, 2, 3)] == [True, False, True, False, False, True]
    assert marks.is_new("00000000000000ab", 0), "each tab has numbers of its own"
    assert marks.is_new("f" * 16, 2**31 - 1)
    assert not marks.is_new("f" * 16, 2**31 - 1)


def test_memory_has_a_bound_and_what_falls_out_is_the_longest_silent() -> None:
    marks = Marks(most=3)
    for tab in ("1", "2", "3", "1", "4"):
        marks.is_new(tab, 5)
    assert (len(marks), marks.forgotten) == (3, 1)
    assert [marks.is_new(tab, 5) for tab in ("1", "3", "4")] == [False] * 3
    assert marks.is_new("2", 5)


@given(st.lists(st.integers(0, 40_000), min_size=1, max_size=200))
def test_the_trail_begins_two_minutes_back_and_not_much_earlier(pauses: list[int]) -> None:
    trail, clock, times = Trail(), T0, list[int]()
    assert trail.begins is None
    for offset, pause in enumerate(pauses):
        clock += pause
        times.append(clock)
        trail.pass_by(offset, clock)
    begins = trail.begins
    assert begins is not None
    assert all(time < clock - BEFORE_MS or offset >= begins for offset, time in enumerate(times))
    assert begins == 0 or times[begins] >= clock - BEFORE_MS - STEP_MS - max(pauses)
