"""The site to rebuild is not the active one, and the active one is there to copy from."""

from runbooks.change import RoleChange
from runbooks.copies import wanted_size, what_is_wrong
from runbooks.engine.errors import BlockedError
from runbooks.site_database import SiteDatabase
from shopsphere.clients.free_volumes import free_places
from shopsphere.estate.placement import DATA_CLASS_LABEL

TITLE = "Check both sites, and that each database has a free volume"
SECONDS = 20


def check(change: RoleChange) -> str:
    """Say what would be copied; refuse what would destroy the active site or has no room."""
    record = change.ask_witness()
    if record.active != change.source:
        raise BlockedError.because(
            f"{change.target} is active in epoch {record.epoch}", action="rebuild the other site, or fail over first"
        )
    if any(change.at_source(SiteDatabase.is_standby)):
        raise BlockedError.because(
            f"a database of {change.source} takes no writes", action=f"`shopsphere status {change.source}`"
        )
    change.at_target(lambda database: _require_volume(change, database))
    return (
        f"{change.target} gets a whole copy of both databases of {change.source}; its old volumes are kept as they are"
    )


def verify(change: RoleChange) -> bool:
    """What `check` says holds."""
    check(change)
    return True


def _require_volume(change: RoleChange, database: SiteDatabase) -> None:
    document = database.document()
    if not what_is_wrong(change, database, document):
        return
    size, claims = wanted_size(change, database, document), document["spec"]["storage"]["pvcTemplate"]
    wanted = claims["selector"]["matchLabels"][DATA_CLASS_LABEL]
    selector = f"{DATA_CLASS_LABEL}={wanted}"
    volumes = database.cluster.items("/api/v1/persistentvolumes", labelSelector=selector)
    places, instances = free_places(volumes, size), int(document["spec"].get("instances") or 1)
    if len(places) < instances:
        kept = [each["metadata"]["name"] for each in volumes if each["status"].get("phase") == "Released"]
        found = f"has no free volume of {size} or more for {wanted} data"
        if places:
            found = f"has free volumes of {size} or more for {wanted} data at {len(places)} of {instances} places"
        raise BlockedError.because(
            f"{database.site} {found}; kept from earlier: {', '.join(kept) or 'none'}",
            action="look at what the kept ones hold, then empty and free one for each instance (docs/failover.md, “A "
            "volume is freed”), or add volumes",
        )
