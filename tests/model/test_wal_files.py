"""Which WAL files a restore takes, and whether a recovery came to their end."""

from __future__ import annotations

import pytest

from runbooks.restore.wal_files import begins_along, begins_listed, branches, is_short, run_from
from shopsphere.estate.archive_names import Segment

pytestmark = pytest.mark.requirement("a restore to a time has all that was written until then, or says what is missing")
FIRST = Segment(1, 4)


def name(timeline: int, number: int) -> str:
    return f"{timeline:08X}00000000{number:08X}"


def test_a_segment_counts_however_late_it_was_sent() -> None:
    run = run_from([name(1, 4), name(1, 5), name(1, 6), name(1, 7) + ".partial", name(1, 3)], FIRST, {1: 4})
    assert run.names == (name(1, 4), name(1, 5), name(1, 6), name(1, 7) + ".partial")
    assert run.end == Segment(1, 7)
    assert run.is_partial
    assert run.missing == ()


def test_a_partial_does_not_stand_for_a_whole_segment_that_was_lost() -> None:
    run = run_from([name(1, 4), name(1, 5) + ".partial", name(1, 6)], FIRST, {1: 4})
    assert run.names == (name(1, 4),)
    assert run.missing == (Segment(1, 5),)
    assert run.after == (name(1, 6),)


def test_a_partial_of_a_timeline_that_ended_gives_way_to_the_next_ones() -> None:
    names = [name(1, 4), name(1, 5) + ".partial", name(2, 5), name(2, 6) + ".partial"]
    for begins in ({1: 4, 2: 5}, begins_listed(names, FIRST)):
        run = run_from(names, FIRST, begins)
        assert run.names == (name(1, 4), name(2, 5), name(2, 6) + ".partial")
        assert run.missing == ()


def test_what_another_timeline_has_hides_no_gap_of_the_next_one() -> None:
    # The first timeline went on to 9 at a site that was given up; the second one branched off in 6.
    names = [*(name(1, each) for each in range(4, 10)), name(2, 8), name(2, 9)]
    run = run_from(names, FIRST, {1: 4, 2: 6})
    assert run.names == (name(1, 4), name(1, 5))
    assert run.missing == (Segment(2, 6), Segment(2, 7))
    within = run_from([name(1, 4), name(2, 5), name(2, 7)], FIRST, begins_listed([name(2, 5), name(2, 7)], FIRST))
    assert within.missing == (Segment(2, 6),)


def test_what_the_collector_says_it_sent_is_missing_if_it_is_not_there() -> None:
    assert run_from([name(1, 4)], FIRST, {1: 4}, Segment(1, 5)).missing == (Segment(1, 5),)
    assert run_from([], FIRST, {1: 4}, Segment(1, 4)).missing == (FIRST,)
    assert run_from([], FIRST, {1: 4}).missing == ()


def test_a_history_tells_where_timelines_begin() -> None:
    text = "1\t0/6000098\tno recovery target specified\n\n2\t1/3000000\tno recovery target specified\n"
    ends = branches(text)
    assert ends == {1: "0/6000098", 2: "1/3000000"}
    assert begins_along(3, ends, FIRST) == {1: 4, 2: 6, 3: 259}
    assert begins_along(3, ends, Segment(2, 8)) == {2: 8, 3: 259}
    assert begins_along(1, {}, FIRST) == {1: 4}


def test_a_recovery_that_ends_before_its_files_do_is_short() -> None:
    assert not is_short("0/6FFFFF8", Segment(1, 6), "", is_partial=False)
    assert is_short("0/6A00000", Segment(1, 6), "", is_partial=False)
    assert not is_short("0/6000060", Segment(1, 6), "", is_partial=True)
    assert is_short("0/5000060", Segment(1, 6), "", is_partial=True)
    assert is_short("0/6000060", Segment(1, 6), "0/6000098", is_partial=True)
    assert not is_short("0/6000098", Segment(1, 6), "0/6000098", is_partial=True)
    assert not is_short("0/6003F00", Segment(1, 6), "0/6004000", is_partial=True)
    assert is_short("", Segment(1, 6), "", is_partial=True)
