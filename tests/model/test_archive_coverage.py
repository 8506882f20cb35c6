"""Until when the collector may say that everything is in the archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.archive.coverage import Coverage, position_of, received_until
from app.archive.names import SEGMENT_BYTES, Segment

pytestmark = pytest.mark.requirement("the collector says that WAL is in the archive only when it has received it")


def test_a_running_receiver_that_has_less_covers_nothing_new() -> None:
    coverage = Coverage()
    assert coverage.look(10, 50_000, 40_000, is_current=True) is None
    assert coverage.look(20, 90_000, 60_000, is_current=True) == 10
    assert coverage.position == 50_000
    assert coverage.look(30, 90_000, 60_000, is_current=True) is None
    assert coverage.look(40, 90_000, 90_000, is_current=True) == 40


def test_an_idle_database_is_covered_once_all_of_it_is_received() -> None:
    coverage = Coverage()
    assert coverage.look(10, 50_000, 49_999, is_current=True) is None
    assert coverage.look(20, 50_000, 49_999, is_current=True) is None
    assert coverage.look(30, 50_000, 50_000, is_current=True) == 30


def test_a_follower_that_hears_nothing_covers_nothing_new() -> None:
    coverage = Coverage()
    assert coverage.look(10, 50_000, 50_000, is_current=True) == 10
    assert coverage.look(20, 50_000, 50_000, is_current=False) is None
    assert coverage.look(30, 60_000, 60_000, is_current=False) == 30
    assert coverage.look(40, 60_000, 60_000, is_current=True) == 40


def test_what_was_received_is_read_from_the_file_that_is_not_full(tmp_path: Path) -> None:
    assert received_until(tmp_path, None, 1, 0) == 0
    assert received_until(tmp_path, Segment(1, 4), 1, 0) == 5 * SEGMENT_BYTES
    assert received_until(tmp_path, Segment(1, 4), 2, 0) == 0
    partial = tmp_path / f"{Segment(1, 5).name}.partial"
    with partial.open("wb") as file:
        file.write(b"\1" * 1001)
        file.truncate(SEGMENT_BYTES)
    assert received_until(tmp_path, Segment(1, 4), 1, 0) == 5 * SEGMENT_BYTES + 1001
    partial.rename(tmp_path / Segment(1, 5).name)
    assert received_until(tmp_path, Segment(1, 4), 1, 0) == 6 * SEGMENT_BYTES
    assert position_of("1/3000000") == 2**32 + 3 * SEGMENT_BYTES
