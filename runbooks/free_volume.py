"""A whole new copy of a database needs volumes that nobody holds: one for each instance, on a node of its own."""

from __future__ import annotations

from runbooks.change import RoleChange
from runbooks.copies import wanted_size
from runbooks.engine.errors import BlockedError
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import Document
from shopsphere.clients.free_volumes import free_places
from shopsphere.estate.placement import DATA_CLASS_LABEL


def require_free_volume(change: RoleChange, database: SiteDatabase, document: Document) -> None:
    """Refuse to copy a database anew where its site has no free volume for each instance.

    Raises:
        BlockedError: there are too few that are large enough.
        ShopSphereError: the site's API does not answer, or the stack's file cannot be read.
    """
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


def lacks_free_volume(change: RoleChange, database: SiteDatabase, document: Document) -> bool:
    """Whether a database could not be copied anew now for want of a volume.

    Raises:
        ShopSphereError: as `require_free_volume`.
    """
    try:
        require_free_volume(change, database, document)
    except BlockedError:
        return True
    return False
