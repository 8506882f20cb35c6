"""What every step of the bench works with: pair, store, collectors, and what is compared with customers' orders."""

import json
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from collectors import Collectors, Look, behind, caught_up
from command import shopsphere
from order_windows import acknowledged_before, sent_after
from pair import PairUnderTest
from restores import Beside, Said
from scene import Scene
from store_host import StoreHost
from telling import say

from runbooks.restore.archives import Backup, backup_at, backups_of
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Verdict

BACKUPS_CHECK = 12
"""Number of the check of `ready` that looks at backups."""
PASSED = Verdict.PASSED.value
READY_SECONDS = 300
CATCH_UP_SECONDS, TOLD_SECONDS = 900, 300
"""Longest waits (s): until an archive that came back has everything; until it says that a time is in it."""
OWN = "bench_stores_"
"""Tables whose names begin so are the bench's, and go."""
_IDS = {"commerce": 'select id from orders."order"', "ledger": "select key from payments.payment"}
Judgement = Callable[[Scene, Mapping[str, Any]], Mapping[str, Any]]


@dataclass
class Stage:
    """What a step works with.

    Attributes:
        pair: under load.
        host: of its backup store.
        collectors: of its databases.
        calm: how long (s) customers are watched before and after.
        kibibytes: of log a second beside what orders write.
        judgements: that are made once customers have ended.
    """

    pair: PairUnderTest
    host: StoreHost
    collectors: Collectors
    calm: float
    kibibytes: int
    judgements: list[Judgement] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.pair.pair.name

    def measured(self, scene: Scene, journal: Mapping[str, Any]) -> dict[str, Any]:
        """What all judgements of a step found."""
        found: dict[str, Any] = {}
        for each in self.judgements:
            found |= each(scene, journal)
        return found

    def backups(self) -> list[Backup]:
        return backups_of(self.pair.topology, self.pair.pair, Environment.LAB)

    def backup(self, database: str, site: str) -> Backup:
        model = next(each for each in DATABASES if each.name == database)
        return backup_at(self.pair.topology, self.pair.pair, Environment.LAB, model, site)

    def require_backups(self) -> None:
        """Refuse a pair whose backups are not complete: what a fault does to them could not be told.

        Raises:
            ShopSphereError: they are not.
        """
        verdict, found = self.ready()
        if verdict != PASSED:
            raise ShopSphereError.build(
                f"backups of {self.name} are not complete before anything was done",
                expected="P12 of `ready` to pass",
                found=found[:300],
                action=f"`shopsphere backups {self.name}`; wait for it, or mend it first",
            )

    def ready(self) -> tuple[str, str]:
        """What `ready` says of backups: verdict and finding."""
        try:
            return backups_check(shopsphere("ready", self.name, "--json", check=False, seconds=READY_SECONDS)[1])
        except subprocess.TimeoutExpired:
            return Verdict.UNKNOWN.value, f"`ready` gave no answer within {READY_SECONDS} s"

    def wait_until_caught_up(self, since: float) -> float:
        """Wait until all collectors have everything until a time (Unix) in the archive; return how long it took (s)."""
        began, last = time.monotonic(), list[Look]()

        def has() -> bool:
            last[:] = self.collectors.look()
            return caught_up(last, since)

        wait_until(has, what="the collectors to have caught up", seconds=CATCH_UP_SECONDS, interval=2,
                   explain=lambda: behind(last, since))  # fmt: skip
        return time.monotonic() - began

    def wait_until_told(self, database: str, site: str, at: datetime) -> float:
        """Wait until a bucket says that a time is in it; return how long it took (s).

        A collector says so each minute.
        """
        began = time.monotonic()

        def told() -> bool:
            found = self.backup(database, site)
            return found.covered_at is not None and found.covered_at >= at

        wait_until(told, what=f"{database}-{site} to say that {at:%H:%M:%S} is in it", seconds=TOLD_SECONDS, interval=3)
        return time.monotonic() - began

    def restore(self, beside: Beside, database: str, to: datetime, *words: str) -> Said:
        say(f"restore {database} to {to:%H:%M:%S} UTC {' '.join(words)}")
        return beside.restore(self.name, database, to, *words)

    def compare_orders(self, beside: Beside, database: str, to: datetime) -> None:
        """Have orders in a copy compared with what customers were told, once they have ended."""
        held, at = set(beside.ask(database, _IDS[database])), monotonic_of(to)
        key = f"{database}_orders_in_copy"

        def judged(scene: Scene, journal: Mapping[str, Any]) -> Mapping[str, Any]:
            found = compared(journal["orders"], held, at, database)
            scene.problems += [f"{database} at {to:%H:%M:%S}: {each}" for each in found["problems"]]
            return {key: {name: value for name, value in found.items() if name != "problems"}}

        self.judgements.append(judged)


