"""PostgreSQL servers that run on this host, by their pods, as the kernel says it and not the site's API.

An API forgets a pod that was deleted by force while its node's kubelet was away; its server goes on taking writes.
And an API may be silent: then what PostgreSQL calls its processes says who follows whom. A server has a process that
receives WAL only while it is a standby: before a promotion is over, that process is gone (`ShutdownWalRcv`). One that
sends WAL ends 5 s after its receiver was heard last (`wal_sender_timeout`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")
_SERVER = "postgres"
_POD = re.compile(r"pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})")
"""A pod's identity in the name of its control group; systemd's names have no hyphens."""
_PLACE = r"streaming [0-9A-F]+/[0-9A-F]+"
_RECEIVES = re.compile(rf"postgres: (?:\S+: )?walreceiver(?: {_PLACE})?")
_SENDS = re.compile(rf"postgres: (?:\S+: )?walsender \S+ (\S+)\(\d+\) (?:START_REPLICATION|{_PLACE})")
"""Neither names a place in the WAL before something was written, as seen with PostgreSQL 15."""


@dataclass(frozen=True)
class Server:
    """What the processes of one pod's server show.

    Attributes:
        follows: it receives WAL at this moment, so that it takes no writes.
        followers: addresses from where it is followed.
    """

    follows: bool = False
    followers: frozenset[str] = frozenset()


def servers_here(processes: Path = PROCESSES) -> Mapping[str, Server]:
    """Return the server of each pod on this host in which PostgreSQL runs, by the pod's identity.

    Args:
        processes: where the kernel shows them.

    Raises:
        OSError: they are not shown; one that ends meanwhile is left out.
    """
    found: dict[str, Server] = {}
    for each in processes.iterdir():
        if each.name.isdigit():
            for pod, title in _titles(each):
                known, sends = found.get(pod, Server()), _SENDS.fullmatch(title)
                found[pod] = Server(
                    known.follows or bool(_RECEIVES.fullmatch(title)),
                    known.followers | ({sends[1]} if sends else frozenset()),
                )
    return found


def _titles(process: Path) -> Iterator[tuple[str, str]]:
    """Yield the pod of a process of PostgreSQL, and how it calls itself."""
    with suppress(FileNotFoundError, ProcessLookupError):
        if (process / "comm").read_text().strip() == _SERVER:
            pods, title = _POD.findall((process / "cgroup").read_text()), (process / "cmdline").read_bytes()
            for found in pods:
                yield found.replace("_", "-"), title.replace(b"\0", b" ").decode(errors="replace").strip()
