"""Where things are: the checkout, the tool cache, the lab's state."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TOPOLOGY_FILE = REPOSITORY / "topology.yaml"
STACKS = REPOSITORY / "stacks"
LAB_VARIABLE = "SHOPSPHERE_LAB"
DEFAULT_LAB = Path("/var/lib/shopsphere")


def cache_directory() -> Path:
    """Tools and images that are built once per machine (`SHOPSPHERE_CACHE`, else the user's cache folder)."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "shopsphere"
    return Path(os.environ.get("SHOPSPHERE_CACHE", default))


def lab_directory() -> Path:
    """Disks, logs, certificates and Pulumi state of the lab (`SHOPSPHERE_LAB`, else /var/lib/shopsphere)."""
    return Path(os.environ.get(LAB_VARIABLE) or DEFAULT_LAB)


def fault_log_directory() -> Path:
    """Where the command keeps the details of its own faults (`XDG_STATE_HOME`, else ~/.local/state)."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "shopsphere" / "log"


def tools_directory() -> Path:
    """The programs that `shopsphere lab tools` built."""
    return cache_directory() / "tools" / "bin"
