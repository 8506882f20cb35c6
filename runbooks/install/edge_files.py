"""Files of the door in front of the edge's APIs, for each host that has one of them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from runbooks.install.agent_files import Surroundings
from runbooks.install.files import Brought, HostFiles, InstallationError, Places
from runbooks.install.firewall_files import other_firewall, with_firewall
from runbooks.install.units import HARDENED, KEPT_RUNNING, NO_DEVICES, PYTHON, UNITS, command_line, unit
from shopsphere.edge_door.keys import door_files
from shopsphere.edge_door.plan import DoorPlan, Service, declared_states
from shopsphere.edge_door.refused import REFUSED_FILE
from shopsphere.estate.access import CdnAccess, EdgeAccess
from shopsphere.estate.host_openings import Opening, cdn_openings, dns_openings
from shopsphere.estate.web_address import port_of
from shopsphere.topology import Topology

RIGHTS, DOOR = "shopsphere-edge-rights.service", "shopsphere-edge-door.service"
_FIRST_INNER_PORT = 8091
_CDN_INNER_PORT = 8083
_RUN = Path("/run/shopsphere-door")
"""Where the door's two programs meet; the program of rights makes it."""


def edge_hosts(
    topology: Topology,
    edge: EdgeAccess,
    cdn: CdnAccess,
    cdn_address: str,
    places: Places,
    around: Surroundings | None = None,
) -> list[HostFiles]:
    """Return the files of each host that has APIs of the edge.

    Args:
        topology: with the records that runbooks may write.
        edge: where the authorities are.
        cdn: where the CDN's API is.
        cdn_address: where the CDN answers customers, which also stands for an API of it that is named and not numbered.
        places: on the hosts.
        around: says whether hosts get a firewall, and whom it lets in.

    Raises:
        AccessError: no authority is named.
        InstallationError: the address of an API is not known; for a firewall, also that of name servers or CDN.
    """
    numbers = {each.name: str(each.address) for each in edge.nameservers}
    found: dict[IPv4Address, dict[str, Service]] = {}

    def add(name: str, kind: Literal["dns", "cdn"], url: str, known: str) -> None:
        address = _address(name, url, known)
        beside = found.setdefault(address, {})
        inner = _CDN_INNER_PORT if kind == "cdn" else _FIRST_INNER_PORT + len(beside)
        key = Path(places.settings / "edge" / ("cdn-agent.token" if kind == "cdn" else "dns-api.key"))
        beside[name] = Service(kind=kind, address=address, port=port_of(url), inner_port=inner, key_file=key)

    for each in edge.require_authorities():
        add(each.name, "dns", each.url, numbers.get(each.name, ""))
    if cdn.cdn_url:
        add("cdn", "cdn", cdn.cdn_url, cdn_address)
    hosts = [_host(services, topology, places) for services in found.values()]
    if around is None or not around.firewall:
        return hosts
    texts = [_firewall(services.values(), edge, cdn_address, around) for services in found.values()]
    return [with_firewall(files, text, places) for files, text in zip(hosts, texts, strict=True)]


def _firewall(services: Iterable[Service], edge: EdgeAccess, cdn_address: str, around: Surroundings) -> str:
    """Return the firewall of a host.

    Customers are answered where the stack says, which need not be where the API is. Both are open: behind an address
    that is translated, packets arrive with the host's own. An address of another host changes nothing here.
    """
    own = list(services)
    dns, cdn = ([each.address for each in own if each.kind == kind] for kind in ("dns", "cdn"))
    openings: list[Opening] = []
    if dns:
        openings += dns_openings([*dns, *_name_servers(edge)])
    if cdn:
        openings += cdn_openings([*cdn, _address("the CDN", "", cdn_address, key="shopsphere:cdnAddress")])
    return other_firewall(openings, [each.port for each in own], around.operators, around.let_in)