def compared(orders: Sequence[Mapping[str, Any]], held: set[str], at: float, database: str) -> dict[str, Any]:
    """Compare a copy with what customers were told.

    Args:
        orders: of the customers' journal.
        held: ids of orders, or keys of payments, that the copy has.
        at: the copy's time (monotonic clock).
        database: commerce or ledger.
    """
    name = (lambda each: f"order-{uuid.UUID(each).hex}") if database == "ledger" else str
    due = {name(each) for each in acknowledged_before(orders, at, paid=database == "ledger")}
    beyond = {name(each) for each in sent_after(orders, at)} & held
    lost = due - held
    problems = [f"{len(lost)} orders that were acknowledged before are not in the copy"] if lost else []
    problems += [f"{len(beyond)} orders that were sent after are in the copy"] if beyond else []
    return {"acknowledged_before": len(due), "lost": len(lost), "of_later": len(beyond), "problems": problems}


def monotonic_of(at: datetime) -> float:
    """A time on the machine's monotonic clock, which customers' journals have."""
    return at.timestamp() - (time.time() - time.monotonic())


def moment(seconds: float) -> datetime:
    """A Unix time."""
    return datetime.fromtimestamp(seconds, UTC)


def backups_check(text: str) -> tuple[str, str]:
    """Verdict and finding on backups in what `ready --json` printed, whatever else was printed beside it."""
    try:
        document, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
        row = next(each for each in document["checks"] if each["number"] == BACKUPS_CHECK)
    except (ValueError, StopIteration, KeyError):
        return "none", f"`ready` gave no list of checks: {text[-200:]}"
    return str(row["verdict"]), str(row["found"])


def lacking(before: Sequence[Backup], after: Sequence[Backup]) -> list[str]:
    """What is missing in buckets, or was before and is not any more."""
    began = {(each.database, each.site): each for each in before}
    found = []
    for each in after:
        name = f"{each.database}-{each.site}"
        if each.problem:
            found.append(f"{name}: {each.problem}")
        if each.missing:
            found.append(f"{name}: WAL is missing: {', '.join(each.missing[:3])}")
        earlier = began.get((each.database, each.site))
        if (
            earlier
            and [s.begins for s in earlier.stretches] != [s.begins for s in each.stretches][: len(earlier.stretches)]
        ):
            found.append(f"{name}: what could be restored before cannot be any more")
        if earlier and len(each.stretches) > len(earlier.stretches):
            found.append(f"{name}: a hole, after {each.stretches[-2].text}")
    return found


def drop_own_tables(pair: PairUnderTest, problems: list[str]) -> None:
    """Remove every table of the bench from both databases; what could not be is added to `problems`."""
    statement = f"select schemaname || '.' || tablename from pg_tables where tablename like '{OWN}%'"
    for database in ("commerce", "ledger"):
        try:
            site = pair.record().active
            for table in pair.ask(site, database, statement):
                shopsphere("lab", "psql", site, database, "--", "-c", f"drop table if exists {table}", seconds=120)
                say(f"  {database}: {table} is gone")
        except Exception as error:  # noqa: BLE001 the other one is tried, and this one is told
            problems.append(f"not undone: tables {OWN}* in {database}: {error}")
