"""Whether the lab's network can be reached from here."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address

from lab.hosts import load_hosts
from shopsphere.topology import load_topology

_ANY_PORT = 9


def is_here() -> bool:
    """Whether this machine, or the host of the lab that this runs at, has an address in the lab's network.

    Nothing is sent: connecting a datagram socket only asks the kernel from where it would.
    """
    hosts = load_hosts(load_topology(environment="lab"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect((str(hosts.workstation.address), _ANY_PORT))
        except OSError:
            return False
        here = asking.getsockname()[0]
    return IPv4Address(here) in hosts.network
