"""The nodes of sites of several: each has an agent whose fence is proven, and no database runs on any other node."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from runbooks.readiness.pair_view import PairView
from shopsphere.clients.cluster import PART_OF, Document
from shopsphere.clients.succession import Succession, succession_of
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.estate.placement import NAME_LABEL
from shopsphere.estate.ready_workloads import OF_EVENT_LOG
from shopsphere.estate.workloads import GATEWAY
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Finding, fails, passes, together
from shopsphere.status.quantities import is_true
from shopsphere.topology import FurtherNode


def nodes_asked(view: PairView) -> dict[str, Callable[[], Finding]]:
    """Return what is asked about nodes, by subject; nothing where both sites have one node each."""
    works: dict[str, Callable[[], Finding]] = {}
    sites = [view.access.topology.site(name) for name in view.pair.sites]
    if not any(site.further_nodes for site in sites):
        return works
    for site in sites:
        active = site.name == view.active
        for node in site.further_nodes:
            works[f"the agent of {node.name}"] = partial(_node, view, site.name, node, active=active)
        if site.further_nodes:
            works[f"the nodes of {site.name}"] = partial(_placed, view, site.name, site.nodes)
            works[f"the pods of {site.name}"] = partial(_spread, view, site.name, site.nodes)
            if active:
                works[f"who may lead at {site.name}"] = partial(_succession, view, site.name)
    return works


def _node(view: PairView, site: str, node: FurtherNode, *, active: bool) -> Finding:
    name, seen = f"{site}/{node.name}", view.seen
    return judge_node(
        node.name, view.node(site, node), active=active, holds=name in seen.nodes, barred=name in seen.barred
    )


def judge_node(node: str, state: Mapping[str, Any], *, active: bool, holds: bool, barred: bool = False) -> Finding:
    """Judge the agent of a further node.

    Args:
        node: its name.
        state: what it says.
        active: whether its site takes writes.
        holds: whether the node has a lease at the witness.
        barred: whether the agent of its site keeps it from one.
    """
    if barred:
        return fails(
            f"{node} is barred: an instance elsewhere is to lead, or has led for some seconds only",
            "wait; if it stays so, look at the log of the agent of its site for the database that nobody leads",
        )
    if why := state.get("unproven"):
        return fails(f"the fence of {node} is not proven: {why}", f"look at the log of the agent of {node}")
    if not state["databases"]:
        return fails(f"the fence of {node} is closed: {state['because']}", f"look at the log of the agent of {node}")
    if active and not holds:
        return fails(
            f"{node} is open and has no lease at the witness",
            f"find out whom the agent of {node} asks: the other site would be promoted over it",
        )
    return passes(f"{node} is fenced when it has to be")


def _placed(view: PairView, site: str, nodes: tuple[str, ...]) -> Finding:
    pods: list[Document] = []
    for database in DATABASES:
        path = f"/api/v1/namespaces/{database.namespace.name}/pods"
        pods += view.items(site, path, labelSelector=f"cnpg.io/cluster={database.cluster(site)}")
    return judge_places(site, pods, nodes)


def judge_places(site: str, pods: Iterable[Document], nodes: tuple[str, ...]) -> Finding:
    """Judge whether every database of a site runs on a node that has a fence."""
    elsewhere = sorted(
        f"{pod['metadata']['name']} on {pod['spec']['nodeName']}"
        for pod in pods
        if pod["spec"].get("nodeName") and pod["spec"]["nodeName"] not in nodes
    )
    if elsewhere:
        return fails(
            f"databases of {site} run where no fence is known: {', '.join(elsewhere)}",
            f"add the node to sites.{site}.further_nodes and give it an agent, or take the database away from it",
        )
    return passes(f"databases of {site} run on {', '.join(nodes)}")


def _succession(view: PairView, site: str) -> Finding:
    findings = [
        judge_succession(found, view.pair.name, view.access.kubectl(site), answers=_answers(view, site, each))
        for each in DATABASES
        if (found := succession_of(view.document(site, each)))
    ]
    return together(findings or [passes(f"each database of {site} that may lose something has one instance")])


def _answers(view: PairView, site: str, database: DatabaseModel) -> bool:
    try:
        view.instance(site, database)
    except ShopSphereError:
        return False
    return True


def judge_succession(found: Succession, pair: str, kubectl: SiteKubectl, *, answers: bool) -> Finding:
    """Judge whether a database of a site goes on, or can go on inside the site.

    That no copy is complete yet is no reason not to move the pair: the other site has everything.

    Args:
        found: its instances.
        pair: that the site is of.
        kubectl: how it is called at the site.
        answers: whether the leading one does.
    """
    if not answers and (lost := found.without_leader(pair, kubectl)):
        head, _, action = lost.partition(". ")
        return fails(head, action)
    if found.may_lead:
        return passes(f"{', '.join(found.may_lead)} may lead in place of {found.leading}")
    return passes(
        f"no other instance may lead in place of {found.leading} yet: if it is lost, the pair has to be moved"
    )


def _spread(view: PairView, site: str, nodes: tuple[str, ...]) -> Finding:
    pods = view.items(site, "/api/v1/pods", labelSelector=PART_OF)
    return judge_spread(site, pods, nodes, view.access.kubectl(site))


def judge_spread(site: str, pods: Iterable[Document], nodes: tuple[str, ...], kubectl: SiteKubectl) -> Finding:
    """Judge whether customers are answered at every node of a site, and whether its workloads survive the loss of one.

    Pods of a node that is lost start on the others. Nothing moves them back when it returns: the next loss would take
    all pods of a workload at once.
    """
    at: defaultdict[str, list[str]] = defaultdict(list)
    one_of: dict[str, tuple[str, str]] = {}
    for pod in pods:
        if not is_true(pod, "Ready") or pod["metadata"].get("deletionTimestamp"):
            continue
        if pod["metadata"]["namespace"] in OF_EVENT_LOG:
            continue  # no order waits for them
        name = pod["metadata"]["labels"].get(NAME_LABEL, "")
        at[name].append(pod["spec"]["nodeName"])
        one_of[name] = pod["metadata"]["namespace"], pod["metadata"]["name"]
    if without := sorted(set(nodes) - set(at.get(GATEWAY.name, ()))):
        return fails(
            f"no gateway of {site} is ready on {', '.join(without)}: who is led there finds no shop",
            f"`shopsphere status {site}`, and start the node",
        )
    together = sorted(name for name, found in at.items() if len(found) > 1 and len(set(found)) == 1)
    if together:
        pods_of = [one_of[name] for name in together]
        commands = "; ".join(kubectl.line(None, namespace, "delete", "pod", pod) for namespace, pod in pods_of)
        return fails(
            f"all pods of {', '.join(together)} at {site} are on one node, though there are {len(nodes)}",
            f"delete one pod of each, and another node gets it: `{commands}`",
        )
    return passes(f"a gateway is on each node of {site}, and no workload is on one alone")
