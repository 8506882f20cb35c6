"""What runbooks ask of, and tell, a site's databases."""

from __future__ import annotations

import time
from typing import Any

from components.databases import LEDGER, DatabaseModel, synchronous_with
from runbooks.change import RoleChange
from runbooks.witness import Sync
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


def follower_state(change: RoleChange, leader: str, follower: str, database: DatabaseModel) -> str:
    """Return `sync` or `async` for a site that streams from the leading one; empty while it does not."""
    name = database.cluster(follower)
    followers = instance(change, leader, database)["followers"]
    return next((each["sync"] for each in followers if each["name"] == name and each["state"] == "streaming"), "")


def all_follow(change: RoleChange, leader: str, follower: str) -> bool:
    """Whether both databases of a site stream from the leading one."""
    return all(change.each_database(lambda database: follower_state(change, leader, follower, database) != ""))


def restore_synchrony(change: RoleChange, leader: str, follower: str) -> None:
    """Let the leading ledger acknowledge only what the follower has too; used promotion tokens go.

    The leading site's agent tells the witness, when it has seen it at the ledger.
    """

    def settle(database: DatabaseModel) -> None:
        spec: dict[str, Any] = {"replica": {"promotionToken": None}}
        if database is LEDGER:
            spec["postgresql"] = {"synchronous": synchronous_with(database.cluster(follower))}
        change.patch(leader, database, {"spec": spec})

    change.each_database(settle)


def is_synchronous(change: RoleChange, leader: str, follower: str) -> bool:
    """Whether the ledger is synchronous to the follower, and the witness knows it."""
    return follower_state(change, leader, follower, LEDGER) == "sync" and change.see()[1].sync is Sync.ON
