"""Which process is meant: a number alone may have been given to another one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_START_TIME_FIELD = 19  # of the fields after the name, proc(5) counts it as 22


@dataclass(frozen=True)
class ProcessIdentity:
    """A process by number and start time.

    Attributes:
        pid: number in the root process namespace.
        started: clock ticks from boot to its start.
    """

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity:
        """Return the identity of a running process.

        Raises:
            ProcessLookupError: there is none of that number.
        """
        started = _start_time(pid)
        if started is None:
            raise ProcessLookupError(pid)
        return cls(pid, started)

    def is_alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return _start_time(self.pid) == self.started

    def to_document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def _start_time(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[_START_TIME_FIELD])
