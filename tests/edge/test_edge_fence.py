"""The fence in a real kernel, between two hosts and a router of this test's own."""

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from edge_network import own_network

from runbooks.agent.fence import FirewallFence
from shopsphere.estate.host_rules import fence_text
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


@pytest.fixture
def database() -> Iterator[Callable[[str], str]]:
    """A server behind this namespace, which routes between it and a client; yields a connected client socket."""
    names = [f"ssf{os.getpid()}{end}" for end in "ab"]
    with own_network([]):
        for name, address in zip(names, ("10.96.1", "10.96.2"), strict=True):
            run(["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", _namespace(name)])
            run(["ip", "address", "add", f"{address}.1/24", "dev", name])
            run(["ip", "link", "set", name, "up"])
            _inside(name, "ip", "address", "add", f"{address}.2/24", "dev", "eth0")
            _inside(name, "ip", "link", "set", "eth0", "up")
            _inside(name, "ip", "route", "add", "default", "via", f"{address}.1")
        run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
        server = subprocess.Popen(["ip", "netns", "exec", names[0], sys.executable, "-c", SERVER])
        try:
            yield lambda text: _echo(names[1], text)
        finally:
            server.kill()
            server.wait(10)
            for name in names:
                run(["ip", "netns", "del", name])


def _namespace(name: str) -> str:
    run(["ip", "netns", "add", name])
    return name


def _inside(name: str, *words: str) -> Result:
    return run(["ip", "netns", "exec", name, *words])


CLIENT = f"""
import socket, sys
with socket.create_connection(("10.96.1.2", {PORT}), timeout=1) as client:
    client.sendall(sys.argv[1].encode())
    print(client.recv(100).decode())
"""


def _echo(name: str, text: str) -> str:
    done = run(["ip", "netns", "exec", name, sys.executable, "-c", CLIENT, text], check=False)
    return done.stdout.strip() if done.code == 0 else "no answer"


@pytest.mark.requirement("a fenced site's databases are reached by nobody; closing and opening can be repeated")
def test_the_fence(database: Callable[[str], str]) -> None:
    _until_listening(database)
    fence = FirewallFence(PORT)
    assert not fence.is_closed()
    for _ in range(2):
        fence.close()
        assert fence.is_closed()
        assert database("hello") == "no answer"
    for _ in range(2):
        fence.open(math.inf)
        assert not fence.is_closed()
        assert database("hello") == "hello"


@pytest.mark.requirement("a site whose agent hangs is shut off by its kernel when the lease ends")
def test_an_opening_ends_by_itself(database: Callable[[str], str]) -> None:
    _until_listening(database)
    fence = FirewallFence(PORT)
    fence.open(2.0)
    assert database("hello") == "hello"
    fence.open(3.0)
    time.sleep(2.2)
    assert database("hello") == "hello", "opening anew begins anew"
    time.sleep(1.0)
    assert database("hello") == "no answer"
    assert fence.is_closed()


def test_a_host_can_start_with_it(database: Callable[[str], str]) -> None:
    _until_listening(database)
    run(["nft", "-f", "-"], stdin=fence_text(PORT))
    assert database("hello") == "no answer"
    assert FirewallFence(PORT).is_closed()


def test_other_ports_are_left_alone(database: Callable[[str], str]) -> None:
    _until_listening(database)
    FirewallFence(PORT + 1).close()
    assert database("hello") == "hello"


def _until_listening(database: Callable[[str], str]) -> None:
    end = time.monotonic() + 20
    while database("there?") != "there?":
        assert time.monotonic() < end, "the server did not start"
        time.sleep(0.1)
