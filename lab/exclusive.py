"""One build at a time on one machine: a lock that ends with its process, and says who holds it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.locking import try_lock
from shopsphere.foundation.progress import say

POLL_SECONDS = 1.0


class LockedError(ShopSphereError):
    """Another process held the lock for longer than we wait."""


@contextmanager
def exclusive(file: Path, purpose: str, *, seconds: float = 3600, clock: Clock = SYSTEM_CLOCK) -> Iterator[None]:
    """Hold the lock `file` while the block runs; wait for another holder at most `seconds`.

    The kernel releases the lock when its process ends, so a killed build never blocks the next one.

    Raises:
        LockedError: it was not released in time; names the owner and its age.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as handle:
        wait_for(handle, purpose, seconds, clock)
        handle.truncate(0)
        owner = {"pid": os.getpid(), "purpose": purpose, "since": datetime.now(UTC).isoformat(timespec="seconds")}
        handle.write(json.dumps(owner))
        handle.flush()
        try:
            yield
        finally:
            handle.truncate(0)


def wait_for(handle: TextIO, purpose: str, seconds: float, clock: Clock) -> None:
    """Take the lock, or say who has it and wait."""
    start = clock.monotonic()
    told = False
    while not try_lock(handle):
        owner = read_owner(handle)
        if clock.monotonic() - start > seconds:
            raise LockedError.build(
                f"{purpose}: another process is at it",
                expected=f"the lock {handle.name} free within {seconds:.0f} s",
                found=owner,
                action="wait for that process, or end it if it hangs",
            )
        if not told:
            say(f"waiting: {purpose} is locked by {owner}")
            told = True
        clock.sleep(POLL_SECONDS)


def read_owner(handle: TextIO) -> str:
    """Describe the process that wrote the lock file."""
    handle.seek(0)
    try:
        owner = json.loads(handle.read())
        age = time.time() - datetime.fromisoformat(owner["since"]).timestamp()
        return f"process {owner['pid']} ({owner['purpose']}) for {age:.0f} s"
    except (ValueError, KeyError):
        return "a process that has not written its name yet"
