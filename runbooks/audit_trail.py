"""The audit log of a run, and its head where whoever writes the log cannot change it: at the pair's witness.

Neither the witness nor a full disk there may keep a pair from being moved: a head that was not kept is said, and the
next run's head covers it too.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbooks.engine import audit, bounded
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.progress import say
from shopsphere.witness.heads import AuditHead, AuditShelf

FILE = "audit.jsonl"
KEEP_SECONDS = 4.0
"""Bound on waiting for the witness (s) when a run is over; during a run nobody waits for it."""


def place_of(log: Path) -> str:
    """Return machine and file of a log, as heads name it."""
    return f"{socket.gethostname()}:{log}"


class AuditTrail:
    """What one run notes, and tells the witness of.

    Args:
        directory: of the records.
        shelf: where the pair's witness keeps heads.
    """

    def __init__(self, directory: Path, shelf: AuditShelf) -> None:
        self._log, self._shelf = directory / FILE, shelf
        self._keeping: Future[None] | None = None

    def note(self, facts: Mapping[str, Any]) -> None:
        """Add a record to the log, and let the witness know beside what goes on.

        Raises:
            ShopSphereError: it could not be written.
        """
        mark = audit.append(self._log, facts)
        head = AuditHead(
            log=mark.log, count=mark.count, head=mark.head, place=place_of(self._log), at=datetime.now(UTC)
        )
        before = self._keeping

        def keep() -> None:
            if before:
                with suppress(TimeoutError):  # one after the other; what became of it, this one covers
                    before.exception(timeout=KEEP_SECONDS)
            self._shelf.keep(head)

        self._keeping = bounded.start(keep, name="audit head")

    def settle(self) -> None:
        """Wait a little until the witness keeps the newest head; say so when it does not."""
        if self._keeping is None:
            return
        try:
            bounded.answer_of(self._keeping, what="the witness", seconds=KEEP_SECONDS)
        except ShopSphereError as error:
            say(
                f"warning: the head of the audit log {self._log} is not kept at the witness of {self._shelf.pair}; "
                f"until the next run nobody else can tell whether its newest records are changed: {one_line(error)}"
            )
