"""P12: both databases are in the archive: a base backup of the last day, WAL of the last minutes, no gap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from runbooks.readiness.pair_view import PairView
from runbooks.restore.archives import Backup
from shopsphere.foundation.finding import Finding, fails, passes, together, unknown

NAME = "Backups of both databases are complete and recent"
BASE_YOUNGER_THAN = timedelta(hours=26)
"""A base backup is taken daily; two hours are for one that takes long."""
WAL_YOUNGER_THAN = timedelta(minutes=5)
"""WAL is sent every 10 s, and what the archive has is told each minute."""
AHEAD = timedelta(minutes=5)
"""A time that is this much later than now is of a wrong clock: its age says nothing, and it would look young long."""


def ask(view: PairView) -> Finding:
    """Look into the buckets of both sites."""
    if view.access.topology.archive_of(view.pair.primary) is None:
        return fails(
            f"jurisdiction {view.pair.jurisdiction} has no archive: a mistake that replication copies stays",
            "add `archive` to it in topology.yaml (docs/backups.md)",
        )
    found = view.once("the buckets", view.access.backups)
    return judge(view.pair.name, found, datetime.now(UTC))


def judge(pair: str, found: Sequence[Backup], now: datetime) -> Finding:
    """Judge what there is of each database at each site."""
    return together(_judged(pair, each, now) for each in found)


def _judged(pair: str, backup: Backup, now: datetime) -> Finding:
    subject = f"{backup.database} of {backup.site}"
    action = f"`shopsphere backups {pair}`; the log of pod archive-{backup.database} at {backup.site} says why"
    if backup.problem:
        return unknown(f"{subject}: {backup.problem}")
    if backup.base_at is None or backup.covered_at is None:
        return fails(f"{subject}: no base backup" if backup.base_at is None else f"{subject}: no WAL", action)
    if backup.missing:
        return fails(f"{subject}: WAL is missing ({backup.missing[0]})", action)
    problem = _age_problem(now - backup.base_at, now - backup.covered_at)
    if problem:
        return fails(f"{subject}: {problem}", action)
    hours = max(0.0, (now - backup.base_at).total_seconds() / 3600)
    seconds = max(0.0, (now - backup.covered_at).total_seconds())
    return passes(f"{subject}: base backup {hours:.0f} h, WAL {seconds:.0f} s old")


def _age_problem(base: timedelta, wal: timedelta) -> str:
    for what, age in (("base backup", base), ("WAL", wal)):
        if age < -AHEAD:
            return f"the time of the newest {what} is {-age.total_seconds() / 60:.0f} min in the future"
    if base >= BASE_YOUNGER_THAN:
        return f"the newest base backup is {base.total_seconds() / 3600:.0f} h old"
    if wal >= WAL_YOUNGER_THAN:
        return f"the newest WAL is {wal.total_seconds() / 60:.0f} min old"
    return ""
