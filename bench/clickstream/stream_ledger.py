"""The ledger of a load: a line of JSON for each batch with what was answered, between its first line and its last one.

A ledger without its last line is none: nobody wrote down what was under way when its player ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from stream_tab import LOST, TAKEN, UNSENT, Batch

from shopsphere.foundation.errors import ShopSphereError

FORMAT = 1
NOTES = ("cpu_seconds", "latency")
"""What is measured beside a load, and noted after its end."""
MARKER, PROBE = "marker", "probe"
"""Batches that are no visitor's: the last ones of each partition, and those whose way to a row is measured."""


class LedgerError(ShopSphereError):
    """A file is no ledger, or one that has no end."""


class Fate(StrEnum):
    """What is known of a batch."""

    ACKNOWLEDGED = "acknowledged"
    """It has to be counted once."""
    UNKNOWN = "unknown"
    """It may be counted once, or not at all."""
    REFUSED = "refused"
    """It was never given to a broker, so it may not be counted."""


def fate_of(answers: Mapping[str, int]) -> Fate:
    """Return what the answers to all tries of a batch say together."""
    if answers.get(str(TAKEN)):
        return Fate.ACKNOWLEDGED
    is_certain = all(each == UNSENT or (each != LOST and 400 <= int(each) < 500) for each in answers)
    return Fate.REFUSED if is_certain else Fate.UNKNOWN


@dataclass(frozen=True)
class Entry:
    """A batch as the ledger has it.

    Attributes:
        tab: number of its tab.
        number: of it in the tab.
        events: kind, product or category or nothing, and moment (ms) of each.
        answers: how often which status came, "lost" or "unsent".
        sent: when it was sent for the first time (ms).
        answered: when the last answer came (ms).
        longest: that an answer took, or was waited for (ms).
        part: MARKER, PROBE, or empty.
    """

    tab: str
    number: int
    events: tuple[tuple[str, str, int], ...]
    answers: Mapping[str, int]
    sent: int
    answered: int
    longest: int
    part: str = ""

    @classmethod
    def of(cls, batch: Batch) -> Entry:
        """Return the entry of a batch of which nothing more will be known."""
        events = tuple((each["t"], each.get("p", each.get("k", "")), each["at"]) for each in batch.events)
        times = (round(batch.first), round(batch.last), round(batch.longest))
        return cls(batch.tab, batch.number, events, dict(batch.answers), *times, part=batch.part)

    @property
    def fate(self) -> Fate:
        return fate_of(self.answers)

    def line(self) -> str:
        """Return it as a line."""
        told = {
            "tab": self.tab, "b": self.number, "events": self.events, "answers": self.answers, "fate": self.fate,
            "sent": self.sent, "answered": self.answered, "longest": self.longest,
        }  # fmt: skip
        return json.dumps({**told, "part": self.part} if self.part else told, separators=(",", ":"))


@dataclass(frozen=True)
class Ledger:
    """A whole ledger; its batches are read again each time they are asked for, and never held.

    Attributes:
        path: where it is.
        begin: how the load was begun, and what was counted before.
        end: how it ended.
    """

    path: Path
    begin: Mapping[str, Any]
    end: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Ledger:
        """Look at the first line and the last one.

        Raises:
            LedgerError: it is no ledger, or has no end.
        """
        found = (_lines(path, "begin"), _lines(path, "end"))
        begin, end = (next(each, None) for each in found)
        if begin is None or begin.get("format") != FORMAT or end is None:
            raise LedgerError.build(
                f"{path} cannot be judged",
                expected=f"a ledger of format {FORMAT} with its first and its last line",
                found="no first line of this format" if begin is None or begin.get("format") != FORMAT else "no end",
                action="load again: what was under way when its player ended is not in it",
            )
        return cls(path, begin, end)

    def notes(self) -> dict[str, Any]:
        """Return what was noted after its end."""
        found: dict[str, Any] = {}
        for key in NOTES:
            for line in _lines(self.path, key):
                found |= line
        return found

    def entries(self) -> Iterator[Entry]:
        """Yield its batches."""
        for line in _lines(self.path, "tab"):
            events = tuple((kind, name, at) for kind, name, at in line["events"])
            times = (line["sent"], line["answered"], line["longest"])
            yield Entry(line["tab"], line["b"], events, line["answers"], *times, part=line.get("part", ""))


def begin_line(**facts: object) -> str:
    """Return the first line."""
    return json.dumps({"begin": True, "format": FORMAT, **facts}, separators=(",", ":"))


def end_line(**facts: object) -> str:
    """Return the last line."""
    return json.dumps({"end": True, **facts}, separators=(",", ":"))


def _lines(path: Path, key: str) -> Iterator[dict[str, Any]]:
    """Yield the lines that have a key; one that is cut off is none."""
    with path.open() as source:
        for text in source:
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict) and key in line:
                yield line
