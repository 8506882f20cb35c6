"""The order of a deployment: recovery site, primary site, then the edge; regions side by side."""

from __future__ import annotations

from dataclasses import dataclass

from shopsphere.estate.stack import (
    EDGE,
    EVERYTHING,
    HEADQUARTERS_REGION,
    Environment,
    StackId,
    check_target,
    edge_stack,
    site_stack,
    sites_of,
)
from shopsphere.topology import Topology


@dataclass(frozen=True)
class RegionPlan:
    """The waves of one region; a wave starts when the one before it is good.

    Attributes:
        region: name of the pair, or `hq`.
        waves: one stack per wave: a region has two sites, and the second streams from the first.
    """

    region: str
    waves: tuple[StackId, ...]


@dataclass(frozen=True)
class Plan:
    """What a command will do.

    Attributes:
        regions: independent of each other; the failure of one does not stop another.
        edge: the stack of DNS and CDN, after the regions (before them when destroying); None when not part of it.
    """

    regions: tuple[RegionPlan, ...]
    edge: StackId | None

    @property
    def stacks(self) -> tuple[StackId, ...]:
        """All stacks, in the order of a deployment."""
        sites = tuple(stack for region in self.regions for stack in region.waves)
        return (*sites, self.edge) if self.edge else sites

    def reversed(self) -> Plan:
        """Return the plan with each region's waves backwards, for destroying."""
        return Plan(tuple(RegionPlan(plan.region, plan.waves[::-1]) for plan in self.regions), self.edge)

    def describe(self) -> str:
        """Return one line: the regions with their waves, then the edge."""
        parts = [f"{plan.region}: {' -> '.join(stack.label for stack in plan.waves)}" for plan in self.regions]
        return "; ".join([*parts, *([EDGE] if self.edge else [])])


def deployment_plan(topology: Topology, target: str, environment: Environment) -> Plan:
    """Return what `up` and `preview` of a target do.

    A region brings the edge with it, because a region that public names do not lead to serves nobody. A single site
    and headquarters do not.

    Raises:
        UsageError: the target is unknown.
    """
    regions = _regions(topology, target, environment)
    with_edge = target in (EDGE, EVERYTHING) or target in topology.pairs
    return Plan(regions, edge_stack(environment) if with_edge else None)


def removal_plan(topology: Topology, target: str, environment: Environment) -> Plan:
    """Return what `destroy` of a target does: the same backwards, the edge only by name or with everything.

    The edge serves the other regions too, so it outlives any single one.
    """
    regions = _regions(topology, target, environment)
    return Plan(regions, edge_stack(environment) if target in (EDGE, EVERYTHING) else None).reversed()


def _regions(topology: Topology, target: str, environment: Environment) -> tuple[RegionPlan, ...]:
    check_target(topology, target)
    by_region: dict[str, list[StackId]] = {}
    for site in sites_of(topology, target):
        stack = site_stack(topology, site, environment)
        by_region.setdefault(stack.region, []).append(stack)
    order = [*topology.pairs, HEADQUARTERS_REGION]
    return tuple(RegionPlan(region, tuple(by_region[region])) for region in order if region in by_region)
