"""What an answer may be, and what the processes may become."""

from dataclasses import dataclass, field
from pathlib import Path


class FoundError(AssertionError):
    """An answer or a process that broke a rule."""


def resident_mib(process: int) -> float:
    """Memory of a process, in MiB."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096 / 2**20


@dataclass
class Judge:
    """Counts answers and refuses the wrong ones.

    Attributes:
        longest_seconds: that an answer may take.
    """

    longest_seconds: float
    requests: int = 0
    slowest: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)

    def see(self, request: object, status: int, seconds: float) -> None:
        self.requests += 1
        self.slowest = max(self.slowest, seconds)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status >= 500:
            raise FoundError(f"{status} to {request!r}")
        if seconds > self.longest_seconds:
            raise FoundError(f"{seconds:.2f} s for {request!r}")
