"""The fence in a real kernel, between two hosts and a router of this test's own."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from edge_network import add_namespace, own_network

from runbooks.agent.fence import FirewallFence
from shopsphere.estate.host_rules import FENCE_TABLE, PERMITTED, fence_text
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.process import Result, run

PORT = 15432
SERVER = f"""
import socket
server = socket.create_server(("0.0.0.0", {PORT}))
while True:
    connection, _ = server.accept()
    while data := connection.recv(100):
        connection.sendall(data)
"""


class Database:
    """The server as its client sees it.

    Args:
        echo: sends a text, and returns what comes back within so many seconds.
    """

    def __init__(self, echo: Callable[[str, float], str]) -> None:
        self._echo = echo

    def answers(self, *, seconds: float = 20) -> bool:
        """Whether it does, on a machine that may be busy with other tests."""
        return self._echo("hello", seconds) == "hello"

    def is_silent(self) -> bool:
        return self._echo("hello", 1) == "no answer"


@pytest.fixture
def database() -> Iterator[Database]:
    """A server behind this namespace, which routes between it and a client; it listens."""
    names = [f"ssf{os.getpid()}{end}" for end in "ab"]
    with own_network([]):
        for name, address in zip(names, ("10.96.1", "10.96.2"), strict=True):
            run(["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", add_namespace(name)])
            run(["ip", "address", "add", f"{address}.1/24", "dev", name])
            run(["ip", "link", "set", name, "up"])
            _inside(name, "ip", "address", "add", f"{address}.2/24", "dev", "eth0")
            _inside(name, "ip", "link", "set", "eth0", "up")
            _inside(name, "ip", "route", "add", "default", "via", f"{address}.1")
        run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
        server = subprocess.Popen(["ip", "netns", "exec", names[0], sys.executable, "-c", SERVER])
        try:
            found = Database(partial(_echo, names[1]))
            wait_until(lambda: found.answers(seconds=1), what="the server", seconds=60, interval=0.1)
            yield found
        finally:
            server.kill()
            server.wait(10)
            for name in names:
                run(["ip", "netns", "del", name])


def _inside(name: str, *words: str) -> Result:
    return run(["ip", "netns", "exec", name, *words])


CLIENT = f"""
import socket, sys
with socket.create_connection(("10.96.1.2", {PORT}), timeout=float(sys.argv[2])) as client:
    client.sendall(sys.argv[1].encode())
    print(client.recv(100).decode())
"""


def _echo(name: str, text: str, seconds: float) -> str:
    words = ["ip", "netns", "exec", name, sys.executable, "-c", CLIENT, text, str(seconds)]
    done = run(words, check=False, seconds=seconds + 60)
    return done.stdout.strip() if done.code == 0 else "no answer"


@pytest.mark.requirement("a fenced site's databases are reached by nobody; closing and opening can be repeated")
def test_the_fence(database: Database) -> None:
    fence = FirewallFence(PORT)
    assert not fence.is_closed()
    for _ in range(2):
        fence.close()
        assert fence.is_closed()
        assert database.is_silent()
    for _ in range(2):
        fence.open(math.inf)
        assert not fence.is_closed()
        assert database.answers()


@pytest.mark.requirement("a site whose agent hangs is shut off by its kernel when the lease ends")
def test_an_opening_ends_by_itself(database: Database) -> None:
    fence = FirewallFence(PORT)
    fence.open(300)
    assert database.answers()
    fence.open(600)
    assert _seconds_left() > 300, "opening anew begins anew"
    assert database.answers()
    began = time.monotonic()
    fence.open(3.0)
    wait_until(fence.is_closed, what="the end of the opening", seconds=60, interval=0.05)
    assert time.monotonic() - began > 2.9
    assert database.is_silent()


def test_a_host_can_start_with_it(database: Database) -> None:
    run(["nft", "-f", "-"], stdin=fence_text(PORT))
    assert database.is_silent()
    assert FirewallFence(PORT).is_closed()


def test_other_ports_are_left_alone(database: Database) -> None:
    FirewallFence(PORT + 1).close()
    assert database.answers()


def _seconds_left() -> float:
    """Return for how long the kernel still permits the port."""
    listed = json.loads(run(["nft", "-j", "list", "set", "inet", FENCE_TABLE, PERMITTED]).stdout)["nftables"]
    (permitted,) = next(each["set"]["elem"] for each in listed if "set" in each)
    return float(permitted["elem"]["expires"])
