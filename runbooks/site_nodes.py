"""The agents of a site's further nodes, as runbooks ask them: each opens and closes the databases of its own node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from runbooks.pair_access import PairAccess
from runbooks.site_database import SiteDatabase
from shopsphere.estate.site_agent import HAS_LEASE, has_lease
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError
from shopsphere.foundation.side_by_side import at_each
from shopsphere.topology import FurtherNode

State = Mapping[str, Any]


class NodeWaitedForError(NoAnswerError):
    """A database leads on a further node of its site that does not serve it yet; the message says why."""


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
    return further & set(access.each_database(site, node_of_leader)) if further else set()


def node_of_leader(database: SiteDatabase) -> str:
    """Return the node of the instance that leads; empty for a pod without one; raises as `leading_nodes`."""
    cluster, namespace, pod = database.leader()
    return str(cluster.get(f"/api/v1/namespaces/{namespace}/pods/{pod}")["spec"].get("nodeName", ""))


def leading_nodes_have_lease(access: PairAccess, site: str) -> bool:
    """Whether each further node on which a database of a site leads holds its own lease to write.

    One that soon does is waited for a little.

    Raises:
        NodeWaitedForError: one does not yet.
        ClusterError: as of `leading_nodes`.
    """
    return _all_lead(access, site, has_lease, lacks="has no lease of its own", until=HAS_LEASE)


def leading_nodes_are_open(access: PairAccess, site: str) -> bool:
    """Whether each further node on which a database of a site leads lets it be reached; raises as above."""
    return _all_lead(access, site, lambda state: bool(state["databases"]), lacks="is shut")


def _all_lead(access: PairAccess, site: str, is_so: Callable[[State], bool], *, lacks: str, until: str = "") -> bool:
    names = leading_nodes(access, site)
    leading = [each for each in access.topology.site(site).further_nodes if each.name in names]
    states = at_each(leading, partial(_state, access, site, until=until))
    found = zip(leading, states, strict=True)
    if waited_for := [_why(node.name, state, lacks) for node, state in found if not _is_so(state, is_so)]:
        raise NodeWaitedForError("; ".join(waited_for))
    return True


def _is_so(state: State | None, is_so: Callable[[State], bool]) -> bool:
    return state is not None and is_so(state)


def _why(node: str, state: State | None, lacks: str) -> str:
    why = f"{lacks}: {state['because']}" if state is not None else "has an agent that does not answer"
    return f"a database leads on {node}, which {why}"


def _state(access: PairAccess, site: str, node: FurtherNode, *, until: str = "") -> State | None:
    try:
        return access.node_state(site, node, until=until)
    except ShopSphereError:  # also where it is not known how to ask: nothing is known of the node then
        return None
