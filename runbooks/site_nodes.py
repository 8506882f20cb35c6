"""The agents of a site's further nodes, as runbooks ask them: each opens and closes the databases of its own node."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from runbooks.pair_access import PairAccess
from shopsphere.estate.databases import DATABASES
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.side_by_side import at_each
from shopsphere.topology import FurtherNode

State = Mapping[str, Any]


def further_agents(access: PairAccess, site: str) -> dict[str, State | None]:
    """Return what the agent of each further node of a site says, by node; None where it does not answer."""
    nodes = access.topology.site(site).further_nodes
    return dict(zip([each.name for each in nodes], at_each(nodes, partial(_state, access, site)), strict=True))


def answering(access: PairAccess, site: str) -> dict[str, State]:
    """Return what the agents of a site's further nodes say, without those that do not answer."""
    return {node: state for node, state in further_agents(access, site).items() if state is not None}


def leading_nodes(access: PairAccess, site: str) -> set[str]:
    """Return the further nodes of a site on which an instance is that leads a database.

    Raises:
        ClusterError: the site's API does not answer, or has no such database or instance.
    """
    further = {each.name for each in access.topology.site(site).further_nodes}
    if not further:
        return set()
    leaders = [access.database(site, model).leader() for model in DATABASES]
    pods = [cluster.get(f"/api/v1/namespaces/{namespace}/pods/{pod}") for cluster, namespace, pod in leaders]
    return further & {str(pod["spec"].get("nodeName", "")) for pod in pods}


def _state(access: PairAccess, site: str, node: FurtherNode) -> State | None:
    try:
        return access.node_state(site, node)
    except ShopSphereError:  # also where it is not known how to ask: nothing is known of the node then
        return None
