"""Sites as `status` finds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shopsphere.status.databases import describe
from shopsphere.status.model import Count, Power, SiteFacts, SiteStatus, Storage, role_of
from shopsphere.status.sites import problem_of

HEALTHY = "Cluster in healthy state"


def database_answer(
    follower: str = "", sync: str = "", leader: str = "", *, lag_bytes: int = 168, lag_ms: float = 12.5
) -> dict[str, Any]:
    """What an instance says: that it has a follower, or that it follows."""
    lag = {"state": "streaming", "lag_bytes": lag_bytes, "lag_ms": lag_ms}
    followers = [{"name": follower, "sync": sync, **lag}] if follower else []
    receiver = {"from": leader, **lag} if leader else None
    return {"in_recovery": bool(leader), "bytes": 31_000_000, "followers": followers, "receiver": receiver}


def site_status(name: str, answers: Mapping[str, dict[str, Any]], *, pods: int = 10) -> SiteStatus:
    """A site of rdc-a whose databases give these answers, with so many of ten pods ready."""
    databases = tuple(describe(database, HEALTHY, answer) for database, answer in answers.items())
    power = Power(used_kw=101.25, free_kw=48.75, total_kw=150, near_limit=False)
    facts = SiteFacts(Count(12, 12), Count(pods, 10), 8, power, Storage(Count(2, 4), 1024, 4096), databases)
    return SiteStatus(name, "rdc-a", role_of(databases), facts, problem_of(facts))
