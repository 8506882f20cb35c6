"""What runbooks ask of, and tell, a site's databases."""

from __future__ import annotations

import time
from typing import Any

from components.databases import DatabaseModel
from runbooks.change import RoleChange
from shopsphere.storage.postgres import ask_instance

KICK = "shopsphere.io/looked-at"


def kick(change: RoleChange, site: str, database: DatabaseModel) -> dict[str, Any]:
    """Make the operator look now: it polls only every 10 s in the middle of a change of role."""
    return change.patch(site, database, {"metadata": {"annotations": {KICK: f"{time.time():.3f}"}}})


def instance(change: RoleChange, site: str, database: DatabaseModel) -> dict[str, Any]:
    """Return what the leading instance of a database at a site says about itself.

    Raises:
        ClusterUnreachableError: the site's API or the instance does not answer.
    """
    pod = change.database(site, database).get("status", {}).get("currentPrimary", f"{database.cluster(site)}-1")
    return ask_instance(change.cluster(site), database.namespace.name, pod)


def takes_writes(change: RoleChange, database: DatabaseModel) -> bool:
    """Whether PostgreSQL itself says that the database of the target site takes writes."""
    return not instance(change, change.target, database)["in_recovery"]


def follower_state(change: RoleChange, database: DatabaseModel) -> str:
    """Return `sync` or `async` for the source site as follower of the target; empty while it does not stream."""
    name = database.cluster(change.source)
    followers = instance(change, change.target, database)["followers"]
    return next((each["sync"] for each in followers if each["name"] == name and each["state"] == "streaming"), "")
