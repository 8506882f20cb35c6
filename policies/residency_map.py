"""The residency map of topology.yaml, in the questions that rules ask."""

from __future__ import annotations

from functools import cache

from policies.resource import Resource
from shopsphere.topology import Topology, load_topology


@cache
def topology(environment: str) -> Topology:
    """Return the topology of an environment; read once, since a pack serves one operation."""
    return load_topology(environment=environment)


def topology_of(resource: Resource) -> Topology:
    """Return what a resource is judged from: addresses and limits may differ between environments."""
    return topology(resource.environment)


def pair_sites(model: Topology, site: str) -> tuple[str, ...]:
    """Return the sites that may exchange a site's data: those of its pair, or headquarters alone."""
    pair = model.pair_of(site)
    return (site,) if pair is None else pair.sites


def known(names: object) -> str:
    """Return names for a message."""
    return ", ".join(sorted(map(str, names))) if isinstance(names, (dict, frozenset, set, list, tuple)) else str(names)
