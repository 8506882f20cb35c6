"""Processes of the shop that end as a lost machine's do, and start again."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from processor_time import children_of, is_running, of_process, of_server, postmaster_of

if TYPE_CHECKING:
    from running import Shop

POSTGRES_SHARE = 0.15
GONE_SECONDS = 30.0


def kill_server(data: Path) -> None:
    """End a PostgreSQL server and its sessions at once, without a word to any of them; return when all are gone."""
    postmaster = postmaster_of(data)
    if postmaster is None:
        return
    with suppress(ProcessLookupError):
        os.kill(postmaster, signal.SIGSTOP)  # a session that began now would hold the shared memory and not be found
    found = [postmaster, *children_of(postmaster)]
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + GONE_SECONDS
    while any(is_running(pid) for pid in found):
        if time.monotonic() > end:
            raise RuntimeError(f"processes of PostgreSQL are there {GONE_SECONDS:.0f} s after SIGKILL: {found}")
        time.sleep(0.02)
    # PostgreSQL would take a dead process that its parent has not asked for yet for a running one.
    for lock in (data / "postmaster.pid", *data.parent.glob(".s.PGSQL.*")):
        lock.unlink(missing_ok=True)


class Kills:
    """Kills one process at a time and starts it again; keeps what they had used."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self._shop = shop
        self._random = random.Random(seed)
        self.counted: Counter[str] = Counter(dict.fromkeys(("serve", "payments", "psp", "postgres"), 0))
        self.away: dict[str, float] = {}
        """How long processes were away in all, by what they are (s)."""
        self._ended_cpu: Counter[str] = Counter()

    def after(self, mean_seconds: float) -> float:
        """Return how long until the next one (s)."""
        return self._random.uniform(0.8, 1.2) * mean_seconds

    def kill(self) -> str:
        """Kill a process and start it again; return what it was, and how long it was away."""
        start = time.monotonic()
        name = self._kill_one()
        seconds = time.monotonic() - start
        kind = name.split()[0]
        self.away[kind] = round(self.away.get(kind, 0) + seconds, 1)
        return f"{name} for {seconds:.1f} s"

    def _kill_one(self) -> str:
        if self._random.random() < POSTGRES_SHARE:
            self._note("postgres", of_server(self._shop.cluster.data))
            kill_server(self._shop.cluster.data)
            self._shop.cluster.start()
            return "postgres"
        name = self._random.choice(list(self._shop.processes))
        process = self._shop.processes[name]
        self._note(name.split()[0], of_process(process.pid))
        process.kill()
        time.sleep(self._random.uniform(0, 1))  # until somebody notices
        self._shop.start(name)
        return name

    def _note(self, kind: str, seconds: float) -> None:
        self._ended_cpu[kind] += seconds  # type: ignore[assignment] # a Counter adds up what has a fraction too
        self.counted[kind] += 1

    def cpu_seconds(self) -> dict[str, float]:
        """Return the processor time of all processes until now, by what they are, the killed ones included (s)."""
        found: dict[str, float] = {"postgres": of_server(self._shop.cluster.data), "customers": time.process_time()}
        for name, process in self._shop.processes.items():
            kind = name.split()[0]
            found[kind] = found.get(kind, 0) + of_process(process.pid)
        return {kind: seconds + self._ended_cpu[kind] for kind, seconds in found.items()}
