"""Host rules in a real kernel: loaded, told as an agent tells them, spoiled with nft, found, and loaded again."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator
from typing import Any

import pytest
from edge_network import own_network
from manual_clock import ManualClock

from runbooks.agent.fence import FirewallFence
from runbooks.agent.kernel_rules import KernelRules
from shopsphere.clients.host_rules import NODES
from shopsphere.drift.host_repair import load_again
from shopsphere.drift.hosts import declared_hosts, look_at_hosts
from shopsphere.drift.model import Kind, SiteDrift
from shopsphere.drift.repair import Repair
from shopsphere.estate.databases import POSTGRESQL_PORT
from shopsphere.estate.host_rules import guard_of
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.estate.stack import Environment
from shopsphere.foundation.process import run
from shopsphere.topology import Site, load_topology

SITES = {name: load_topology().site(name) for name in ("frankfurt", "sydney")}
FENCE, GUARD = "inet shopsphere_fence", "ip shopsphere_pod_guard"
KUBE_PROXY = """
table ip kube-proxy {
    set cluster-ips { type ipv4_addr; elements = { 10.11.128.1 }
    }
    chain cluster-ips-check {
        ip daddr @cluster-ips reject
    }
    chain filter-forward { type filter hook forward priority -110; policy accept;
        ct state new jump cluster-ips-check
    }
}
"""


class Host:
    """A host of a site, and the site's API as far as it leads there; all of it in this thread's own network."""

    def __init__(self, site: Site) -> None:
        self.site, self.fence = site, FirewallFence(POSTGRESQL_PORT)
        self.rules = KernelRules(site.name, self.fence, guard_of(site))

    def items_of_known_kind(self, path: str, **_query: str) -> list[dict[str, Any]]:
        assert path == NODES
        return [{"metadata": {"name": self.site.name}}]

    def get(self, path: str, **_query: str) -> dict[str, Any]:
        assert path == f"/api/v1/nodes/http:{self.site.name}:8405/proxy/rules"
        return self.rules.tell()

    def create(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        assert path == f"/api/v1/nodes/http:{self.site.name}:8405/proxy/rules"
        assert document == {}
        return self.rules.load()

    def look(self) -> SiteDrift:
        lab = Environment.LAB
        declared = declared_hosts(self.site, load_topology(), paired=True, environment=lab, agent_port=SITE_AGENT_PORT)
        repair = Repair(self.site.name, "lab", SiteKubectl("/k", self.site.name))
        return look_at_hosts(declared, self, repair, ManualClock())


@pytest.fixture(params=SITES)
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    if os.geteuid() != 0:
        pytest.fail("the edge ring needs root: expected uid 0, found another; run `make test` as root")
    with own_network([]):
        found = Host(SITES[request.param])
        found.rules.load()
        found.fence.close()
        run(["nft", "-f", "-"], stdin=KUBE_PROXY)
        yield found


def handle(table: str, chain: str, number: int) -> str:
    """Return the handle of a rule by its place in the chain."""
    listed = run(["nft", "-a", "list", "chain", *table.split(), chain]).stdout.splitlines()
    marked = [line for line in listed[2:] if "# handle " in line]
    return marked[number - 1].rpartition("# handle ")[2]


def nft(command: str) -> None:
    run(["nft", *shlex.split(command)])


@pytest.mark.requirement("drift finds no difference in what hosts load")
def test_what_is_loaded_is_clean_closed_and_open(host: Host) -> None:
    for _ in range(2):
        found = host.look()
        assert (found.drifts, found.unseen) == ((), ())
        host.fence.open(30)
    host.fence.open(float("inf"))
    assert host.look().drifts == ()


INJECTED = [
    (f"flush table {GUARD}", GUARD, {("chain forward, rule 1", Kind.REMOVED), ("chain forward, rule 5", Kind.REMOVED)}),
    (f"delete table {GUARD}", GUARD, {("", Kind.MISSING)}),
    (f"delete table {FENCE}", FENCE, {("", Kind.MISSING)}),
    (f"insert rule {GUARD} forward accept", GUARD, {("chain forward, rule 1", Kind.ADDED)}),
    (f"add rule {GUARD} forward ip daddr 192.0.2.0/24 accept", GUARD, {("chain forward, rule 6", Kind.ADDED)}),
    (f"add chain {GUARD} forward {{ policy drop; }}", GUARD, {("chain forward, policy", Kind.CHANGED)}),
    (f"add table {FENCE} {{ flags dormant; }}", FENCE, {("table, flags", Kind.ADDED)}),
    (f"insert rule {FENCE} forward tcp dport 5432 accept", FENCE, {("chain forward, rule 1", Kind.ADDED)}),
    (f"add element {FENCE} permitted {{ 5432 }}", FENCE, {("set permitted, elements", Kind.CHANGED)}),
    (f"add set {FENCE} mine {{ type ipv4_addr; }}", FENCE, {("set mine", Kind.ADDED)}),
    (f"add chain {GUARD} mine", GUARD, {("chain mine", Kind.ADDED)}),
]


@pytest.mark.requirement("what is injected with nft is found, and loaded again")
@pytest.mark.parametrize(("command", "table", "expected"), INJECTED)
def test_what_is_injected_is_found_and_loaded_again(
    host: Host, command: str, table: str, expected: set[tuple[str, Kind]]
) -> None:
    nft(command)
    found = host.look()
    assert {each.object for each in found.drifts} == {f"nftables {table} at {host.site.name}"}
    assert {(each.field, each.kind) for each in found.drifts} >= expected
    load_again(host, found.drifts[0].object, SITE_AGENT_PORT)
    assert host.look().drifts == ()
    assert FirewallFence(POSTGRESQL_PORT).is_closed()


@pytest.mark.parametrize(("number", "with_"), [(5, "accept"), (1, "ip saddr != 10.11.0.0/24 accept"), (5, "")])
def test_a_rule_that_is_replaced_or_gone_is_found(host: Host, number: int, with_: str) -> None:
    place = f"rule {GUARD} forward handle {handle(GUARD, 'forward', number)}"
    nft(f"replace {place} {with_}" if with_ else f"delete {place}")
    (found,) = host.look().drifts
    assert (found.field, found.kind) == (f"chain forward, rule {number}", Kind.CHANGED if with_ else Kind.REMOVED)
    assert found.live == with_
    assert found.residency


TABLES = {
    "table inet tap { chain in { type filter hook forward priority 40; meta mark set 0x20000\n }\n}": True,
    "table ip tap { chain in { type nat hook prerouting priority -150; tcp dport 443 dnat to 192.0.2.1\n }\n}": True,
    "table inet tap { chain in { type filter hook input priority 0; tcp dport 22 drop\n }\n}": False,
    "table netdev tap { chain in { type filter hook ingress device lo priority 0; ip saddr 10.9.9.9 drop\n }\n}": False,
}


@pytest.mark.parametrize(("text", "residency"), TABLES.items())
def test_a_table_of_nobody_is_found(host: Host, text: str, residency: bool) -> None:
    run(["nft", "-f", "-"], stdin=text)
    (found,) = host.look().drifts
    assert (found.kind, found.residency) == (Kind.UNDECLARED, residency)
    words = shlex.split(found.repair)
    assert words[:5] == ["shopsphere", "lab", "exec", host.site.name, "--"]
    run(words[5:])
    assert host.look().drifts == (), "the command removes it"


def test_what_is_put_into_the_tables_of_kube_proxy_is_found(host: Host) -> None:
    nft("add element ip kube-proxy cluster-ips { 10.11.128.9 }")
    nft("add rule ip kube-proxy cluster-ips-check counter")
    assert host.look().drifts == ()
    nft("insert rule ip kube-proxy filter-forward ip daddr 192.0.2.1 accept")
    nft("add rule ip kube-proxy cluster-ips-check meta mark set meta mark or 0x20000")
    assert [each.field for each in host.look().drifts] == [
        "chain cluster-ips-check, rule 3",
        "chain filter-forward, rule 1",
    ]


def test_an_opening_that_ends_and_a_load_in_between(host: Host) -> None:
    host.fence.open(2.5)
    assert host.look().drifts == ()
    host.rules.load()
    time.sleep(4)
    assert FirewallFence(POSTGRESQL_PORT).is_closed(), "loading again has not made it longer"
    assert host.look().drifts == ()


def test_without_nft_nothing_is_known(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = host.look()
    assert found.drifts == ()
    assert "nft: not found" in found.unseen[0].why
