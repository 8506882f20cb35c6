"""The agent's log: lines on its standard output, each with the time (UTC)."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime


def tell(line: str) -> None:
    """Write a line; where that fails, as on a full disk, nobody learns of it, but what it tells of goes on."""
    with suppress(OSError):  # a loop that ended here would never give the lease back
        print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} {line}", flush=True)  # noqa: T201 its log
