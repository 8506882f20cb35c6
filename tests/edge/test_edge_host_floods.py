"""What a flood from outside can take of a host: no table of connections that is full, and no log that hides others."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from edge_two_hosts import (
    CLOSED,
    FRIEND,
    FRIEND6,
    HERE,
    HERE6,
    NAMES,
    NOBODY,
    STRANGER,
    STRANGER6,
    TRACKED,
    WEB,
    Two,
)

from shopsphere.estate.host_firewall import FIREWALL_TABLE
from shopsphere.foundation.clock import wait_until


@pytest.mark.requirement("a flood of questions to name servers or CDN shuts nothing else off")
def test_no_question_and_no_customer_takes_a_place_in_the_table_of_connections(two: Two) -> None:
    customers = f"""
import socket
for _ in range(300):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(20)
        line.connect(("{HERE}", {NAMES}))
        line.send(b"question")
        assert line.recv(64) == b"answer"
lines = [socket.create_connection(("{HERE}", {WEB}), 20) for _ in range(50)]
print("all were answered")
"""
    assert two.at_the_other(customers) == "all were answered\n"
    assert two.tracked() == 0
    assert two.ask(HERE, NAMES, "udp", at=two.host)[0] == "answers"
    assert two.tracked() == 0, "nor does the host's own resolver"
    others = f"""
import socket
lines = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(30)]
for line in lines:  # all are kept: the kernel may give the port of one that is closed to the next one
    line.sendto(b"question", ("{HERE}", {TRACKED}))
"""
    two.at_the_other(others)
    assert two.tracked() == 30, "the number tells what is tracked"


@pytest.mark.requirement("a flood of pings shuts nothing else off")
def test_pings_take_a_bounded_part_of_the_table_of_connections(two: Two) -> None:
    pings = f"""
import socket, struct
line = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
for own in range(1, 3001):
    total = 0x0800 + own
    line.sendto(struct.pack(">BBHHH", 8, 0, 0xFFFF ^ total, own, 0), ("{HERE}", 0))
"""
    began = time.monotonic()
    two.at_the_other(pings)
    most = 200 + 100 * (time.monotonic() - began)
    assert 200 <= two.tracked() <= most + 5


@pytest.mark.requirement("a noisy source hides nobody else's attempt")
@pytest.mark.parametrize(("noisy", "quiet", "target"), [(STRANGER, FRIEND, HERE), (STRANGER6, FRIEND6, HERE6)])
def test_a_noisy_source_hides_no_other(two: Two, noisy: str, quiet: str, target: str) -> None:
    noise = f"""
import socket
family = socket.AF_INET6 if ":" in "{noisy}" else socket.AF_INET
print("begins", flush=True)
while True:
    with socket.socket(family, socket.SOCK_DGRAM) as line:
        line.bind(("{noisy}", 0))
        for _ in range(50):
            try:
                line.sendto(b"noise", ("{target}", {NOBODY}))
            except OSError:
                pass
"""
    words = ["ip", "netns", "exec", two.other, sys.executable, "-c", noise]
    began = time.monotonic()
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "begins\n"
            time.sleep(1)
            assert two.ask(quiet, CLOSED, target=target)[0] == "ConnectionRefusedError"
            two.written("refused:", f"SRC={quiet} ", f"DPT={CLOSED} ")
        finally:
            running.kill()
    lines = [line for line in two.log.read_text().splitlines() if f"DPT={NOBODY} " in line]
    assert 10 <= len(lines) <= 60 + 10 * (time.monotonic() - began), "50 at once, then 10 a second"


@pytest.mark.requirement("what a stranger can make larger has a bound")
def test_a_flood_is_refused_whole_and_written_down_in_part(two: Two) -> None:
    many = f"""
import socket
for _ in range(600):
    try:
        socket.create_connection(("{HERE}", {CLOSED}), 20)
    except OSError:
        pass
"""
    began = time.monotonic()
    two.at_the_other(many)
    listed = two.nft("list", "chain", "inet", FIREWALL_TABLE, "refuse").splitlines()
    assert "counter packets 600 " in next(line for line in listed if "tcp reset" in line)

    def written() -> int:
        return two.log.read_text().count("refused:")

    # On a busy machine the kernel may have no room for some of a burst, and a line comes after what it is about.
    wait_until(lambda: written() >= 25, what="25 lines", seconds=60, interval=0.05, explain=two.log.read_text)
    time.sleep(0.5)
    assert written() <= 60 + 10 * (time.monotonic() - began), "50 at once, then 10 a second"
