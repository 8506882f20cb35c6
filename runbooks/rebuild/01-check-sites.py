"""The site to rebuild is not the active one, and the active one is there to copy from."""

from runbooks.change import RoleChange
from runbooks.databases import all_follow
from runbooks.engine.errors import BlockedError
from runbooks.site_database import SiteDatabase
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
    if not all_follow(change.access, change.source, change.target):
        change.at_target(_require_volume)
    return f"both databases of {change.source} are copied to {change.target}; its old volumes are kept as they are"


def verify(change: RoleChange) -> bool:
    """What `check` says holds."""
    check(change)
    return True


def _require_volume(database: SiteDatabase) -> None:
    claims = database.document()["spec"]["storage"]["pvcTemplate"]
    wanted = claims["selector"]["matchLabels"][DATA_CLASS_LABEL]
    selector = f"{DATA_CLASS_LABEL}={wanted}"
    volumes = database.cluster.items("/api/v1/persistentvolumes", labelSelector=selector)
    if not any(volume["status"].get("phase") == "Available" for volume in volumes):
        kept = [volume["metadata"]["name"] for volume in volumes if volume["status"].get("phase") == "Released"]
        raise BlockedError.because(
            f"{database.site} has no free volume for {wanted} data; kept from earlier: {', '.join(kept) or 'none'}",
            action="look at what the kept ones hold, then empty them and remove their claimRef, or add a volume",
        )
