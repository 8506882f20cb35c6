"""Sites and jurisdictions."""

from __future__ import annotations

from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from shopsphere.topology.base import Derived, Frozen, Name, Sentence
from shopsphere.topology.retention import LONGEST_YEARS


def _as_text(value: object) -> object:
    """Refuse numbers: 5 and true would otherwise become 0.0.0.5 and 0.0.0.1."""
    if isinstance(value, (str, IPv4Address, IPv4Network)):
        return value
    raise ValueError("an IPv4 address or network written as text")


Address = Annotated[IPv4Address, BeforeValidator(_as_text)]
Network = Annotated[IPv4Network, BeforeValidator(_as_text)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class FurtherNode(Frozen):
    """A machine of a site beside the one that has the site's address."""

    name: Name = Field(title="Name", description="As its cluster calls it.")
    address: Address = Field(title="Address", description="Its own, as other sites see it and reach it.")


class Site(Frozen):
    """One data centre. Which site of a pair takes writes is run-time state and not written here."""

    name: Derived = Field(title="Name", description="The key under `sites`.")
    city: str = Field(title="City", description="Name for people.", min_length=1)
    country: Country = Field(title="Country", description="ISO 3166-1 code of two letters.")
    racks: int = Field(title="Racks", description="Racks of the site, named r1 to rN on its nodes.", ge=1, strict=True)
    kilowatts: float = Field(title="Power", description="Power that the site may draw (kW).", gt=0, strict=True)
    address: Address = Field(title="Address", description="Address under which other sites reach its services.")
    public_address: Address | None = Field(
        default=None, title="Public address", description="Address that customers reach it at; `address` if not given."
    )
    pod_network: Network = Field(title="Pod network", description="CIDR of its pods.")
    service_network: Network = Field(title="Service network", description="CIDR of its Kubernetes services.")

    node: Name | None = Field(
        default=None,
        title="Node",
        description="The node at `address`, as its cluster calls it; the site's own name if not given.",
    )
    further_nodes: tuple[FurtherNode, ...] = Field(
        default=(),
        title="Further nodes",
        description="Nodes beside the one at `address` that may run databases; each has an agent with a fence.",
    )

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of its nodes that may run databases, the one at the site's own address first."""
        return (self.node or self.name, *(node.name for node in self.further_nodes))

    @property
    def addresses(self) -> tuple[IPv4Address, ...]:
        """Addresses of its nodes that may run databases, the site's own first."""
        return (self.address, *(node.address for node in self.further_nodes))

    @property
    def faces_customers_at(self) -> IPv4Address:
        """Address of its gateway as public names give it."""
        return self.public_address or self.address

    @property
    def watts(self) -> int:
        """Power that the site may draw (W), a part of a watt left out: `floor(kilowatts * 1000)`.

        Decimal arithmetic on the digits as written, because 150.1 has no exact binary form.
        """
        return int(Decimal(str(self.kilowatts)) * 1000)


ARCHIVE_PORT = 8443
"""Where an archive answers, in every environment."""


class Archive(Frozen):
    """Object storage for the backups of a jurisdiction's databases: outside all sites, so that none takes it along."""

    address: Address = Field(title="Address", description="Address under which the jurisdiction's sites reach it.")
    country: Country = Field(
        title="Country",
        description="ISO 3166-1 code of where its disks are: a country of one of the jurisdiction's sites.",
    )
    keep_days: int = Field(
        default=30,
        title="Kept days",
        description="Each database can be brought back to any time of so many days; what only older times need is "
        "removed.",
        ge=1,
        le=3650,
        strict=True,
    )
    keep_base_backups: int = Field(
        default=3,
        title="Kept base backups",
        description="So many of the newest whole base backups of each bucket stay, however old they are.",
        ge=1,
        le=1000,
        strict=True,
    )


class Jurisdiction(Frozen):
    """An explicit list of sites that may hold each other's personal data, and why that is lawful."""

    name: Derived = Field(title="Name", description="The key under `jurisdictions`.")
    sites: tuple[Name, ...] = Field(title="Sites", description="Sites of the jurisdiction.", min_length=1)
    legal_basis: Sentence = Field(
        title="Legal basis", description="Why data may move between these sites; the decision and its source."
    )
    client_networks: tuple[Network, ...] = Field(
        title="Client networks",
        description="CIDRs of customers that public DNS sends to this jurisdiction.",
        min_length=1,
    )
    archive: Archive | None = Field(
        default=None, title="Archive", description="Where its databases' backups are; without it there are none."
    )
    recipient_years: int | None = Field(
        default=None,
        title="Recipient",
        description="Years for which its tax law wants orders kept with name and address; without it, "
        "`retention.fulfilment.recipient_years`.",
        ge=1,
        le=LONGEST_YEARS,
        strict=True,
    )
