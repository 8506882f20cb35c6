"""A store whose line is made slow for bench/stores: a real gateway answers late, and at once when that is undone."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from archive_place import ArchivePlace
from edge_network import own_network

from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import CommandError, run

sys.path.append(str(REPOSITORY / "bench" / "stores"))
from slow_line import SlowLine


@pytest.fixture
def network() -> Iterator[None]:
    with own_network([]):
        run(["ip", "link", "set", "lo", "mtu", "1500"])  # a frame of loopback is larger than what a real line takes
        yield


def inside(command: Sequence[str]) -> str:
    return run(list(command)).stdout


@pytest.mark.requirement("a backup store that is slow delays no order")
def test_a_slow_line_passes_so_much_and_everything_afterwards(network: None, tmp_path: Path) -> None:
    place, line = ArchivePlace(tmp_path), SlowLine("lo", inside)
    try:
        line.lift()
        assert not line.is_left

        def seconds(size: int) -> float:
            began = time.monotonic()
            place.owner.put_object(Bucket=place.bucket, Key="a", Body=b"x" * size)
            return time.monotonic() - began

        line.slow(2000)
        assert line.is_left
        assert seconds(1_000_000) > 2.5, "8 Mbit at 2 Mbit a second"
        with pytest.raises(CommandError, match="exist"):
            line.slow(2000)
        assert not line.is_left, "what could not be made is taken away"
        line.slow(2000)
        line.lift()
        line.lift()
        assert not line.is_left
        assert "tbf" not in inside(["tc", "qdisc", "show"])
        assert "ingress" not in inside(["tc", "qdisc", "show"])
        assert seconds(1_000_000) < 30
    finally:
        place.stop()
