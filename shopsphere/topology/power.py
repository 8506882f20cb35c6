"""Power arithmetic: what pods are charged, and what a site has left for them.

All values are whole watts. What is charged is rounded up and what is available is rounded down, so that rounding can
refuse a watt that exists but never grant one that does not. Decimal arithmetic on the digits as written keeps
12 * 0.1 cores from becoming 1.2000000000000002 W.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from shopsphere.topology.limits import PowerModel
from shopsphere.topology.model import Topology
from shopsphere.topology.place import Site


def pod_watts(power_model: PowerModel, cpu_cores: float | Decimal, memory_gib: float | Decimal) -> int:
    """Return the power one pod is charged for its requests (W).

    Formula: `ceil(cpu_cores * watts_per_core + memory_gib * watts_per_gib)`, never negative.

    Raises:
        ValueError: a request is below zero.
    """
    cpu, memory = Decimal(str(cpu_cores)), Decimal(str(memory_gib))
    if cpu < 0 or memory < 0:
        raise ValueError(f"requests are at least 0: expected cores and GiB >= 0, found {cpu} cores and {memory} GiB")
    exact = cpu * Decimal(str(power_model.watts_per_core)) + memory * Decimal(str(power_model.watts_per_gib))
    return int(exact.to_integral_value(ROUND_CEILING))


def base_load(site: Site, topology: Topology) -> int:
    """Return the power that the site's nodes draw before the first pod runs (W).

    Formula: `ceil(racks * nodes_per_rack * watts_per_node)`.
    """
    model = topology.power_model
    exact = site.racks * model.nodes_per_rack * Decimal(str(model.watts_per_node))
    return int(exact.to_integral_value(ROUND_CEILING))


def site_limit(site: Site, topology: Topology) -> int:
    """Return the power that the site may draw (W): `min(site's kW, kilowatts_per_site) * 1000`, rounded down."""
    return min(site.watts, int(Decimal(str(topology.limits.kilowatts_per_site)) * 1000))


def site_budget(site: Site, topology: Topology) -> int:
    """Return the power left for pods (W): `max(0, site_limit - base_load)`."""
    return max(0, site_limit(site, topology) - base_load(site, topology))


def rack_budget(site: Site, topology: Topology) -> int:
    """Return one rack's share of the power for pods (W): `floor(site_budget / racks)`."""
    return site_budget(site, topology) // site.racks


def headroom(site: Site, topology: Topology, pods_watts: int) -> int:
    """Return what is left when pods are charged `pods_watts` (W); below zero, it is what is missing."""
    return site_budget(site, topology) - pods_watts


def is_near_limit(site: Site, topology: Topology, pods_watts: int) -> bool:
    """Say whether the site draws at least `warn_at_percent` of its limit, base load included."""
    drawn = base_load(site, topology) + pods_watts
    return drawn * 100 >= site_limit(site, topology) * topology.power_model.warn_at_percent
