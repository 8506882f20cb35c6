"""Processor time of each part of the way of a click, of processes that ended meanwhile too, by looking every second."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from alongside import Alongside

from lab.host import cgroups

TICK = 1 / os.sysconf("SC_CLK_TCK")
EVERY_SECONDS = 1.0
Process = tuple[str, int, int]
"""Part, number, and when it began (ticks): a number comes again."""


class Usage(Alongside):
    """Adds up what parts use.

    Args:
        hosts: on which they run.
        patterns: what their command lines have, by their names.
    """

    def __init__(self, hosts: Sequence[str], patterns: Mapping[str, str]) -> None:
        super().__init__("usage")
        self._hosts = hosts
        self._patterns = {name: re.compile(pattern) for name, pattern in patterns.items()}
        self._first: dict[Process, float] = {}
        self._last: dict[Process, float] = {}

    def __enter__(self) -> Self:
        self._first = self.look()
        return super().__enter__()

    def go_on(self) -> None:
        """Look until it ends, and once more then."""
        while not self.ended.wait(EVERY_SECONDS):
            self._last |= self.look()
        self._last |= self.look()

    def look(self) -> dict[Process, float]:
        """Return what each process of a part has used (s)."""
        found: dict[Process, float] = {}
        for number in {each for host in self._hosts for each in cgroups.processes(host)}:
            part = self._part_of(number)
            if part and (fields := _fields(number)):
                found[part, number, int(fields[19])] = (int(fields[11]) + int(fields[12])) * TICK
        return found

    def seconds(self) -> dict[str, float]:
        """Return what each part has used since the beginning (s)."""
        sums: Counter[str] = Counter()
        for process, used in self._last.items():
            sums[process[0]] += used - self._first.get(process, 0.0)  # type: ignore[assignment] # adds fractions too
        return {part: round(seconds, 2) for part, seconds in sums.items()}

    def _part_of(self, number: int) -> str:
        try:
            words = Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
        return next((name for name, pattern in self._patterns.items() if pattern.search(words)), "")


def _fields(number: int) -> list[str]:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
