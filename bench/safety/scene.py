"""One run: the pair, its chance, what an operator does, and what is to be remembered of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pair import PairUnderTest

from shopsphere.foundation.clock import wait_until
from shopsphere.witness import Sync

NOTICED = 8.0  # customers go on for so long after the last event


@dataclass
class Scene:
    """One run: the pair, its chance, and what is to be remembered of it.

    Attributes:
        under_test: the pair.
        chance: every random choice comes from here, so that the seed gives the same run.
        active: the site that is active when the run begins.
        may_lose_orders: something is promoted that need not have the last orders.
        may_show_errors: also to customers who wait as long as they are asked to.
        may_stay_shut: no site may take orders before the repair.
        at: seconds of the machine's monotonic clock by event.
        facts: whatever else belongs into the result.
        problems: what already is a violation.
    """

    under_test: PairUnderTest
    chance: Random
    active: str
    may_lose_orders: bool = False
    may_show_errors: bool = True
    may_stay_shut: bool = False
    at: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def passive(self) -> str:
        return self.under_test.other(self.active)

    def mark(self, event: str) -> None:
        self.at[event] = time.monotonic()

    def pause(self, least: float, most: float) -> None:
        time.sleep(self.chance.uniform(least, most))

    def move(self, kind: str, to: str | None = None, *words: str, **options: Any) -> tuple[int, str]:
        """Let an operator move the pair; notes when the command was given and how long it took."""
        self.mark("command")
        self.may_lose_orders |= kind == "unplanned"
        code, said, seconds = self.under_test.failover(kind, to or self.passive, *words, **options)
        self.facts.setdefault("runbook_seconds", []).append(round(seconds, 2))
        return code, said

    def expect_active(self, site: str) -> None:
        found = self.under_test.record().active
        if found != site:
            self.problems.append(f"expected {site} to be active, found {found}")

    def refused(self, kind: str, to: str, why: str) -> None:
        """An operator must be refused, and be told why."""
        code, said = self.move(kind, to, check=False)
        if code == 0 or why not in said:
            self.problems.append(f"expected to be refused with {why!r}, found code {code}: {said[-300:]}")

    def wait_for_sync_off(self) -> None:
        wait_until(lambda: self.under_test.record().sync is Sync.OFF, what="sync off", seconds=30)
        self.facts["sync_off_after"] = round(time.monotonic() - self.at["fault"], 2)


Fault = Callable[[Scene], None]
