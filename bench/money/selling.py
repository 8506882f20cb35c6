"""Customers, faults and kills, until enough was ordered."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import buying
from killing import Kills
from promises import Journal
from running import Shop
from troubling import Troubles

SAY_EVERY_SECONDS = 15.0


@dataclass(frozen=True)
class Asked:
    """What a run was asked for."""

    orders: int
    workers: int
    fault_percent: float
    kill_every: float
    seed: int


@dataclass(frozen=True)
class Sold:
    """What customers were promised, and what it cost."""

    journal: Journal
    seconds: float
    cpu_seconds: dict[str, float]
    faults: dict[str, int]
    kills: dict[str, int]
    away_seconds: dict[str, float]
    workers: int

    def figures(self) -> dict[str, object]:
        orders = self.journal.served
        waited = self.journal.seconds
        return {
            "orders": orders,
            "seconds": round(self.seconds, 1),
            "orders_per_second": round(orders / self.seconds, 2),
            "cpu_ms_per_order": {
                name: round(1000 * seconds / max(orders, 1), 1) for name, seconds in self.cpu_seconds.items()
            },
            "customers_percent": {
                what: round(100 * seconds / self.seconds / self.workers, 1) for what, seconds in waited.most_common()
            },
            "faults_set": sum(self.faults.values()),
            "faults": self.faults,
            "kills": self.kills,
            "away_seconds": self.away_seconds,
            "forms": len(self.journal.marks),
            "refused": dict(self.journal.refusals),
        }


def sell(shop: Shop, asked: Asked) -> Sold:
    """Let customers order until so many orders are acknowledged."""
    journal = Journal(asked.orders)
    troubles = Troubles(shop.provider, journal, asked.fault_percent, asked.seed)
    kills = Kills(shop, asked.seed)
    begin, before = time.monotonic(), kills.cpu_seconds()
    threads = buying.start(shop.shops, journal, asked.workers, asked.seed)
    troubles.start()
    killed: list[str] = []
    next_kill, next_line = begin + kills.after(asked.kill_every), begin + SAY_EVERY_SECONDS
    try:
        while any(thread.is_alive() for thread in threads):
            now = time.monotonic()
            if now > next_line:
                _say(journal, now - begin, killed)
                killed = []
                next_line = now + SAY_EVERY_SECONDS
            if asked.kill_every and now > next_kill and not journal.is_full():
                next_kill = now + kills.after(asked.kill_every)
                killed.append(kills.kill())
            time.sleep(0.05)
    finally:
        journal.is_stopped = True
    seconds = time.monotonic() - begin
    troubles.stop()
    after = kills.cpu_seconds()
    spent = {name: after[name] - before[name] for name in after}
    return Sold(journal, seconds, spent, dict(troubles.played), dict(kills.counted), kills.away, asked.workers)


def _say(journal: Journal, seconds: float, killed: list[str]) -> None:
    sys.stdout.write(
        f"{journal.served} of {journal.wanted} orders after {seconds:.0f} s ({journal.served / seconds:.1f}/s); "
        f"killed: {', '.join(killed) or 'nothing'}\n"
    )
    sys.stdout.flush()
