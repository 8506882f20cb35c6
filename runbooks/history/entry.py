"""One thing that was done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class HistoryEntry:
    """One run, drill or deployment.

    Attributes:
        began: UTC.
        what: as in `failover planned` or `up`.
        on: pair or target.
        who: who, and at which machine.
        why: in their words; empty where none is asked for.
        result: as in `finished`, `green` or `failed`; `unfinished` while it can be resumed.
        seconds: from beginning to end, pauses included; None while it is unfinished.
        report: file or folder with the details; empty where there is none.
    """

    began: datetime
    what: str
    on: str
    who: str
    why: str
    result: str
    seconds: float | None
    report: str

    def as_document(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return {**asdict(self), "began": self.began.isoformat()}
