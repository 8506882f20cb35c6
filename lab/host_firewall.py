"""The firewall of each of the lab's hosts, and the program that writes down what is refused there.

Hosts of customers have none: they are nobody's servers.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from lab.component import Component
from lab.edge.components import lab_settings
from lab.edge.settings import EdgeSettings
from lab.hosts import PSP_PORT, Host, HostKind, archive_host, load_hosts
from lab.paths import disk_directory
from shopsphere.estate.host_firewall import LetIn, firewall, firewall_of, firewall_text, let_in_each
from shopsphere.estate.host_openings import (
    Opening,
    archive_openings,
    cdn_openings,
    dns_openings,
    operators_ports,
    provider_openings,
)
from shopsphere.estate.refusal_log import ULOGD, Output, ulogd_configuration
from shopsphere.foundation.files import write_whole
from shopsphere.topology import ARCHIVE_PORT, Topology

SWITCHED_ON = True
"""Whether hosts have a firewall. The next `lab up` after a change loads it on hosts that are on, or takes it away."""
FILE = "host-firewall.nft"
"""On the disk of a host; init loads it before anything else runs."""
LOG = "refused"
"""Name of the program, and so of its log: `shopsphere lab logs HOST refused`."""
PACKAGES = {"ulogd2": "writes down which packets a host refused"}


def firewall_components(host: Host, topology: Topology) -> list[Component]:
    """Write a host's firewall, and return the program that logs what is refused there."""
    disk = disk_directory(host.name)
    text = host_text(host, topology) if SWITCHED_ON else ""
    if not text:
        (disk / FILE).unlink(missing_ok=True)
        return []
    write_whole(disk / FILE, text)  # a power loss leaves the old one or the new one, and init loads what it finds
    configuration = disk / "ulogd.conf"
    write_whole(configuration, ulogd_configuration(Output.STDOUT))
    return [Component(LOG, (ULOGD, "--configfile", str(configuration)), priority=1)]


def host_text(host: Host, topology: Topology) -> str:
    """Return what nft loads at a host; nothing for one of customers."""
    match host.kind:
        case HostKind.SITE | HostKind.NODE:
            site = topology.site(host.near.site if host.near else host.name)
            operators = _operators(topology, operators_ports(site, topology))
            return firewall_text(firewall_of(site, topology), operators)
        case HostKind.EDGE:
            settings = lab_settings()
            apis = (settings.dns_api_port, settings.cdn_api_port)
            return firewall_text(firewall(_edge(settings)), _operators(topology, apis))
        case HostKind.ARCHIVE:
            owner = next(each for each in topology.jurisdictions.values() if archive_host(each.name) == host.name)
            openings = archive_openings(owner, topology)
            return firewall_text(firewall(openings), _operators(topology, (ARCHIVE_PORT,)))
        case HostKind.PSP:
            openings = provider_openings(PSP_PORT, topology)
            return firewall_text(firewall(openings), _operators(topology, (PSP_PORT,)))
        case HostKind.OBSERVER:
            return ""


def _edge(settings: EdgeSettings) -> list[Opening]:
    """Name servers, resolver and CDN are addresses of one host here."""
    names = [IPv4Address(each) for each in (settings.resolver, *settings.authorities.values())]
    return [*dns_openings(names), *cdn_openings([IPv4Address(settings.cdn)])]


def _operators(topology: Topology, ports: tuple[int, ...]) -> list[LetIn]:
    """Let the machine itself in, from which operators' commands come."""
    return let_in_each(ports, [IPv4Network(load_hosts(topology).workstation.address)])
