"""Which instances of a recovery site have what the active site lacks, so that they cannot follow it."""

from __future__ import annotations

from contextlib import suppress

from runbooks import copies
from runbooks.change import RoleChange
from runbooks.rewinding.divergence import Divergence, divergence, left_lines, place_of
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster_errors import ClusterError
from shopsphere.clients.postgres import ask_instance, followers_in, follows


def leader_apart(change: RoleChange, database: SiteDatabase) -> Divergence | None:
    """Return what the instance that leads a database of the recovery site has more than the active site.

    None where it streams, is not told to follow the active site's, has nothing more, or cannot be asked.

    Raises:
        ShopSphereError: the active site's does not answer.
    """
    document = database.cluster.find(database.path)
    if document is None or not follows(document) or copies.streams(change, database):
        return None
    if document["spec"]["replica"].get("primary") != change.counterpart(database).name:
        return None
    return instance_apart(change, database, database.leader(document)[2])


def instance_apart(change: RoleChange, database: SiteDatabase, pod: str) -> Divergence | None:
    """Return what one instance has more than the active site; None where it has nothing more, or cannot be asked.

    Raises:
        ShopSphereError: the active site's does not answer.
    """
    left = left_lines(*change.counterpart(database).leader())
    with suppress(ClusterError):  # a pod that is not there or does not run has to be made anew
        return divergence(place_of(database.cluster, database.model.namespace.name, pod), left)
    return None


def beside_apart(change: RoleChange, database: SiteDatabase) -> list[tuple[str, Divergence]]:
    """Return the instances beside the leading one that have more than the active site, whomever they follow now.

    Raises:
        ShopSphereError: a site does not answer.
    """
    leading = database.leader()[2]
    pods = [pod for _, _, pod in database.instances() if pod != leading]
    return [(pod, apart) for pod in pods if (apart := instance_apart(change, database, pod))]


def others_apart(change: RoleChange, database: SiteDatabase) -> list[tuple[str, Divergence]]:
    """Return the instances beside the leading one that do not stream from it and have more than the active site.

    Raises:
        ShopSphereError: a site does not answer.
    """
    leading = database.leader()
    answer = ask_instance(*leading)
    found = []
    for _, _, pod in database.instances():
        if pod == leading[2] or any(each.get("state") == "streaming" for each in followers_in(answer, pod)):
            continue
        if apart := instance_apart(change, database, pod):
            found.append((pod, apart))
    return found
