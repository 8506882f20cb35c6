"""The fence: a firewall table on the site's host that takes every database off the network.

Both directions are dropped: no statement comes in, and no acknowledgement of one that is on its way gets out. It works
without the site's API server and is the first thing an agent puts up when it starts, so that it holds over a reboot.
An opening ends by itself: the kernel forgets the permission at the end of the lease that it was given for, also when
the agent hangs or is gone.
Requires nft and bridged pod traffic that passes the forward hook (net.bridge.bridge-nf-call-iptables=1), as
NetworkPolicy does.
"""

from __future__ import annotations

import math
from typing import Protocol

from shopsphere.foundation.process import CommandError, run

TABLE = "shopsphere_fence"
_SECONDS = 2
_FIRST = -400  # before kube-proxy and the policies


class Fence(Protocol):
    """Takes the databases off the network, and puts them back."""

    def close(self) -> None:
        """Make writing impossible; repeating it is fine."""

    def open(self, seconds: float) -> None:
        """Let clients through for `seconds` from now (infinity: until `close`); a repeated call starts them anew."""


def rules(port: int, *, seconds: float = 0.0) -> str:
    """Return the input of `nft -f` that puts the fence up, also where it is up already; a starting host runs it too.

    Args:
        port: of the databases.
        seconds: for which clients may reach the databases from now on; infinity for no end.
    """
    timeout = "" if math.isinf(seconds) else f" timeout {max(1, round(seconds * 1000))}ms"
    permitted = f"elements = {{ {port}{timeout} }}" if seconds > 0 else ""
    return f"""\
table inet {TABLE} {{}}
delete table inet {TABLE}
table inet {TABLE} {{
    set permitted {{ type inet_service; flags timeout; {permitted}
    }}
    chain forward {{
        type filter hook forward priority {_FIRST}; policy accept;
        tcp dport {port} tcp dport != @permitted drop
        tcp sport {port} tcp sport != @permitted drop
    }}
}}
"""


class FirewallFence:
    """The fence of a site whose pods run on this host.

    Args:
        port: where the database pods listen.
    """

    def __init__(self, port: int) -> None:
        self._port = port

    def close(self) -> None:
        """Drop every packet to and from a database, in one transaction of the kernel."""
        run(["nft", "-f", "-"], stdin=rules(self._port), seconds=_SECONDS)

    def open(self, seconds: float) -> None:
        """Permit the port for `seconds`; the kernel ends the permission."""
        run(["nft", "-f", "-"], stdin=rules(self._port, seconds=seconds), seconds=_SECONDS)

    @staticmethod
    def is_closed() -> bool:
        """Whether the table is there and permits nothing."""
        try:
            return "elements" not in run(["nft", "list", "set", "inet", TABLE, "permitted"], seconds=_SECONDS).stdout
        except CommandError:
            return False
