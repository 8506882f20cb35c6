"""Pairs: a primary and a recovery site in one jurisdiction."""

from __future__ import annotations

from pydantic import Field

from shopsphere.topology.base import Derived, Frozen, Name
from shopsphere.topology.storefront import Storefront


class Weights(Frozen):
    """Share of a pair's traffic that each of its roles receives."""

    active: int = Field(title="Active", description="Percent to the active site.", ge=0, le=100, strict=True)
    passive: int = Field(title="Passive", description="Percent to the passive site.", ge=0, le=100, strict=True)


class Pair(Frozen):
    """A primary and its recovery site. Either can be active: these names are of the two places, not of the roles."""

    name: Derived = Field(title="Name", description="The key under `pairs`.")
    jurisdiction: Derived = Field(title="Jurisdiction", description="The jurisdiction that both sites belong to.")
    primary: Name = Field(title="Primary site", description="Active site in normal operation.")
    recovery: Name = Field(title="Recovery site", description="Active site after a failover.")
    weights: Weights = Field(title="Weights", description="How public names split traffic; they sum to 100.")
    dns_ttl_seconds: int = Field(
        title="DNS time to live",
        description="TTL of the pair's public names (s); part of every failover's duration.",
        ge=1,
        le=300,
        strict=True,
    )
    storefront: Storefront = Field(title="Storefront", description="The shop that its customers see.")

    @property
    def sites(self) -> tuple[str, str]:
        """Names of the primary and the recovery site, in this order."""
        return (self.primary, self.recovery)

    def other_than(self, site: str) -> str:
        """Return the name of the other one of the two sites."""
        return self.recovery if site == self.primary else self.primary
