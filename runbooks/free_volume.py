"""A whole new copy of a database needs a volume that nobody holds."""

from __future__ import annotations

from runbooks.change import RoleChange
from runbooks.copies import wanted_size
from runbooks.engine.errors import BlockedError
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import Document
from shopsphere.estate.placement import DATA_CLASS_LABEL
from shopsphere.topology.quantities import parse_quantity


def require_free_volume(change: RoleChange, database: SiteDatabase, document: Document) -> None:
    """Refuse to copy a database anew where its site has no free volume for it.

    Raises:
        BlockedError: there is none that is large enough.
        ShopSphereError: the site's API does not answer, or the stack's file cannot be read.
    """
    size, claims = wanted_size(change, database, document), document["spec"]["storage"]["pvcTemplate"]
    wanted = claims["selector"]["matchLabels"][DATA_CLASS_LABEL]
    selector = f"{DATA_CLASS_LABEL}={wanted}"
    volumes = database.cluster.items("/api/v1/persistentvolumes", labelSelector=selector)
    free = [volume for volume in volumes if volume["status"].get("phase") == "Available"]
    if not any(parse_quantity(volume["spec"]["capacity"]["storage"]) >= parse_quantity(size) for volume in free):
        kept = [volume["metadata"]["name"] for volume in volumes if volume["status"].get("phase") == "Released"]
        raise BlockedError.because(
            f"{database.site} has no free volume of {size} or more for {wanted} data; "
            f"kept from earlier: {', '.join(kept) or 'none'}",
            action="look at what the kept ones hold, then empty them and remove their claimRef, or add a volume",
        )
