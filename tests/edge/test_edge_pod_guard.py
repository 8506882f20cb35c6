"""The pod guard in a real kernel: a pod, its site's host, and an outside, with policies that come late."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from edge_network import add_namespace, own_network

from shopsphere.estate.host_rules import COMPLIES, guard_of
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.process import run
from shopsphere.topology import load_topology

SITE = load_topology().site("frankfurt")
POD, POD_GATEWAY = str(SITE.pod_network[10]), str(SITE.pod_network[1])
OUTSIDE, OUTSIDE_GATEWAY = "10.97.2.2", "10.97.2.1"
ALLOWED, FORBIDDEN = 8070, 443
POLICIES = f"""
table ip policies {{
    chain forward {{
        type filter hook forward priority 0; policy accept;
        ct state established,related accept
        ip saddr {POD} tcp dport {ALLOWED} meta mark set meta mark or {COMPLIES:#x} accept
        ip saddr {POD} drop
    }}
}}
"""
"""As kube-router writes them for a pod, some time after the pod has begun."""
SERVER = f"""
import selectors, socket
ready = selectors.DefaultSelector()
for port in ({ALLOWED}, {FORBIDDEN}):
    ready.register(socket.create_server(("0.0.0.0", port)), selectors.EVENT_READ, "server")
while True:
    for key, _ in ready.select():
        if key.data == "server":
            ready.register(key.fileobj.accept()[0], selectors.EVENT_READ, "client")
        elif data := key.fileobj.recv(100):
            key.fileobj.sendall(data)
        else:
            ready.unregister(key.fileobj)
            key.fileobj.close()
"""
CLIENT = """
import socket, sys
client = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3]))
for line in sys.stdin:
    client.sendall(line.encode())
    print(client.recv(100).decode().strip(), flush=True)
"""


@pytest.fixture
def pod() -> Iterator[str]:
    """Name of the pod's namespace; this one is its site's host, and has the guard."""
    names = [f"ssg{os.getpid()}{end}" for end in ("pod", "out")]
    with own_network([]):
        for name, address, gateway in zip(names, (POD, OUTSIDE), (POD_GATEWAY, OUTSIDE_GATEWAY), strict=True):
            add_namespace(name)
            run(["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name])
            run(["ip", "address", "add", f"{gateway}/24", "dev", name])
            run(["ip", "link", "set", name, "up"])
            for words in (
                ["address", "add", f"{address}/24", "dev", "eth0"],
                ["link", "set", "eth0", "up"],
                ["route", "add", "default", "via", gateway],
            ):
                run(["ip", "netns", "exec", name, "ip", *words])
        run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
        servers = [subprocess.Popen(["ip", "netns", "exec", name, sys.executable, "-c", SERVER]) for name in names]
        try:
            for name, address in zip(names, (OUTSIDE, POD), strict=True):
                wait_until(partial(reached, name, address, ALLOWED), what="the servers", seconds=60)
            run(["nft", "-f", "-"], stdin=guard_of(SITE).text())
            yield names[0]
        finally:
            for server in servers:
                server.kill()
                server.wait(10)
            for name in names:
                run(["ip", "netns", "del", name])


@contextmanager
def connection(pod: str, address: str, port: int, *, seconds: float) -> Iterator["subprocess.Popen[str]"]:
    """A connection that is tried for so long, and then kept."""
    words = ["ip", "netns", "exec", pod, sys.executable, "-c", CLIENT, address, str(port), str(seconds)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def shut(namespace: str, address: str, port: int) -> bool:
    """Whether nothing comes of the first packets."""
    return not reached(namespace, address, port, seconds=0.5)


def says(process: "subprocess.Popen[str]", text: str) -> str:
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{text}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def reached(namespace: str, address: str, port: int, *, seconds: float = 20) -> bool:
    """Whether an answer comes; a machine that is busy with other tests has time for it."""
    with connection(namespace, address, port, seconds=seconds) as process:
        try:
            return says(process, "hello") == "hello"
        except BrokenPipeError:
            return False


@pytest.mark.requirement("a pod reaches no other site from its first packet on, though its policies come late")
def test_nothing_leaves_before_the_policies(pod: str) -> None:
    assert shut(pod, OUTSIDE, FORBIDDEN)
    assert shut(pod, OUTSIDE, ALLOWED)
    run(["nft", "-f", "-"], stdin=POLICIES)
    assert reached(pod, OUTSIDE, ALLOWED)
    assert shut(pod, OUTSIDE, FORBIDDEN)


@pytest.mark.requirement("a pod that starts early waits for its policies and does not fail")
def test_an_early_connection_waits_for_the_policies(pod: str) -> None:
    with connection(pod, OUTSIDE, ALLOWED, seconds=40) as early:
        run(["nft", "-f", "-"], stdin=POLICIES)
        assert says(early, "hello") == "hello"


def test_what_policies_let_through_goes_on_while_they_are_written_anew(pod: str) -> None:
    run(["nft", "-f", "-"], stdin=POLICIES)
    with connection(pod, OUTSIDE, ALLOWED, seconds=40) as kept:
        assert says(kept, "one") == "one"
        run(["nft", "delete", "table", "ip", "policies"])
        assert says(kept, "two") == "two"
        assert shut(pod, OUTSIDE, ALLOWED), "a new one has to be judged"


def test_the_guard_is_about_what_leaves_alone(pod: str) -> None:
    outside = pod.removesuffix("pod") + "out"
    assert reached(outside, POD, ALLOWED), "customers come in; their policies are kube-router's"


def test_it_can_be_put_up_again(pod: str) -> None:
    run(["nft", "-f", "-"], stdin=guard_of(SITE).text())
    assert shut(pod, OUTSIDE, FORBIDDEN)
