"""P1: the recovery site has what the active site wrote, but for the last moments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbooks.readiness.pair_view import PairView
from shopsphere.clients.postgres import follower_in
from shopsphere.estate.databases import DatabaseModel
from shopsphere.foundation.finding import Finding, fails, passes, together, unknown

NAME = "Both databases of the recovery site stream from the active site"
LAG_BYTES = 16 * 1024 * 1024
LAG_MS = 1000.0
REBUILD = (
    "`shopsphere status` says more; `shopsphere rebuild SITE` lets a copy that cannot catch up follow again, by "
    "a rewind where it has what the active site lacks"
)


def ask(view: PairView) -> Finding:
    """Ask both ends of both streams."""

    def one(database: DatabaseModel) -> Finding:
        name = database.cluster(view.recovery)
        return judge(name, view.instance(view.active, database), view.instance(view.recovery, database))

    return together(view.judge_databases(one))


def judge(name: str, active: Mapping[str, Any], standby: Mapping[str, Any]) -> Finding:
    """Judge one stream.

    The time is what the standby itself measures: the active site learns of a replay only with the standby's next
    message, which on a quiet pair is up to 10 s later.

    Args:
        name: of the recovery site's cluster, which is its name in replication.
        active: answer of the active site's instance.
        standby: answer of the recovery site's.
    """
    if active["in_recovery"] or not standby["in_recovery"]:
        wrong = "the active site's takes no writes" if active["in_recovery"] else "it takes writes itself"
        return fails(f"{name} does not follow: {wrong}", "find out who takes writes before anything else is done")
    follower, receiver = follower_in(active, name), standby["receiver"] or {}
    if follower.get("state") != "streaming" or receiver.get("state") != "streaming":
        states = f"the active site says {follower.get('state', 'nobody')}, it says {receiver.get('state', 'nothing')}"
        return fails(f"{name} does not stream ({states})", REBUILD)
    late, behind = receiver["lag_ms"], (follower["lag_bytes"], receiver["lag_bytes"])
    if late is None or None in behind:
        return unknown(f"{name}: how far it is behind cannot be told yet", "ask again in a moment")
    found = f"{name} is {max(behind) / 10**6:.1f} MB and {late:g} ms behind"
    if max(behind) >= LAG_BYTES or late >= LAG_MS:
        limits = f"less than {LAG_BYTES / 10**6:.1f} MB and {LAG_MS:g} ms is ready"
        return fails(f"{found}; {limits}", "wait until it has caught up")
    return passes(found)
