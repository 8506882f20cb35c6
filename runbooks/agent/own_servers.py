"""PostgreSQL servers that run on this host, by their pods, as the kernel says it and not the site's API.

An API forgets a pod that was deleted by force while its node's kubelet was away; its server goes on taking writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROCESSES = Path("/proc")
_SERVER = "postgres"
_POD = re.compile(r"pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})")
"""A pod's identity in the name of its control group; systemd's names have no hyphens."""


def pods_with_servers(processes: Path = PROCESSES) -> frozenset[str]:
    """Return the identity of each pod in which PostgreSQL runs on this host.

    Args:
        processes: where the kernel shows them.

    Raises:
        OSError: they are not shown; one that ends meanwhile is left out.
    """
    return frozenset(found for each in processes.iterdir() if each.name.isdigit() for found in _pod_of(each))


def _pod_of(process: Path) -> Iterator[str]:
    with suppress(FileNotFoundError, ProcessLookupError):
        if (process / "comm").read_text().strip() == _SERVER:
            for found in _POD.findall((process / "cgroup").read_text()):
                yield found.replace("_", "-")
