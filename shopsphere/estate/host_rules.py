"""What the hosts of a site enforce with nftables: the fence of its databases, and the guard of its pods.

Hosts and agents load these tables, and `shopsphere drift` compares the kernel's with them.

The fence takes every database off the network. Both directions are dropped: no statement comes in, and no
acknowledgement of one that is on its way gets out. Which ports are permitted is run time: an element of a set that the
kernel forgets by itself (`runbooks/agent/fence.py`). A further node of a site has a second one, which shuts the way of
its databases to the pair's other site.

The guard keeps a pod from reaching anything outside its cluster before policies have judged it. kube-router writes a
pod's rules some tenths of a second after the pod got its address. Until then nothing stands in its way, and a
connection made meanwhile would last. Its rules mark each new connection that they let through, so the host drops what
leaves the pods' network without that mark. A packet that is dropped here is sent again by its pod's kernel after a
second, and by then the rules are there: an early start costs a second, not a failure. It fails closed: while
kube-router has not yet run since the host has power, no pod reaches the outside.
Requires kube-router's mark for traffic that complies with policies (0x20000, pkg/controllers/netpol of v2.1.0).
"""

from __future__ import annotations

import math
from collections.abc import Collection
from ipaddress import IPv4Network, collapse_addresses

from shopsphere.estate.databases import REPLICATION_PORTS
from shopsphere.estate.nftables import ACCEPT, DROP, Chain, NamedSet, Rule, Table, match, payload
from shopsphere.topology import Site

FENCE_TABLE = "shopsphere_fence"
PEER_FENCE_TABLE = "shopsphere_peer_fence"
"""On further nodes: keeps databases there from receiving from the pair's other site, so that they confirm nothing."""
PERMITTED = "permitted"
"""The fence's set of ports that clients reach."""
GUARD_TABLE = "shopsphere_pod_guard"
COMPLIES = 0x20000
"""kube-router: "set mark to ACCEPT traffic that comply to network policies"."""
_FIRST = -400  # before kube-proxy and the policies
_AFTER_POLICIES = 50  # kube-router's chains are at 0


def fence(*ports: int, name: str = FENCE_TABLE) -> Table:
    """Return a fence of the databases that listen on these ports, or ask for them at the other site."""

    def closed(port: int, field: str) -> Rule:
        place = payload("tcp", field)
        return match(place, "==", port), match(place, "!=", f"@{PERMITTED}"), DROP

    chain = Chain("forward", "forward", _FIRST, tuple(closed(port, to) for port in ports for to in ("dport", "sport")))
    return Table("inet", name, (chain,), (NamedSet(PERMITTED, "inet_service", ("timeout",)),))


def peer_fence() -> Table:
    """Return the fence between the databases of a further node and the pair's other site."""
    return fence(*REPLICATION_PORTS, name=PEER_FENCE_TABLE)


def first_rules(port: int, *, further: bool) -> str:
    """Return what a host of a pair's site starts with: closed fences.

    Args:
        port: of the databases.
        further: whether it is a further node of a site of several nodes.
    """
    return fence_text(port) + (peer_fence().text() if further else "")


def fence_text(*ports: int, seconds: float = 0.0, name: str = FENCE_TABLE, but: Collection[int] = ()) -> str:
    """Return the input of `nft -f` that puts the fence up, also where it is up already; a starting host runs it too.

    Args:
        ports: of the databases.
        seconds: for which they are reached from now on; infinity for no end.
        name: of the table.
        but: those of the ports that are not reached.
    """
    timeout = "" if math.isinf(seconds) else f" timeout {max(1, round(seconds * 1000))}ms"
    opened = ", ".join(f"{port}{timeout}" for port in ports if port not in but)
    return fence(*ports, name=name).text({PERMITTED: opened} if seconds > 0 and opened else {})


def guard(pods: IPv4Network, services: IPv4Network) -> Table:
    """Return the guard of a cluster's pods.

    Args:
        pods: the network of the pods.
        services: the network of the services' addresses.
    """
    inside = [_prefix(each) for each in collapse_addresses((pods, services))]  # the kernel joins neighbours too
    mark = {"&": [{"meta": {"key": "mark"}}, COMPLIES]}
    rules: tuple[Rule, ...] = (
        (match(payload("ip", "saddr"), "!=", _prefix(pods)), ACCEPT),
        (match(payload("ip", "daddr"), "==", {"set": inside}), ACCEPT),
        (match({"ct": {"key": "state"}}, "in", ["established", "related"]), ACCEPT),
        (match(mark, "==", COMPLIES), ACCEPT),
        (DROP,),
    )
    return Table("ip", GUARD_TABLE, (Chain("forward", "forward", _AFTER_POLICIES, rules),))


def guard_of(site: Site) -> Table:
    """Return the guard of a site's pods; a starting host loads its text."""
    return guard(site.pod_network, site.service_network)


def _prefix(network: IPv4Network) -> dict[str, object]:
    return {"prefix": {"addr": str(network.network_address), "len": network.prefixlen}}
