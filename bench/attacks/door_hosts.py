"""Each host as a stranger sees it: which ports take a connection, over IPv4 and IPv6."""

from __future__ import annotations

from collections.abc import Iterator

from attacked import HostFacts, Scene
from attempt import CLIENT, DESK, Attempt, Control, attempt, tcp

from lab.edge.components import EDGE_HOST, lab_settings
from lab.hosts import PSP_PORT, archive_host
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.estate.witness_seats import ports, seats
from shopsphere.topology import ARCHIVE_PORT

OF_SITES = frozenset({80, 443, 8443})
"""Customers, and the CDN, which shows a certificate. By hand, as docs/production.md has it in words."""
OF_NAMES, OF_CDN, NOTHING = frozenset({53}), frozenset({80, 443}), frozenset[int]()
COMMON = (
    *range(1, 1025),
    2379,
    2380,
    2480,
    2481,
    2490,
    2491,
    2500,
    2501,
    4194,
    5432,
    6082,
    6443,
    8000,
    8001,
    8070,
    8080,
    8081,
    8082,
    8083,
    8091,
    8092,
    8405,
    8443,
    8444,
    9100,
    9187,
    9469,
    *range(10247, 10260),
    30032,
    30033,
)
"""What is tried of each host beside the ports at which something listens there."""


def ports_of(host: HostFacts, *, every: bool) -> list[int]:
    """Return which ports of a host are tried."""
    return list(range(1, 65536)) if every else sorted({*COMMON, *host.listens})


def declared(scene: Scene, host: HostFacts, address: str) -> frozenset[int]:
    """Return what customers may reach at an address of a host."""
    settings = lab_settings()
    names = {settings.resolver, *settings.authorities.values()}
    if host.name == EDGE_HOST:
        return OF_NAMES if address in names else OF_CDN
    of_pairs = {
        str(each)
        for pair in scene.topology.pairs.values()
        for site in pair.sites
        for each in scene.topology.site(site).addresses
    }
    return OF_SITES if address in of_pairs else NOTHING


def attempts(scene: Scene, *, every_port: bool = False) -> Iterator[Attempt]:
    """Yield a scan of each address of each host, from a customer's host."""
    for host in scene.hosts:
        control = alive(scene, host)
        for address in host.addresses:
            scan = {"scan": [address, ports_of(host, every=every_port)]}
            yield attempt(
                "hosts",
                f"find open ports of {host.name} at {address}",
                CLIENT,
                [scan],
                ports=declared(scene, host, address),
                control=control,
            )
        for address in host.ipv6:
            place = f"{address}%eth0" if address.startswith("fe80:") else address
            scan = {"scan": [place, ports_of(host, every=every_port)]}
            yield attempt(
                "hosts", f"find open ports of {host.name} at {address}", CLIENT, [scan], ports=NOTHING, control=control
            )


def alive(scene: Scene, host: HostFacts) -> Control:
    """Return what operators are answered by at the same host: it is on, and its ports are not closed to everybody."""
    settings, pair = lab_settings(), scene.pair
    if host.name == EDGE_HOST:
        port, addresses = settings.dns_api_port, (next(iter(settings.authorities.values())),)
        return Control(DESK, tuple(tcp(each, port, "16030100") for each in addresses), _SPOKEN)
    nodes = {each for site in pair.sites for each in scene.topology.site(site).nodes}
    if host.name in nodes:
        port = SITE_AGENT_PORT
    elif host.name in seats(pair, scene.topology):
        port = ports(pair, scene.topology)[0]
    else:
        port = ARCHIVE_PORT if host.name == archive_host(pair.jurisdiction) else PSP_PORT
    return Control(DESK, (tcp(host.addresses[0], port, "16030100"),), _SPOKEN)


_SPOKEN = r"^(bytes|closed|reset) "
"""A program took the connection, whatever it says to a few bytes."""
