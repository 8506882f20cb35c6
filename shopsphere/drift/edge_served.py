"""What one DNS authority serves of a zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shopsphere.clients.powerdns import DnsAuthority, HeldKey, RRset
from shopsphere.drift.model import Unseen
from shopsphere.estate.stack import EDGE
from shopsphere.foundation.errors import ShopSphereError, one_line


@dataclass(frozen=True)
class Served:
    """What one authority serves.

    Attributes:
        authority: its name.
        url: of its API, without a slash at the end.
        rrsets: of the declared zone; None where it does not have that zone.
        zones: names of all its zones.
        held: all keys of the declared zone, also those that do not sign.
        settings: metadata of the declared zone, and its kind; None where they are not known.
    """

    authority: str
    url: str
    rrsets: Sequence[RRset] | None
    zones: Sequence[str]
    held: Sequence[HeldKey] = ()
    settings: Mapping[str, tuple[str, ...]] | None = None

    def rrset(self, name: str, type_: str) -> RRset | None:
        """Return one rrset of the zone."""
        return next((each for each in self.rrsets or () if (each.name, each.type) == (name, type_)), None)

    def place(self, zone: str) -> str:
        """Return the address of a zone in its API."""
        return f"{self.url}/api/v1/servers/localhost/zones/{zone}"


def read_served(authority: DnsAuthority, url: str, zone: str, unseen: list[Unseen]) -> Served:
    """Read one authority; settings that cannot be read, as through an older door, are unseen and hide nothing else.

    Raises:
        EdgeError: it does not answer, or refuses.
    """
    keys = authority.zone_keys(zone)
    found = Served(authority.name, url.rstrip("/"), authority.rrsets(zone), authority.zone_names(), keys)
    try:
        return replace(found, settings=authority.zone_settings(zone))
    except ShopSphereError as error:
        unseen.append(Unseen(EDGE, f"settings of zone {zone} at {authority.name}", one_line(error)))
        return found
