"""Only declared programs reach the broker, each with the rights that are declared for it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policies.events.declared_log import PLACE, declared, in_its_namespace, is_declaration
from policies.network.net_001_closed_namespaces import is_network_policy
from policies.reading import Node, mapping, nodes, text, whole_number
from policies.residency_map import known as listed
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.unknown import known
from policies.verdict import violation
from shopsphere.estate.event_log import BROKER_PORT, CLIENTS
from shopsphere.foundation.finding import Finding, Severity

NAMESPACE_NAME = "kubernetes.io/metadata.name"
NAMES = tuple(client.name for client in CLIENTS)
RIGHTS = tuple(right for client in CLIENTS for right in client.rights)


def applies(resource: Resource) -> bool:
    """Return whether it opens a way, or gives rights."""
    return is_network_policy(resource) or is_declaration(resource)


def check(resource: Resource) -> Iterator[Finding]:
    """Find ways to the broker for others, ways to other ports of it, and rights that nobody declared."""
    if is_declaration(resource):
        yield from _rights(resource)
        return
    namespace = known(partial(text, resource.props, "metadata", "namespace"))
    if not in_its_namespace(resource, namespace):
        return
    for at, rule in enumerate(nodes(resource.props, "spec", "ingress")):
        place = f"spec.ingress[{at}]"
        ports = [whole_number(port, "port", default=0) for port in nodes(rule, "ports")]
        if ports != [BROKER_PORT]:
            yield violation(f"{place}.ports: {', '.join(map(str, ports)) or 'all'}", f"{BROKER_PORT} alone")
        peers = nodes(rule, "from")
        if not peers:
            yield violation(f"{place} without `from`: anybody", listed(NAMES))
        for number, peer in enumerate(peers):
            yield from _peer(f"{place}.from[{number}]", peer)


def _peer(place: str, peer: Node) -> Iterator[Finding]:
    name = text(mapping(peer, "namespaceSelector", "matchLabels"), NAMESPACE_NAME)
    if name not in NAMES:
        yield violation(f"{place}: {name or 'no namespace by its name'}", f"namespaces {listed(NAMES)}")


def _rights(resource: Resource) -> Iterator[Finding]:
    for right in nodes(declared(resource), "rights"):
        if right not in RIGHTS:
            told = " ".join(text(right, key) for key in ("principal", "operation", "kind", "name"))
            yield violation(f"{PLACE}: {told}", "the rights of CLIENTS in shopsphere/estate/event_log.py")


RULE = ResourceRule(
    id="EVT-003",
    name="declared-programs-alone",
    reason="Whoever reads the event log reads what everybody did; whoever writes to it makes figures.",
    severity=Severity.CRITICAL,
    remediation="declare the program as a client in shopsphere/estate/event_log.py, with no more rights than it needs",
    applies=applies,
    check=check,
)
