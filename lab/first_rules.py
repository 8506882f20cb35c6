"""Rules that a host has before all else: init loads them at power on, and a host that is on gets them here."""

from __future__ import annotations

from pathlib import Path

from lab.enter import run_inside
from lab.host_firewall import FILE
from lab.paths import disk_directory
from shopsphere.estate.host_firewall import FIREWALL_TABLE

FILES = ("fence.nft", "pod-guard.nft")
"""As lab/host/init.sh loads them: a site starts shut off, and no pod reaches the outside before its policies."""


def load_missing(host: str) -> list[str]:
    """Load each table that the host's disk has a file of and its kernel does not; return their names.

    A host that was a voter of a witness alone becomes a site while it is on. A table that is there stays as it is: the
    fence of a site that takes writes is open.
    """
    loaded = []
    for file in (disk_directory(host) / name for name in FILES):
        if file.exists():
            table = _table(file)
            if run_inside(host, ["nft", "list", *table], check=False).code:
                run_inside(host, ["nft", "-f", str(file)])
                loaded.append(" ".join(table))
    return loaded


def load_firewall(host: str) -> None:
    """Load the firewall of a host that is on as it is declared now, or take it away where none is declared.

    One transaction replaces the table, so no packet finds the host without it. Connections that are there stay, since
    the kernel knows them where rules have asked for their state before; those of name servers and CDN are not tracked,
    and no packet of theirs is asked for its state. Counters begin at 0, and noisy sources are unknown again.
    """
    file = disk_directory(host) / FILE
    if file.exists():
        run_inside(host, ["nft", "-c", "-f", str(file)])
        run_inside(host, ["nft", "-f", str(file)])
    else:
        run_inside(host, ["nft", "delete", "table", "inet", FIREWALL_TABLE], check=False)


def _table(file: Path) -> list[str]:
    """Return the words that name the table of a file: `table`, family, name; its first line makes it."""
    return file.read_text().splitlines()[0].split()[:3]
