"""The residency map of topology.yaml, in the questions that rules ask."""

from __future__ import annotations

from functools import cache

from shopsphere.topology import Topology, load_topology


@cache
def topology() -> Topology:
    """Return the topology that all rules judge from; read once, since a pack serves one operation."""
    return load_topology()


def pair_sites(site: str) -> tuple[str, ...]:
    """Return the sites that may exchange a site's data: those of its pair, or headquarters alone."""
    pair = topology().pair_of(site)
    return (site,) if pair is None else pair.sites


def known(names: object) -> str:
    """Return names for a message."""
    return ", ".join(sorted(map(str, names))) if isinstance(names, (dict, frozenset, set, list, tuple)) else str(names)
