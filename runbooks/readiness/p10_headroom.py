"""P10: a recovery site that is away for a while can catch up, and no database runs out of disk."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from runbooks.readiness.pair_view import PairView
from shopsphere.clients.postgres import follower_in
from shopsphere.clients.postgres_capacity import Capacity
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.estate.kept_databases import KeptDatabase
from shopsphere.foundation.finding import Finding, fails, passes, together, unknown

NAME = "Enough WAL is kept for the recovery site, and the databases have free disk"
KEPT_SHARE = 0.5
"""Share of the kept WAL that the recovery site may be behind: beyond all of it only a new copy helps."""
DISK_SHARE = 0.8


def ask(view: PairView) -> Finding:
    """Ask both databases at both sites."""
    works = {f"log for {each.cluster(view.recovery)}": partial(_log, view, each) for each in DATABASES}
    works |= {
        f"disk of {each.cluster(site)}": partial(_disk, view, site, each)
        for site in (view.active, view.recovery)
        for each in DATABASES
    }
    return together(view.judge_each(works))


def _log(view: PairView, database: DatabaseModel) -> Finding:
    name = database.cluster(view.recovery)
    lag = follower_in(view.instance(view.active, database), name).get("lag_bytes")
    return judge_log(name, lag, view.capacity(view.active, database))


def _disk(view: PairView, site: str, database: DatabaseModel) -> Finding:
    capacity = view.capacity(site, database)
    found = judge_disk(database.cluster(site), capacity.disk_used)
    named = [kept.told(view.pair.name) for kept in map(KeptDatabase.of, capacity.kept) if kept]
    return replace(found, found="; ".join([found.found, *named])) if named else found


def judge_log(name: str, lag_bytes: int | None, capacity: Capacity) -> Finding:
    """Judge how far a follower is behind against what the active site keeps.

    Args:
        name: of the recovery site's cluster.
        lag_bytes: WAL that it has not replayed; None while it is not connected.
        capacity: of the active site's instance.
    """
    if not capacity.keep_bytes:
        return fails(f"no WAL is kept for {name}", "set walKeepSize in both sites' stacks")
    kept = f"{capacity.keep_bytes / 10**6:.0f} MB of WAL kept{_lasts(capacity)}"
    if lag_bytes is None:
        return unknown(f"{name} is not connected, so how much of the {kept} is needed cannot be told", "see P1")
    if lag_bytes >= capacity.keep_bytes * KEPT_SHARE:
        found = f"{name} needs {lag_bytes / 10**6:.0f} MB of the {kept}"
        return fails(found, "let it catch up; if it cannot, `shopsphere rebuild` copies it anew; or raise walKeepSize")
    return passes(f"{name} needs {lag_bytes / 10**6:.1f} MB of the {kept}")


def judge_disk(name: str, used: float) -> Finding:
    """Judge the fuller one of an instance's volumes; `used` from 0 to 1."""
    if used >= DISK_SHARE:
        return fails(f"the disk of {name} is {used:.0%} full", "make room, or give it a larger volume")
    return passes(f"disk of {name} {used:.0%}")


def _lasts(capacity: Capacity) -> str:
    if not capacity.written_bytes or capacity.written_seconds <= 0:
        return ""
    hours = capacity.keep_bytes * capacity.written_seconds / capacity.written_bytes / 3600
    return f" (about {hours:.1f} h of writing)"
