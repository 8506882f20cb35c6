"""Builds the graph of a fleet from the resources of all its stacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from policies.fleet import databases, edge, networks, programs
from policies.fleet.estate import Estate, Stacks
from policies.fleet.flow import Fleet, Flow, Kind
from policies.resource import Resource
from policies.verdict import guarded
from shopsphere.foundation.finding import Finding
from shopsphere.topology import Topology

AT_SITES = (databases.flows, programs.flows, networks.flows)
GENERAL = frozenset({Kind.EGRESS, Kind.CALL, Kind.ARRIVAL})
"""Ways that say less than others; of two paths of one length, the one without them is told."""
Unread = tuple[str, Resource, Finding]
"""The stack, the resource whose flows could not be read, and why."""


def fleet_of(stacks: Stacks, model: Topology) -> tuple[Fleet, list[Unread]]:
    """Return the graph of all stacks of an environment, and what of it could not be read.

    Args:
        stacks: resources of each stack, all of them: a flow leads from one to another.
        model: the environment's topology.
    """
    estate = Estate(model, stacks)
    found: list[Flow] = []
    unread: list[Unread] = []
    for stack, resources in stacks.items():
        site = estate.site_of(stack)
        for resource in resources:
            for flow in guarded(_all_of(estate, site), resource):
                if isinstance(flow, Finding):
                    unread.append((stack, resource, flow))
                else:
                    found.append(flow)
    found += estate.arrivals(found)
    found.sort(key=lambda flow: flow.kind in GENERAL)
    stores = dict.fromkeys([*estate.stores, *(end for flow in found for end in (flow.source, flow.target))])
    return Fleet(list(stores), list(dict.fromkeys(found))), unread


def _all_of(estate: Estate, site: str) -> Callable[[Resource], Iterator[Flow]]:
    def look(resource: Resource) -> Iterator[Flow]:
        if not site:
            yield from edge.flows(estate, resource)
        else:
            for flows in AT_SITES:
                yield from flows(estate, resource, site)

    return look
