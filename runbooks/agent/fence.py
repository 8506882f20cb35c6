"""The fence: a firewall table on the site's host that takes every database off the network.

Both directions are dropped: no statement comes in, and no acknowledgement of one that is on its way gets out. It works
without the site's API server and is the first thing an agent puts up when it starts, so that it holds over a reboot.
Requires nft and bridged pod traffic that passes the forward hook (net.bridge.bridge-nf-call-iptables=1), as
NetworkPolicy does.
"""

from __future__ import annotations

from typing import Protocol

from shopsphere.process import CommandError, run

TABLE = "shopsphere_fence"
_SECONDS = 2
_FIRST = -400  # before kube-proxy and the policies


class Fence(Protocol):
    """Takes the databases off the network, and puts them back."""

    def close(self) -> None:
        """Make writing impossible; repeating it is fine."""

    def open(self) -> None:
        """Let clients through; repeating it is fine."""


def rules(port: int) -> str:
    """Return what `nft -f` reads to put the fence up, whether it is up or not; also for a host's own start."""
    return f"""\
table inet {TABLE} {{}}
delete table inet {TABLE}
table inet {TABLE} {{
    chain forward {{
        type filter hook forward priority {_FIRST}; policy accept;
        tcp dport {port} drop
        tcp sport {port} drop
    }}
}}
"""


class FirewallFence:
    """The fence of a site whose pods run on this host.

    Args:
        port: where the database pods listen.
    """

    def __init__(self, port: int) -> None:
        self._rules = rules(port)

    def close(self) -> None:
        """Drop every packet to and from a database, in one transaction of the kernel."""
        run(["nft", "-f", "-"], stdin=self._rules, seconds=_SECONDS)

    def open(self) -> None:
        """Remove the table."""
        run(["nft", "-f", "-"], stdin=f"table inet {TABLE} {{}}\ndelete table inet {TABLE}\n", seconds=_SECONDS)

    @staticmethod
    def is_closed() -> bool:
        """Whether the table is there."""
        try:
            run(["nft", "list", "table", "inet", TABLE], seconds=_SECONDS)
        except CommandError:
            return False
        return True
