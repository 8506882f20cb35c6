"""From a click to its row: when the session of each probe is in the database for the first time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from math import ceil
from typing import Any

from alongside import Alongside
from sql_session import SqlError
from stream_counts import Ask
from stream_ledger import PROBE, Entry
from stream_load import Begun
from stream_place import Place
from stream_player import percentile
from stream_visits import tab_name

from app.insight.counting import DAY_MS
from app.insight.rows import session_of

EVERY_SECONDS = 0.05
AT_ONCE = 40
"""Probes that are looked for: those that are not seen yet, from the oldest on."""
LATE_SECONDS = 30.0
"""For the last ones, after the load."""


class Watching(Alongside):
    """Looks for the rows of probes.

    Attributes:
        seen: when the session of each tab was there (ms since 1970).
    """

    def __init__(self, place: Place, begun: Begun) -> None:
        super().__init__("latency")
        self.seen: dict[str, float] = {}
        self._place = place
        self._tabs = [tab_name(begun.run, PROBE, number) for number in range(ceil(begun.wanted.seconds))]

    def __exit__(self, *error: object) -> None:
        until = time.monotonic() + LATE_SECONDS
        while len(self.seen) < len(self._tabs) and time.monotonic() < until:
            time.sleep(EVERY_SECONDS)
        super().__exit__(*error)

    def go_on(self) -> None:
        """Look until it ends; a database that is away for a while is asked again."""
        while not self.ended.is_set():
            with ExitStack() as stack:
                try:
                    ask = stack.enter_context(self._place.asking())
                    while not self.ended.wait(EVERY_SECONDS):
                        self._look(ask)
                except (SqlError, OSError):
                    self.ended.wait(1)

    def _look(self, ask: Ask) -> None:
        now = time.time() * 1000
        left = [each for each in self._tabs if each not in self.seen][:AT_ONCE]
        of = {session_of(tab, int(day)): tab for tab in left for day in {now // DAY_MS, (now - 60_000) // DAY_MS}}
        if not of:
            return
        wanted = ",".join(map(str, sorted(of)))
        found = ask(f"SELECT session FROM insight.session_look WHERE session IN ({wanted})")
        now = time.time() * 1000
        for session in found:
            self.seen.setdefault(of[int(session)], now)


def latencies(entries: Iterable[Entry], seen: Mapping[str, float]) -> dict[str, Any]:
    """Return how long it took from clicks to rows (ms), and how many rows never came."""
    probes = {entry.tab: entry.events[0][2] for entry in entries if entry.part == PROBE}
    took = sorted(seen[tab] - at for tab, at in probes.items() if tab in seen)
    of = {f"p{each}": round(percentile(took, each)) for each in (50, 99, 100)}
    return {"clicks": len(probes), "rows": len(took), **of}
