"""What the collector knows of itself, shared by its threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from app.archive.names import Segment
from app.gauges import gauges

HEARTBEAT_SECONDS = 600
"""A collector whose loop made no step for this long is started again: more than any timeout of a step."""
SHOWN_GAPS = 20


@dataclass
class State:
    """Every field is set under `lock` or by one thread only.

    Attributes:
        passed: newest segment that was sent, or had to be dropped.
        newest: newest segment of which anything was sent.
        covered_at: until when all that the database wrote is in the archive (Unix time).
        timeline: that the database was on at `covered_at`.
        position: that it was at then (`16/B374D848`), which is in the archive.
        role: `leads` or `follows`.
        recipient: age's public key that everything is encrypted for.
        base_at: when the newest base backup began.
        base_wanted: why one is wanted; empty for none.
        wishes: how often one was wanted.
        gaps: what is missing, in words, the newest last.
        waiting_bytes: that wait in the folder.
        open_gap: whether WAL is missing after the newest base backup.
        dropped_segments: that the folder had no room for.
        store_answers: whether the archive took the last thing.
        beat: of its loop (monotonic time).
    """

    now: Callable[[], float] = time.time
    started: float = field(default_factory=time.time)
    passed: Segment | None = None
    newest: Segment | None = None
    covered_at: float | None = None
    timeline: int = 0
    position: str = ""
    role: str = ""
    recipient: str = ""
    base_at: float | None = None
    base_wanted: str = ""
    wishes: int = 0
    gaps: list[str] = field(default_factory=list)
    open_gap: bool = False
    waiting_bytes: int = 0
    dropped_segments: int = 0
    store_answers: bool = False
    beat: float = field(default_factory=time.monotonic)
    lock: Lock = field(default_factory=Lock)

    def want_base(self, reason: str, *, gap: bool = False) -> None:
        """Note that a base backup is wanted; one that runs already does not count for what is found now."""
        with self.lock:
            self.base_wanted = reason
            self.wishes += 1
            if gap:
                self.open_gap = True
                if self.gaps[-1:] != [reason]:
                    self.gaps = [*self.gaps, reason][-SHOWN_GAPS:]

    def base_done(self, began: float, wishes: int) -> None:
        """Note a base backup that began when there had been so many wishes for one."""
        with self.lock:
            self.base_at = began
            if self.wishes == wishes:
                self.base_wanted, self.open_gap = "", False

    @property
    def is_alive(self) -> bool:
        """Whether its loop goes on."""
        return time.monotonic() - self.beat < HEARTBEAT_SECONDS

    def metrics(self) -> str:
        """Return the figures in Prometheus' text format; an age that is not known counts from the start."""
        now = self.now()
        return gauges(
            {
                "archive_wal_age_seconds": now - (self.covered_at or self.started),
                "archive_base_backup_age_seconds": None if self.base_at is None else now - self.base_at,
                "archive_base_backup_missing": self.base_at is None,
                "archive_gap_open": self.open_gap,
                "archive_waiting_bytes": self.waiting_bytes,
                "archive_dropped_segments": self.dropped_segments,
                "archive_store_answers": self.store_answers,
            }
        )

    def document(self) -> dict[str, Any]:
        """Return what is written beside the backups."""
        return {
            "covered_at": self.covered_at,
            "timeline": self.timeline,
            "position": self.position,
            "role": self.role,
            "recipient": self.recipient,
            "passed": self.passed.name if self.passed else "",
            "newest": self.newest.name if self.newest else "",
            "open_gap": self.open_gap,
            "gaps": self.gaps,
            "base_wanted": self.base_wanted,
        }
