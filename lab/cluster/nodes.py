"""The nodes of a site: names, addresses, network of pods and racks of each, and the ways between them.

The first node is the host of the site itself, with the control plane and the site's address. Each further one is a host
of its own: container runtime, kubelet, kube-proxy, kube-router, and an agent with a fence.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import islice

from lab.component import Component
from lab.hosts import Host
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import Site, Topology

MOST_NODES = 4
"""Nodes of a site at most: each costs the machine about half a gigabyte before its first pod."""
_BETWEEN_NODES = 256
"""From the address of a node to that of the next one: sites differ in the last part."""
_POD_PREFIX = 24


class NodesError(ShopSphereError):
    """A number of nodes that a lab cannot have."""


@dataclass(frozen=True)
class LabNode:
    """One node.

    Attributes:
        site: where it is.
        number: 1 for the site's own host.
        name: of its host, and in Kubernetes.
        address: of its host.
    """

    site: Site
    number: int
    name: str
    address: IPv4Address

    @property
    def pods(self) -> IPv4Network:
        """Network of its pods: the one of its number within the site's."""
        return next(islice(self.site.pod_network.subnets(new_prefix=_POD_PREFIX), self.number - 1, None))

    @property
    def racks(self) -> range:
        """Numbers of the racks that it stands for: each rack of the site has one node."""
        count, racks = len(self.site.addresses), self.site.racks
        return range((self.number - 1) * racks // count + 1, self.number * racks // count + 1)

    @property
    def has_others(self) -> bool:
        """Whether its site has further nodes."""
        return bool(self.site.further_nodes)


def nodes_of(site: Site) -> tuple[LabNode, ...]:
    """Return the nodes of a site, its own host first."""
    places = zip(site.nodes, site.addresses, strict=True)
    return tuple(LabNode(site, number, name, address) for number, (name, address) in enumerate(places, 1))


def node_of(host: Host, topology: Topology) -> LabNode:
    """Return which node a host is; it has to be one."""
    site = topology.site(host.near.site if host.near else host.name)
    return next(node for node in nodes_of(site) if node.address == host.address)


def further_nodes(topology: Topology, count: int) -> dict[str, list[dict[str, str]]]:
    """Return the further nodes of each site in a lab whose sites have `count` nodes, as topology.lab.yaml has them.

    A site has no more nodes than racks.

    Raises:
        NodesError: it is more than the machine could run.
    """
    if not 1 <= count <= MOST_NODES:
        raise NodesError.build(
            f"sites of {count} nodes cannot be started",
            expected=f"1 to {MOST_NODES}",
            found=str(count),
            action="choose another number with --nodes",
        )
    return {
        name: [
            {"name": f"{name}-{number}", "address": str(site.address + _BETWEEN_NODES * (number - 1))}
            for number in range(2, min(count, site.racks) + 1)
        ]
        for name, site in topology.sites.items()
    }


def pod_routes(node: LabNode, path: str) -> Component:
    """Return the program that keeps the ways from a node to the pods of the others.

    It repeats itself: the routes go with the interface when the WAN starts anew. Pods leave the cluster with the
    address of their node, as those of a single node do by the bridge's own rule; that rule would hide from the policies
    of another node which pod it is, so here it spares the whole network of the site's pods.
    """
    ways = [
        f"ip route replace {other.pods} via {other.address} dev eth0"
        for other in nodes_of(node.site)
        if other.number != node.number
    ]
    rule = f"POSTROUTING -s {node.pods} ! -d {node.site.pod_network} -j MASQUERADE"
    hide = f"iptables -w -t nat -C {rule} 2> /dev/null || iptables -w -t nat -A {rule}"
    return Component(
        "pod-routes",
        ("sh", "-c", f"while :; do {'; '.join([*ways, hide])}; sleep 2; done"),
        {"PATH": path},
        priority=12,
    )
