"""Where the lab keeps its things."""

from __future__ import annotations

from pathlib import Path

from shopsphere.foundation.paths import lab_directory


def host_directory(host: str) -> Path:
    """Everything of one host: disk/ survives a power loss, run/ does not, log/ is kept."""
    return lab_directory() / "hosts" / host


def disk_directory(host: str) -> Path:
    """What a power loss leaves in place."""
    return host_directory(host) / "disk"


def run_directory(host: str) -> Path:
    """Sockets and process records; made anew at each power-on."""
    return host_directory(host) / "run"


def log_directory(host: str) -> Path:
    """One file per component."""
    return host_directory(host) / "log"


def control_directory() -> Path:
    """The WAN switch and the cloud controller, which belong to no host."""
    return lab_directory() / "control"


def pki_directory() -> Path:
    """The public certificate authority of the lab and what it issued."""
    return lab_directory() / "pki"


def witness_keys_folder(pair: str) -> Path:
    """The keys of a pair's witness, of all its voters and users."""
    return pki_directory() / "witness" / pair


def kubeconfig_path(site: str, role: str = "") -> Path:
    """The kubeconfig of a site's administrator, or of a role, as in `watch`."""
    return lab_directory() / "kubeconfigs" / f"{site}{f'-{role}' if role else ''}.yaml"
