"""What an agent publishes for its door, which is another process of the same host: a file in the host's memory.

The agent writes, and the door reads; nothing leads from the door's clients to the agent's loops. The agent also holds a
lock as long as it lives. The kernel frees it when the process ends, however it ends, so the door knows of that at once.
Times are of the host's monotonic clock, which is one clock for all processes of a host. The file does not outlive a
start of the host, because its folder is in memory.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from runbooks.agent.doors import Doors
from runbooks.agent.loops import Loop
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock, wait_until
from shopsphere.foundation.locking import try_lock

FORMAT = 1
"""Version of the file."""
STATE_FILE, LOCK_FILE = "state.json", "alive.lock"
SAID_EVERY = 1.0
"""Seconds between two writes at most; a change is written at once."""
SILENT_AFTER = 3.0
"""Seconds after which what was written last is not believed any more: the agent hangs, or cannot write."""
_LOCK_WITHIN = 5.0
"""Seconds for which a new agent waits for an older one to end; the door holds the lock for some microseconds only."""


class Publisher:
    """Writes an agent's state for its door, at each change and every second.

    Args:
        folder: in the host's memory, root's own.
        decide: what is open now.
        describe: what else is known.
        tell: gets a line when the file cannot be written.
        clock: replaceable in tests.

    Raises:
        WaitExpiredError: another agent lives on this host.
    """

    def __init__(
        self,
        folder: Path,
        decide: Callable[[], Doors],
        describe: Callable[[], Mapping[str, object]],
        tell: Callable[[str], None],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._file, self._decide, self._describe, self._clock = folder / STATE_FILE, decide, describe, clock
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(folder / LOCK_FILE, os.O_CREAT | os.O_RDWR, 0o600)  # not passed on to other programs
        wait_until(
            lambda: try_lock(self._lock), what="another agent of this host to end", seconds=_LOCK_WITHIN, interval=0.05
        )
        self._file.unlink(missing_ok=True)  # of an agent that is gone: it speaks for nobody any more
        self._loop = Loop(self.publish, lambda: SAID_EVERY, tell, after_an_error=0.2)
        self.ring = self._loop.ring

    def publish(self) -> None:
        """Write what is known now; a reader finds either this or what was there before.

        Raises:
            OSError: the file cannot be written.
        """
        now, doors = self._clock.monotonic(), self._decide()
        document = {
            "format": FORMAT,
            "said_at": now,  # from before the decision: what it says ends no later than it should
            "until": None if math.isinf(doors.until) else doors.until,
            "databases": doors.databases,
            "writes": doors.writes,
            "because": doors.because,
            "state": self._describe(),
        }
        beside = self._file.with_suffix(".new")  # one writer, in memory: nothing has to reach a disk
        try:
            beside.write_text(json.dumps(document))
            beside.replace(self._file)
        except OSError:
            if not doors.writes:  # what was said before may say that they are open
                self._file.unlink(missing_ok=True)
            raise

    def start(self) -> None:
        """Publish again and again in a thread of its own; while the file cannot be written the door says closed."""
        self._loop.start()

    def stop(self) -> None:
        """End as the end of the process would: the door sees that nobody lives here."""
        self._loop.stop()
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        os.close(self._lock)
