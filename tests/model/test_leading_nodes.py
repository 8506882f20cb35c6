"""A change of the active site waits for the node on which a database leads, be it a further one of its site."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any, cast

import pytest

from runbooks.change import PLANNED, RoleChange
from runbooks.engine import Runbook, Step
from runbooks.operate import ABORT, BREAK_GLASS, FAILOVER, Request, steps_of
from runbooks.pair_access import PairAccess
from runbooks.site_nodes import NodeWaitedForError
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.site_agent import SiteAgentError
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.site_agent import HAS_LEASE, OPEN_FOR_WRITES
from shopsphere.estate.stack import Environment
from shopsphere.topology import FurtherNode, load_topology
from shopsphere.witness import Witness

OPEN = {"databases": True, "writes": True, "because": "lease held", "lease_seconds_left": 7.5}
SHUT = {"databases": False, "writes": False, "because": "no lease", "lease_seconds_left": 0.0}


class Site:
    """In place of a site's API: which instance leads each database, and on which node it is."""

    def __init__(self, name: str, nodes: dict[str, str]) -> None:
        self._name, self._nodes = name, nodes
        self.asked = 0

    def get(self, path: str) -> Document:
        self.asked += 1
        for one in DATABASES:
            leads = f"{one.cluster(self._name)}-1"
            if path.endswith(f"/{leads}"):
                return {"spec": {"nodeName": self._nodes[one.name]}}
            if path.endswith(f"/{one.cluster(self._name)}"):
                return {"metadata": {"name": one.cluster(self._name)}, "status": {"currentPrimary": leads}}
        raise AssertionError(path)


class Pair(PairAccess):
    """A pair whose sites have two nodes each, or one; the agents say what a test lets them say."""

    def __init__(self, *, several: bool = True, commerce: str = "", ledger: str = "") -> None:
        topology = load_topology()
        sites = {
            name: site.model_copy(update={"further_nodes": (_second(name, number),) if several else ()})
            for number, (name, site) in enumerate(topology.sites.items(), 11)
        }
        topology = topology.model_copy(update={"sites": sites})
        super().__init__(topology, topology.pair("rdc-a"), Environment.LAB, cast("Witness", None))
        self.api = {
            name: Site(name, {"commerce": commerce or name, "ledger": ledger or name})
            for name in ("frankfurt", "dublin")
        }
        self.says: dict[str, Any] = {}

    def cluster(self, site: str) -> Cluster:
        return cast("Cluster", self.api[site])

    def agent_state(self, site: str, *, until: str = "") -> dict[str, Any]:
        assert until in {HAS_LEASE, OPEN_FOR_WRITES}
        return dict(self.says.get(site, OPEN))

    def node_state(self, site: str, node: FurtherNode, *, until: str = "") -> dict[str, Any]:
        assert node in self.topology.site(site).further_nodes
        assert until in {"", HAS_LEASE}
        if self.says.get(node.name) is None:
            raise SiteAgentError(f"{node.name}: no answer")
        return dict(self.says[node.name])


def _second(site: str, number: int) -> FurtherNode:
    return FurtherNode(name=f"{site}-2", address=IPv4Address(f"10.99.1.{number}"))


def runbook(name: str, variant: str | None) -> Runbook:
    return steps_of(Request(name, "rdc-a", Environment.LAB, variant, "", "test", accept_data_loss=False))


def step(name: str, title: str) -> Step:
    (found,) = [each for each in runbook(name, PLANNED if name == FAILOVER else None).steps if title in each.name]
    return found


def change(pair: Pair) -> RoleChange:
    return RoleChange(pair, "frankfurt", "dublin", 1, PLANNED, "anna", "test")


STEPS = [
    (FAILOVER, "wait-for-agent", "dublin", "which has no lease of its own: no lease"),
    (FAILOVER, "open-writes", "dublin", "which is shut: no lease"),
    (ABORT, "wait-for-writes", "frankfurt", "which is shut: no lease"),
    (BREAK_GLASS, "open-writes", "dublin", "which is shut: no lease"),
]


@pytest.mark.requirement("a change waits for the node where a database leads, whichever node of its site that is")
@pytest.mark.parametrize(("name", "title", "site", "why"), STEPS)
@pytest.mark.parametrize("database", ["commerce", "ledger"])
def test_a_node_where_a_database_leads_is_waited_for(name: str, title: str, site: str, why: str, database: str) -> None:
    node, verify = f"{site}-2", step(name, title).verify
    pair = Pair(commerce=node if database == "commerce" else "", ledger=node if database == "ledger" else "")
    pair.says[node] = SHUT
    with pytest.raises(NodeWaitedForError, match=f"a database leads on {node}, {why}"):
        verify(change(pair))
    pair.says[node] = None
    with pytest.raises(NodeWaitedForError, match=f"leads on {node}, which has an agent that does not answer"):
        verify(change(pair))
    pair.says[node] = OPEN
    assert verify(change(pair)) is True
    pair.says[site] = SHUT
    assert verify(change(pair)) is False


@pytest.mark.parametrize(("name", "title", "site", "why"), STEPS)
def test_a_node_where_none_leads_is_not(name: str, title: str, site: str, why: str) -> None:
    pair = Pair()
    pair.says[f"{site}-2"] = SHUT
    assert step(name, title).verify(change(pair)) is True, why


@pytest.mark.parametrize(("name", "title", "site", "why"), STEPS)
def test_a_site_of_one_node_is_asked_nothing_more(name: str, title: str, site: str, why: str) -> None:
    pair = Pair(several=False)
    assert step(name, title).verify(change(pair)) is True, why
    assert pair.api[site].asked == 0
