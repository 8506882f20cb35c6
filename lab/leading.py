"""Which pod is the instance that leads a database of a site: of two instances the one named -1 may be the other one."""

from __future__ import annotations

from lab.cluster.addons import kubectl
from shopsphere.foundation.errors import ShopSphereError


def leading_pod(site: str, database: str) -> str:
    """Return the name of the pod.

    Raises:
        CommandError: the site's API does not answer, or has no such database.
        ShopSphereError: no instance leads yet.
    """
    words = ["-n", f"data-{database}", f"clusters.postgresql.cnpg.io/{database}-{site}"]
    leader = kubectl(site, "get", *words, "-o", "jsonpath={.status.currentPrimary}", seconds=15).strip()
    if not leader:
        raise ShopSphereError.build(
            f"no instance of {database} leads at {site}",
            expected="a database that was started once",
            found="none that its operator calls the primary",
            action=f"`shopsphere status {site}`",
        )
    return leader