def _name_servers(edge: EdgeAccess) -> list[IPv4Address]:
    if edge.nameservers:
        return [each.address for each in edge.nameservers]
    raise InstallationError.build(
        "where the name servers answer is not known",
        expected="their addresses in shopsphere:nameservers",
        found="none",
        action="write them into Pulumi.prod.yaml: a firewall without them would shut them off",
    )


def _address(name: str, url: str, known: str, key: str = "") -> IPv4Address:
    for each in (urlsplit(url).hostname or "", known):
        try:
            return IPv4Address(each)
        except ValueError:
            continue
    raise InstallationError.build(
        f"the address of {name} is not known",
        expected=f"a number in {key or 'its URL, or a name server of the same name in shopsphere:nameservers'}",
        found=url or repr(known),
        action="write it into Pulumi.prod.yaml",
    )


def _host(services: dict[str, Service], topology: Topology, places: Places) -> HostFiles:
    folder = places.settings / "edge"
    plan = DoorPlan(
        rights_socket=_RUN / "rights.sock",
        secret_file=Path(folder / "door.secret"),
        refused_file=Path(folder / REFUSED_FILE),
        services=services,
        states=tuple(dict(each) for each in declared_states(topology)),
    )
    keys = [
        Brought(folder / each.name, "root:root", "0600", "`shopsphere edge-door keys` (docs/edge.md)")
        for each in door_files(Path(folder))
    ]
    own = {each.key_file: each.kind for each in services.values()}
    keys += [
        Brought(folder / file.name, "root:root", "0600", f"32 random characters or more, those of the {kind} API here")
        for file, kind in own.items()
    ]
    words = ["edge-door", "write", str(folder / "plan.json"), str(folder), "--environment", "prod"]
    write = " ".join([str(places.repository / ".venv" / "bin" / "shopsphere"), *words])
    written = {
        str(folder / "plan.json"): plan.model_dump_json(by_alias=True, indent=2) + "\n",
        "/etc/tmpfiles.d/shopsphere-edge.conf": "\n".join(
            [f"d {folder} 0700 root root -", *(f"z {each.path} {each.mode} root root -" for each in keys)]
        )
        + "\n",
        f"{UNITS}/{RIGHTS}": _rights_unit(folder / "plan.json", places),
        f"{UNITS}/{DOOR}": _door_unit(str(folder / "haproxy.cfg")),
    }
    inner = ", ".join(f"{name} at 127.0.0.1:{each.inner_port}" for name, each in services.items())
    then = (f"let the APIs listen on loopback: {inner}", f"make haproxy.cfg on the host: {write}")
    return HostFiles(f"edge-{'-'.join(services)}", written, tuple(keys), (RIGHTS, DOOR), then)


def _rights_unit(plan: object, places: Places) -> str:
    """As root without any right of root's: it reads files of root's alone, and gives its socket to HAProxy's group."""
    return unit(
        "ShopSphere: knows who may ask what of the edge's APIs",
        {"After": "network.target", "AssertPathExists": str(plan)},
        {
            "ExecStart": command_line([str(places.python), "-m", "shopsphere.edge_door.server", str(plan)]),
            "WorkingDirectory": str(places.repository),
            **PYTHON,
            **KEPT_RUNNING,
            "CapabilityBoundingSet": "",
            "SupplementaryGroups": "haproxy",
            "RuntimeDirectory": _RUN.name,
            "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
            "MemoryMax": "512M",
            **NO_DEVICES,
            **HARDENED,
        },
    )


def _door_unit(configuration: str) -> str:
    return unit(
        "ShopSphere: TLS with client certificates in front of the edge's APIs",
        {
            "Wants": "network-online.target",
            "After": f"network-online.target {RIGHTS}",
            "AssertPathExists": configuration,
        },
        {
            "ExecStartPre": f"/usr/sbin/haproxy -c -q -f {configuration}",
            "ExecStart": f"/usr/sbin/haproxy -db -f {configuration}",
            **KEPT_RUNNING,
            # It reads keys as root, then becomes the user haproxy.
            "CapabilityBoundingSet": "CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID",
            "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
            **NO_DEVICES,
            **HARDENED,
        },
    )
