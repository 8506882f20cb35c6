"""Files of a host's firewall: the rules, the program that writes down what was refused, and their units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path, PurePosixPath

from runbooks.install.files import Brought, HostFiles, Places
from runbooks.install.units import HARDENED, KEPT_RUNNING, NO_DEVICES, ONCE, RULES_ALONE, UNITS, unit
from shopsphere.estate.host_firewall import FIREWALL_TABLE, LetIn, firewall, firewall_of, firewall_text, let_in_each
from shopsphere.estate.host_openings import (
    KUBELET_PORT,
    SSH_PORT,
    Opening,
    SitePorts,
    operators_ports,
)
from shopsphere.estate.refusal_log import ULOGD, Output, ulogd_configuration
from shopsphere.topology import Site, Topology

FIREWALL, REFUSED = "shopsphere-firewall.service", "shopsphere-refused.service"
NFT = "/usr/sbin/nft"
PACKAGES = {NFT: "nftables", ULOGD: "ulogd2"}
"""Debian's packages by the program that a host needs of them."""
_INSTALL = f"apt-get install {' '.join(PACKAGES.values())}"
FLUSHES = "nftables.service"
Networks = Iterable[IPv4Network]


def firewall_file(places: Places) -> Path:
    """Return where a host's firewall is."""
    return Path(places.settings / "host-firewall.nft")


def site_firewall(
    site: Site,
    topology: Topology,
    *,
    operators: Networks,
    api_servers: Networks,
    let_in: Iterable[LetIn],
    named: SitePorts,
) -> str:
    """Return the firewall of a site's hosts.

    Args:
        site: whose.
        topology: says who belongs where.
        operators: networks of operators' machines.
        api_servers: networks of the site's API servers on other hosts.
        let_in: what else.
        named: ports of the hosts that the site's stack names.
    """
    more = [
        *let_in_each((SSH_PORT, *operators_ports(site, topology, named)), operators),
        *let_in_each((KUBELET_PORT, named.agent), api_servers),
        *let_in,
    ]
    return firewall_text(firewall_of(site, topology, named), more)


def other_firewall(
    openings: Iterable[Opening], ports: Iterable[int], operators: Networks, let_in: Iterable[LetIn]
) -> str:
    """Return the firewall of a host that is of no site.

    Args:
        openings: what is open for others than operators.
        ports: what is open for operators, beside SSH.
        operators: networks of operators' machines.
        let_in: what else.
    """
    return firewall_text(firewall(openings), [*let_in_each((SSH_PORT, *ports), operators), *let_in])


def with_firewall(files: HostFiles, text: str, places: Places) -> HostFiles:
    """Return the files of a host with its firewall among them.

    Args:
        files: of the host without it.
        text: what nft loads.
        places: on the host.
    """
    file, log = firewall_file(places), Path(places.settings / "ulogd.conf")
    written = {
        str(file): text,
        str(log): ulogd_configuration(Output.SYSLOG),
        f"{UNITS}/{FIREWALL}": _firewall_unit(file),
        f"{UNITS}/{REFUSED}": _refused_unit(log),
    }
    then = (
        f"nothing else installs these, and without ulogd2 nobody writes down what was refused: {_INSTALL}",
        f"it says nothing where this host can load the rules: {NFT} -c -f {file}",
        f"stay logged in while the firewall is loaded; `nft delete table inet {FIREWALL_TABLE}` takes it away",
        f"where it was loaded before, and connections that are there stay: systemctl reload {FIREWALL}",
    )
    brought = tuple(
        Brought(PurePosixPath(program), "root:root", "0755", f"Debian's package {package}: {_INSTALL}")
        for program, package in PACKAGES.items()
    )
    return replace(
        files,
        written={**files.written, **written},
        brought=(*files.brought, *brought),
        units=(FIREWALL, REFUSED, *files.units),
        then=(*files.then, *then),
    )


def _firewall_unit(file: Path) -> str:
    """Before the network: no packet finds the host without it.

    Debian's nftables.service flushes all tables when it stops, starts or is loaded again. What happens to it happens to
    this unit, which comes after it, so that the table is back at once.
    """
    return unit(
        "ShopSphere: the host lets in who belongs there",
        {
            "DefaultDependencies": "no",
            "After": f"local-fs.target {FLUSHES} firewalld.service",
            "Before": "network-pre.target",
            "Wants": "network-pre.target",
            "PartOf": FLUSHES,
            "ReloadPropagatedFrom": FLUSHES,
        },
        {
            **ONCE,
            "ExecStartPre": f"{NFT} -c -f {file}",
            "ExecStart": f"{NFT} -f {file}",
            "ExecReload": [f"{NFT} -c -f {file}", f"{NFT} -f {file}"],
            "ExecStop": f"-{NFT} delete table inet {FIREWALL_TABLE}",
            **RULES_ALONE,
        },
        {"WantedBy": f"multi-user.target {FLUSHES}"},
    )


def _refused_unit(configuration: Path) -> str:
    return unit(
        "ShopSphere: writes down which packets the host refused",
        {"After": FIREWALL, "AssertPathExists": str(configuration)},
        {
            "ExecStart": f"{ULOGD} --configfile {configuration}",
            **KEPT_RUNNING,
            "CapabilityBoundingSet": "CAP_NET_ADMIN",
            "RestrictAddressFamilies": "AF_UNIX AF_NETLINK",
            "MemoryMax": "64M",
            **NO_DEVICES,
            **HARDENED,
        },
    )
