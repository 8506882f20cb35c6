"""What a bucket has already of a database, and where receiving goes on after it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Thread
from typing import Any

from app.archive.names import SEALED, Segment, missing_numbers
from app.archive.store import Store, StoreAwayError


@dataclass(frozen=True)
class AlreadySent:
    """What there is of one database, with a base backup.

    Attributes:
        base_at: when the newest base backup began (Unix time).
        recipient: whom it is encrypted for; empty where it does not say.
        first: segment that it needs first; None where it does not say.
        newest: whole segment; None for none.
        missing: how many segments are missing between these.
    """

    base_at: float
    recipient: str
    first: Segment | None
    newest: Segment | None
    missing: int

    @classmethod
    def of(cls, store: Store, system: str) -> AlreadySent | None:
        """Look; None where there is no base backup.

        Raises:
            StoreAwayError: the archive does not tell.
        """
        bases = [key for key in store.keys(f"{system}/base/") if key.endswith(".json")]
        if not bases:
            return None
        facts: dict[str, Any] = store.facts(bases[-1])
        first = Segment.of(facts["first_segment"])
        names = [key.rpartition("/")[2].removesuffix(SEALED) for key in store.keys(f"{system}/wal/")]
        whole = [found for name in names if "." not in name and (found := Segment.of(name))]
        missing = missing_numbers({each.number for each in whole}, first.number) if first else []
        began = datetime.fromisoformat(facts["started"]).timestamp()
        return cls(began, facts.get("recipient", ""), first, max(whole, default=None), len(missing))

    @property
    def last_needed(self) -> Segment | None:
        """The segment after which receiving goes on: the newest, or else the one before the base backup's first."""
        if self.newest or self.first is None or self.first.number == 0:
            return self.newest
        return Segment(self.first.timeline, self.first.number - 1)

    def goes_on_after(self, passed: Segment | None) -> Segment | None:
        """Return `last_needed` where it says more than what was passed; None where it does not."""
        last = self.last_needed
        return last if last and (self.newest is None or passed is None or last > passed) else None


def told_within(seconds: float, ask: Callable[[], AlreadySent | None]) -> AlreadySent | None:
    """Return what the archive tells, if it does in time; an archive that is silent is left alone.

    Args:
        seconds: for which it is waited for.
        ask: waits for the archive.

    Raises:
        StoreAwayError: it did not tell, or not in time.
    """
    answer: Future[AlreadySent | None] = Future()

    def answered() -> None:
        try:
            answer.set_result(ask())
        except Exception as error:  # noqa: BLE001 whatever it is, who waits has it
            answer.set_exception(error)

    Thread(target=answered, daemon=True, name="first look").start()
    try:
        return answer.result(timeout=max(0.0, seconds))
    except TimeoutError as error:
        raise StoreAwayError(f"it did not tell within {max(0.0, seconds):.0f} s") from error


def gap_after(segment: Segment, folder: Path, *, began_with_now: bool) -> str | None:
    """Return what is missing between a segment and what was received, in words; empty where nothing is.

    None where nobody can tell yet: the receiver was not told where to begin, and has no file so far.

    Args:
        segment: the last one that is in the bucket.
        folder: that the receiver writes into.
        began_with_now: whether it runs, and was not told where to begin.
    """
    held = sorted(found for file in folder.iterdir() if (found := Segment.of(file.name)))
    if held and held[0].number > segment.number + 1:
        return f"gap: nothing between {segment.name} and {held[0].name}"
    return None if not held and began_with_now else ""
