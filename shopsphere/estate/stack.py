"""Which stacks exist, and what a person means by a target."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.paths import REPOSITORY, STACKS
from shopsphere.topology import Topology

EDGE = "edge"
HEADQUARTERS_REGION = "hq"
EVERYTHING = "all"


class Environment(StrEnum):
    """Where a stack's resources live."""

    LAB = "lab"
    PROD = "prod"


@dataclass(frozen=True)
class StackId:
    """One Pulumi stack: one site in one environment, or the edge.

    Attributes:
        region: name of the pair, `hq` or `edge`.
        site: name of the site; None for the edge.
        jurisdiction: owner of the stack's state and passphrase; `edge` for the edge, which holds no regional data.
        environment: where its resources live.
    """

    region: str
    site: str | None
    jurisdiction: str
    environment: Environment

    @property
    def name(self) -> str:
        """Pulumi's name of the stack."""
        return f"{self.environment}-{self.site}" if self.site else str(self.environment)

    @property
    def folder(self) -> Path:
        """The folder of the stack's project."""
        return STACKS / self.region if self.site else REPOSITORY

    @property
    def label(self) -> str:
        """What people call it."""
        return self.site or EDGE


def edge_stack(environment: Environment) -> StackId:
    """Return the one stack of DNS and CDN."""
    return StackId(EDGE, None, EDGE, environment)


def site_stack(topology: Topology, site: str, environment: Environment) -> StackId:
    """Return the stack of a site.

    Raises:
        UnknownNameError: the topology has no such site.
    """
    pair = topology.pair_of(site)
    region = pair.name if pair else HEADQUARTERS_REGION
    return StackId(region, site, topology.jurisdiction_of(site), environment)


def check_target(topology: Topology, target: str) -> None:
    """Accept a region, a site, `edge` or `all`.

    Raises:
        UsageError: it is none of these.
    """
    regions = [*topology.pairs, HEADQUARTERS_REGION]
    known = [*regions, *topology.sites, EDGE, EVERYTHING]
    if target not in known:
        raise UsageError(
            f"unknown target {target!r}\n  expected: a region ({', '.join(regions)}), a site "
            f"({', '.join(topology.sites)}), {EDGE} or {EVERYTHING}\n  found:    {target!r}\n"
            "  do:       name one of these, or add it to topology.yaml"
        )


def sites_of(topology: Topology, target: str) -> tuple[str, ...]:
    """Return the sites that a target covers, those of a recovery role first; none for the edge."""
    check_target(topology, target)
    if target == EVERYTHING:
        names = [*topology.pairs, HEADQUARTERS_REGION]
        return tuple(site for name in names for site in sites_of(topology, name))
    if target == HEADQUARTERS_REGION:
        return (topology.headquarters,)
    if target in topology.pairs:
        pair = topology.pair(target)
        return (pair.recovery, pair.primary)
    return () if target == EDGE else (target,)
