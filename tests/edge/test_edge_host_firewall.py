"""A port that is wanted answers, one that is not is refused at once, counted and written down; in the kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from ipaddress import IPv4Network

import pytest
from edge_two_hosts import (
    CLOSED,
    DHCPV6,
    FRIEND,
    FRIEND6,
    HERE,
    HERE6,
    LET_IN,
    LINK,
    NOBODY,
    SERVER,
    STRANGER,
    STRANGER6,
    TEXT,
    WANTED,
    WEB,
    Two,
)

from shopsphere.estate.host_firewall import FIREWALL_TABLE, LetIn, firewall_of, firewall_text
from shopsphere.estate.nftables import essential
from shopsphere.foundation.process import run
from shopsphere.topology import load_topology


@pytest.mark.requirement("hosts' firewalls let in who belongs there, and an attempt that is refused is seen in a log")
def test_who_belongs_there_is_let_in_and_all_others_are_refused_and_written_down(two: Two) -> None:
    asked = [(FRIEND, WANTED, "tcp"), (STRANGER, WANTED, "tcp"), (FRIEND, CLOSED, "tcp"), (STRANGER, NOBODY, "udp")]
    asked += [(FRIEND, LET_IN, "tcp"), (STRANGER, LET_IN, "tcp"), (STRANGER, 53, "udp")]
    answers = [two.ask(*each) for each in asked]
    refused = "ConnectionRefusedError"
    assert [found for found, _ in answers] == [
        "answers", refused, refused, refused, "answers", "answers", "answers",
    ]  # fmt: skip
    two.written("refused:", f"SRC={STRANGER} DST={HERE} ", "PROTO=TCP ", f"DPT={WANTED} ")
    two.written("refused:", f"SRC={FRIEND} DST={HERE} ", "PROTO=TCP ", f"DPT={CLOSED} ")
    two.written("refused:", f"SRC={STRANGER} DST={HERE} ", "PROTO=UDP ", f"DPT={NOBODY} ")
    lines = [line for line in two.log.read_text().splitlines() if "refused:" in line]
    assert len(lines) == 3
    listed = two.nft("list", "chain", "inet", FIREWALL_TABLE, "refuse").splitlines()
    counted = [line.split()[line.split().index("packets") + 1] for line in listed if "packets" in line]
    assert counted == ["2", "1"], "resets, and the rest: a client fails at once, and tries no second time"


@pytest.mark.requirement("hosts' firewalls let in who belongs there, by IPv6 too")
def test_ipv6_is_judged_alike_and_an_answer_about_its_own_address_comes_in(two: Two) -> None:
    asked = [(FRIEND6, LET_IN, "tcp"), (STRANGER6, LET_IN, "tcp"), (FRIEND6, CLOSED, "tcp"), (STRANGER6, NOBODY, "udp")]
    refused = "ConnectionRefusedError"
    found = [two.ask(*each, target=HERE6)[0] for each in asked]
    assert found == ["answers", refused, refused, refused]
    two.written("refused:", f"SRC={STRANGER6} ", "PROTO=TCP ", f"DPT={LET_IN} ")
    end = json.loads(run(["ip", "-n", two.other, "-j", "address", "show", "to", SERVER]).stdout)[0]["ifname"]
    answers = [two.ask(f"{SERVER}%{end}", DHCPV6, "udp", target=f"{LINK}%{end}", own=own)[0] for own in (547, 548)]
    assert answers == ["answers", refused]


@pytest.mark.requirement("hosts' firewalls let in who belongs there")
def test_loopback_is_open_and_ping_is_answered(two: Two) -> None:
    assert two.ask("127.0.0.1", CLOSED, at=two.host)[0] == "answers"
    assert run(["ip", "netns", "exec", two.other, "ping", "-c", "1", "-W", "2", HERE], check=False).code == 0


@pytest.mark.requirement("a connection that is there outlives a new text of the firewall")
@pytest.mark.parametrize("port", [WANTED, WEB])
def test_loading_it_again_changes_nothing_and_ends_no_connection(two: Two, port: int) -> None:
    table = ["list", "table", "inet", FIREWALL_TABLE]
    hold = f"""
import socket, sys
line = socket.create_connection(("{HERE}", {port}), 3, ("{FRIEND}", 0))
print("connected", flush=True)
sys.stdin.readline()
line.send(b"more")
line.settimeout(0.5)
try:
    line.recv(1)
except TimeoutError:
    print("lives", flush=True)
"""
    words = ["ip", "netns", "exec", two.other, sys.executable, "-c", hold]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as held:
        assert held.stdout is not None
        assert held.stdout.readline() == "connected\n"
        before = two.nft(*table)
        two.nft("-f", "-", stdin=TEXT)
        assert two.nft(*table) == before.replace("counter packets 1", "counter packets 0")
        assert held.communicate("go\n", timeout=10)[0] == "lives\n"


@pytest.mark.requirement("what a kernel has is what was declared")
@pytest.mark.parametrize("site", ["frankfurt", "newyork"])
def test_the_kernel_lists_what_is_declared(two: Two, site: str) -> None:
    topology = load_topology(environment="lab")
    declared = firewall_of(topology.site(site), topology)
    two.nft("-f", "-", stdin=firewall_text(declared, [LetIn("tcp", 22, IPv4Network("10.0.0.0/8"))]))
    found = json.loads(two.nft("-j", "list", "table", "inet", FIREWALL_TABLE))["nftables"]
    assert essential(found, whole=[]) == declared.listing()
