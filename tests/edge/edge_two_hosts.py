"""Two hosts in the kernel: one with a firewall and programs behind it, and one from which it is asked.

Each host is a network namespace with one end of a pair of interfaces; ulogd runs as the lab runs it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from edge_network import add_namespace

from lab.host_firewall import PACKAGES
from lab.packages import ensure_packages
from shopsphere.estate.host_firewall import firewall, firewall_text, let_in_of
from shopsphere.estate.host_openings import Opening, cdn_openings, dns_openings
from shopsphere.estate.refusal_log import ULOGD, Output, ulogd_configuration
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.process import run

HERE, FRIEND, STRANGER = "10.77.0.1", "10.77.0.2", "10.77.0.3"
HERE6, FRIEND6, STRANGER6 = "fd77::1", "fd77::2", "fd77:0:0:1::3"
LINK, SERVER = "fe80::7:1", "fe80::7:2"
WANTED, CLOSED, NOBODY, LET_IN, NAMES, WEB, TRACKED, DHCPV6 = 2480, 10250, 9, 6443, 53, 443, 5300, 546
PLACE = [IPv4Address(HERE)]
TABLE = firewall(
    [
        Opening("a friend", (WANTED,), (IPv4Network(FRIEND),)),
        Opening("a port whose connections are tracked", (TRACKED,), None, (), "udp"),
        *dns_openings(PLACE),
        *cdn_openings(PLACE),
    ]
)
TEXT = firewall_text(TABLE, map(let_in_of, (f"tcp:{LET_IN}=10.77.0.2/31", f"tcp:{LET_IN}={FRIEND6}")))

LISTEN = f"""
import selectors, socket
ports = ({WANTED}, {CLOSED}, {LET_IN}, {WEB})
lines = [socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) for port in ports]
waiting = selectors.DefaultSelector()
for port in ({NAMES}, {DHCPV6}):
    names = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    names.bind(("::", port))
    waiting.register(names, selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in waiting.select():
        key.fileobj.sendto(b"answer", key.fileobj.recvfrom(64)[1])
"""
ASK = """
import json, socket, sys, time
source, target, port, kind, own = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
began = time.monotonic()
way = socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM
family, *_, from_ = socket.getaddrinfo(source, own, type=way)[0]
line = socket.socket(family, way)
line.settimeout(20)
line.bind(from_)
try:
    line.connect(socket.getaddrinfo(target, port, type=way)[0][-1])
    if kind == "udp":
        line.send(b"question")
        line.recv(64)
    found = "answers"
except OSError as error:
    found = type(error).__name__
print(json.dumps([found, time.monotonic() - began]))
"""


@dataclass
class Two:
    """Names of two namespaces, and where the first one's refusals are written."""

    host: str
    other: str
    log: Path

    def ask(
        self, source: str, port: int, kind: str = "tcp", *, at: str = "", target: str = HERE, own: int = 0
    ) -> tuple[str, float]:
        words = [sys.executable, "-c", ASK, source, target, str(port), kind, str(own)]
        found, seconds = json.loads(run(["ip", "netns", "exec", at or self.other, *words], seconds=60).stdout)
        return found, seconds

    def nft(self, *words: str, stdin: str | None = None) -> str:
        return run(["ip", "netns", "exec", self.host, "nft", *words], stdin=stdin).stdout

    def tracked(self) -> int:
        """Return how many connections the host's kernel has a record of."""
        words = ["cat", "/proc/sys/net/netfilter/nf_conntrack_count"]
        return int(run(["ip", "netns", "exec", self.host, *words]).stdout)

    def at_the_other(self, program: str) -> str:
        return run(["ip", "netns", "exec", self.other, sys.executable, "-c", program], seconds=120).stdout

    def written(self, *texts: str) -> None:
        """Wait for a line with all of these."""

        def is_there() -> bool:
            return any(all(each in line for each in texts) for line in self.log.read_text().splitlines())

        wait_until(is_there, what=f"a line with {texts}", seconds=60, interval=0.05, explain=self.log.read_text)


@contextmanager
def two_hosts(tmp_path: Path) -> Iterator[Two]:
    """Give both, with the firewall loaded."""
    if os.geteuid() != 0:
        pytest.fail("the edge ring needs root: expected uid 0, found another; run `make test` as root")
    ensure_packages(PACKAGES)
    mark = f"{os.getpid():x}"
    found = Two(f"ss-fw-{mark}-a", f"ss-fw-{mark}-b", tmp_path / "refused.log")
    running: list[subprocess.Popen[bytes]] = []
    try:
        for name in (found.host, found.other):
            add_namespace(name)
        ends = [f"ss{mark}a"[:15], f"ss{mark}b"[:15]]
        run(["ip", "link", "add", ends[0], "netns", found.host, "type", "veth", "peer", ends[1], "netns", found.other])
        here, others = [HERE, HERE6, LINK], [FRIEND, STRANGER, FRIEND6, STRANGER6, SERVER]
        for name, end, addresses in ((found.host, ends[0], here), (found.other, ends[1], others)):
            run(["ip", "-n", name, "link", "set", "lo", "up"])
            # An address of its own making would answer for LINK as soon as nobody else turned out to have it.
            run(["ip", "-n", name, "link", "set", end, "addrgenmode", "none"])
            for each in addresses:
                width = ["/32", "nodad"] if ":" in each else ["/24"]
                run(["ip", "-n", name, "address", "add", each + width[0], *width[1:], "dev", end])
            run(["ip", "-n", name, "link", "set", end, "up"])
        found.nft("-f", "-", stdin=TEXT)
        (tmp_path / "ulogd.conf").write_text(ulogd_configuration(Output.STDOUT))
        # A pipe, as the lab's supervisor has it: ulogd opens its standard output anew.
        logger = '"$0" --configfile "$1" | cat > "$2"'
        words = ["sh", "-c", logger, ULOGD, str(tmp_path / "ulogd.conf"), str(found.log)]
        running.append(subprocess.Popen(["ip", "netns", "exec", found.host, *words], start_new_session=True))
        listens = ["ip", "netns", "exec", found.host, sys.executable, "-c", LISTEN]
        running.append(subprocess.Popen(listens, stdout=subprocess.PIPE, start_new_session=True))
        ready = running[-1].stdout
        assert ready is not None
        assert ready.readline() == b"ready\n"
        bound = ["ip", "netns", "exec", found.host, "grep", "-q", "^ *100 ", "/proc/net/netfilter/nfnetlink_log"]
        wait_until(lambda: run(bound, check=False).code == 0, what="ulogd", seconds=60, interval=0.1)
        yield found
    finally:
        for process in running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait(10)
        for name in (found.host, found.other):
            run(["ip", "netns", "delete", name], check=False)
