"""A port of loopback for a program that a test starts: free now, and still free when the program asks for it."""

from __future__ import annotations

import os
import random
import socket
from contextlib import suppress

OUR_PORTS = range(20000, 30000)
"""Below those that the kernel gives to outgoing connections: one of these would keep a program from starting."""
SHARES = 8
"""Processes of tests side by side, each with ports of its own: what one has chosen no other one takes meanwhile."""
_GIVEN: set[int] = set()


def own_ports(worker: str) -> range:
    """Return the ports of one process of tests.

    Args:
        worker: its name as pytest-xdist gives it, "gw3"; empty where tests run in one process.
    """
    number = int(worker.removeprefix("gw")) % SHARES if worker else 0
    return OUR_PORTS[number::SHARES]


def free_port() -> int:
    """Return a port that nobody uses, and that this process has not given before.

    Raises:
        OSError: a hundred were tried.
    """
    ports = own_ports(os.environ.get("PYTEST_XDIST_WORKER", ""))
    for port in random.SystemRandom().sample(ports, 100):
        if port in _GIVEN:
            continue
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _GIVEN.add(port)
            return port
    raise OSError(f"a hundred ports of {ports} are taken")
