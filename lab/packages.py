"""Debian packages that the lab runs on: what is missing, and how it is installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

from lab.no_service_start import disable_units, services_forbidden
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import cache_directory
from shopsphere.foundation.process import CommandError, run
from shopsphere.foundation.progress import say, step

# name → what it is for; a name that another package also provides (Docker's containerd.io) counts as there.
CLUSTER_PACKAGES = {
    "containerd": "runs the pods of every site",
    "runc": "starts containers; crun refuses hybrid cgroups",
    "containernetworking-plugins": "bridge, host-local and portmap for pod networks",
    "iptables": "firewall of kube-router",
    "ipset": "address sets of kube-router",
    "nftables": "kube-proxy's backend",
    "conntrack": "kube-proxy forgets connections of removed pods",
    "kmod": "loads overlay and bridge modules where the kernel has them as modules",
    "mmdebstrap": "root file systems of our images",
    "iproute2": "interfaces and routes",
    "iputils-ping": "measures the WAN",
    "util-linux": "unshare and nsenter",
    "procps": "process lists of a host",
    "curl": "clients of the shop",
    "openssl": "looks at certificates",
    "age": "encrypts backups, and opens them again",
    "ca-certificates": "downloads from package archives",
    "bind9-dnsutils": "asks the edge's name servers",
    "postgresql-client-15": "psql into a site's databases",
}
INSTALL_SECONDS = 1800


class PackagesError(ShopSphereError):
    """System packages are missing and cannot be installed."""


def wanted_packages() -> list[str]:
    """All packages of clusters and edge, in order of name."""
    from lab.edge.packages import PACKAGES as EDGE_PACKAGES  # noqa: PLC0415 - image builds need no edge
    from lab.host_firewall import PACKAGES as FIREWALL_PACKAGES  # noqa: PLC0415 - as above

    return sorted({*CLUSTER_PACKAGES, *EDGE_PACKAGES, *FIREWALL_PACKAGES})


def installed_names(status: str) -> set[str]:
    """Read dpkg-query's lines `ok installed|name|provides`: names of installed packages and what they provide."""
    names: set[str] = set()
    for line in status.splitlines():
        state, name, provides = line.split("|", 2)
        if state.endswith("ok installed"):
            names.add(name)
            names.update(item.split("(")[0].strip() for item in provides.split(",") if item.strip())
    return names


def missing_packages(wanted: Iterable[str]) -> list[str]:
    """Those of `wanted` that are not installed; a few milliseconds when all is there."""
    query = run(["dpkg-query", "--show", "--showformat=${Status}|${Package}|${Provides}\n"], seconds=60)
    have = installed_names(query.stdout)
    return [name for name in wanted if name not in have]


def ensure_packages(wanted: Iterable[str] | None = None) -> list[str]:
    """Install what is missing and return its names; do nothing when all is there.

    Raises:
        PackagesError: no apt, not root, or apt could not install them.
    """
    missing = missing_packages(wanted_packages() if wanted is None else wanted)
    if not missing:
        return []
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise PackagesError.build(
            "system packages are missing and cannot be installed",
            expected="root on Debian 12 with apt-get",
            found=f"user id {os.geteuid()}, apt-get at {shutil.which('apt-get')}",
            action=f"as root: apt-get install --no-install-recommends {' '.join(missing)}",
        )
    say(f"installing {len(missing)} system packages: {' '.join(missing)}")
    with services_forbidden():
        install(missing)
    disable_units(missing)
    return missing


def install(names: list[str]) -> None:
    """Run apt; never removes a package of the owner's."""
    noninteractive = {"DEBIAN_FRONTEND": "noninteractive", "DEBCONF_NONINTERACTIVE_SEEN": "true"}
    log = cache_directory() / "logs" / "system-packages.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    apt = ["apt-get", "--option", "DPkg::Lock::Timeout=300", "--yes"]
    try:
        with step("system packages: finish what an interrupted installation left"):
            run(["dpkg", "--configure", "-a"], env=noninteractive, seconds=INSTALL_SECONDS, log=log)
        with step("system packages: apt-get update"):
            # One of the owner's archives may be down: if it was needed, the installation below fails and says so.
            run([*apt, "update"], env=noninteractive, check=False, seconds=300, log=log)
        with step(f"system packages: install {len(names)}"):
            options = ["--no-install-recommends", "--no-remove", "--option", "Dpkg::Options::=--force-confold"]
            run([*apt, "install", *options, *names], env=noninteractive, seconds=INSTALL_SECONDS, log=log)
    except CommandError as error:
        raise PackagesError(f"system packages could not be installed; whole log: {log}\n{error}") from error
