"""What hosts enforce against what is declared: rules that are gone, added, changed, and tables of nobody."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from host_injections import (
    ACCEPT,
    BRIDGE,
    CRITICAL,
    FENCE,
    GUARD,
    HIGH,
    INJECTED,
    MASQUERADE,
    Change,
    F,
    P,
    changed,
    drop_rule,
    edit_rule,
    put,
    rule,
    rules_of,
    the,
    without_table,
)
from manual_clock import ManualClock
from told_hosts import ToldHosts, listing, told

from shopsphere.clients.cluster_errors import ClusterUnreachableError
from shopsphere.drift import looking
from shopsphere.drift.host_finding import table_of
from shopsphere.drift.hosts import DeclaredHosts, declared_hosts, look_at_hosts
from shopsphere.drift.model import Drift, Kind, SiteDrift
from shopsphere.drift.repair import Repair
from shopsphere.estate.host_rules import fence, fence_text, guard, guard_of
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.estate.nftables import essential
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.estate.stack import Environment
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.finding import Severity
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("drift compares the fence's and the firewall's rules of every host")

Document = dict[str, Any]
TODAY = date(2026, 11, 28)
TOPOLOGY = load_topology()
FRANKFURT = TOPOLOGY.site("frankfurt")
REPAIR = Repair("frankfurt", "lab", SiteKubectl("/kubeconfigs/frankfurt.yaml", "frankfurt"))
LOAD = (
    "kubectl --kubeconfig /kubeconfigs/frankfurt.yaml --context frankfurt create "
    "--raw=/api/v1/nodes/http:frankfurt:8405/proxy/rules --filename=/dev/null"
)
KEYS = {("inet", "shopsphere_fence"), ("ip", "shopsphere_pod_guard")}


def declared(*, paired: bool = True, environment: Environment = Environment.LAB) -> DeclaredHosts:
    return declared_hosts(FRANKFURT, TOPOLOGY, paired=paired, environment=environment, agent_port=SITE_AGENT_PORT)


def look(
    rules: list[Document] | Callable[[], Document], hosts: DeclaredHosts | None = None, **fence_state: Any
) -> SiteDrift:
    agent = rules if callable(rules) else lambda: told(rules, **fence_state)
    return look_at_hosts(hosts or declared(), ToldHosts({"frankfurt": agent}), REPAIR, ManualClock())


def summary(found: SiteDrift) -> list[tuple[str, str, Kind, Severity, bool]]:
    return [(each.object, each.field, each.kind, each.severity, each.residency) for each in found.drifts]


@pytest.mark.parametrize(("name", "seconds_left"), [("closed", 0), ("open", 6.4), ("open", 7.0)])
def test_what_a_kernel_lists_of_what_was_loaded_is_clean(name: str, seconds_left: float) -> None:
    found = look(listing(name), seconds_left=seconds_left)
    assert (found.drifts, found.unseen) == ((), ())
    assert found.declared == 2
    assert found.live > 20


def test_the_declared_listing_is_what_the_kernel_listed() -> None:
    kept = essential(listing("closed"), whole=KEYS)
    ours = [
        each for each in kept for body in each.values() if "shopsphere" in str(body.get("table", body.get("name", "")))
    ]
    assert [*fence(5432).listing(), *guard_of(FRANKFURT).listing()] == ours


def test_the_declared_text() -> None:
    assert fence_text(5432, seconds=1.5) == (
        "table inet shopsphere_fence {}\ndelete table inet shopsphere_fence\ntable inet shopsphere_fence {\n"
        "    set permitted {\n        type inet_service; flags timeout;\n"
        "        elements = { 5432 timeout 1500ms }\n    }\n"
        "    chain forward {\n        type filter hook forward priority -400; policy accept;\n"
        "        tcp dport 5432 tcp dport != @permitted drop\n        tcp sport 5432 tcp sport != @permitted drop\n"
        "    }\n}\n"
    )
    assert "elements" not in fence_text(5432)
    assert "timeout 1ms" in fence_text(5432, seconds=0.0001), "never for ever"
    guarded = guard_of(FRANKFURT).text().splitlines()[5:-2]
    assert [line.strip() for line in guarded] == [
        "ip saddr != 10.11.0.0/17 accept",
        "ip daddr { 10.11.0.0/16 } accept",
        "ct state established,related accept",
        "meta mark & 131072 == 131072 accept",
        "drop",
    ]
    apart = TOPOLOGY.site("dublin").service_network
    assert "{ 10.11.0.0/17, 10.12.128.0/17 }" in guard(FRANKFURT.pod_network, apart).text()


@pytest.mark.parametrize("case", INJECTED, ids=lambda case: case[0])
def test_what_somebody_changes_is_found(case: tuple[str, Change, str, str, Kind, Severity, bool]) -> None:
    _, change, *expected = case
    found = look(changed(change))
    assert summary(found) == [tuple(expected)]
    (drift,) = found.drifts
    assert (drift.site, table_of(drift.object) is not None) == ("frankfurt", True)
    assert drift.declared != drift.live
    assert found.unseen == ()


@pytest.mark.parametrize(
    "change",
    [
        put(rule("kube-proxy", "services", copy.deepcopy(MASQUERADE))),
        put({"set": {"family": "ip", "table": "kube-proxy", "name": "new", "type": "ipv4_addr", "elem": ["10.9.9.9"]}}),
        lambda rules: the(rules, "rule", P).update(handle=4711, comment="hello"),
        lambda rules: rules_of(rules, P)[0]["rule"]["expr"].insert(1, {"counter": {"packets": 5, "bytes": 6}}),
        lambda rules: rules_of(rules, P)[2]["rule"]["expr"][0]["match"]["right"].reverse(),
        edit_rule(
            P,
            2,
            0,
            {
                "match": {
                    "op": "==",
                    "left": {"payload": {"protocol": "ip", "field": "daddr"}},
                    "right": {"prefix": {"addr": "10.11.0.0", "len": 16}},
                }
            },
        ),
        lambda rules: rules.append({"table": {"family": "ip6", "name": "kube-proxy", "handle": 5}}),
    ],
)
def test_what_moves_by_itself_is_no_finding(change: Change) -> None:
    found = look(changed(change))
    assert (found.drifts, found.unseen) == ((), ())


def test_findings_say_what_is_declared_and_what_repairs_them() -> None:
    (drift,) = look(changed(put(rule(P, "forward", BRIDGE, ACCEPT), before=P))).drifts
    assert (drift.declared, drift.live) == ("", "meta iifname cni0 accept")
    assert (drift.repair, drift.author) == (LOAD, None)
    (drift,) = look(changed(drop_rule(F, 1))).drifts
    assert drift.declared == "tcp dport 5432 tcp dport != @permitted drop"
    (drift,) = look(changed(put(rule("tap", "in", ACCEPT, family="inet")))).drifts
    assert (drift.repair, drift.live) == (
        "shopsphere lab exec frankfurt -- nft delete table inet tap",
        "a table: accept",
    )


@pytest.mark.parametrize(
    ("name", "element", "seconds_left", "severity"),
    [
        ("open", None, 0, CRITICAL),  # the agent closed it, and the kernel lets clients through
        ("closed", None, 6.0, HIGH),  # the other way round: nobody is served
        ("open", {"elem": {"val": 5432, "timeout": 90, "expires": 88}}, 6.0, CRITICAL),
        ("open", 5432, 6.0, CRITICAL),  # without an end
        ("open", {"elem": {"val": 22, "timeout": 7, "expires": 6}}, 6.0, CRITICAL),
        ("open", {"elem": {"val": 5432, "timeout": 7, "expires": 6}}, 6.0, None),
        ("open", 5432, None, None),  # ordered without an end
    ],
)
def test_an_opening_is_the_agents(
    name: str, element: Any, seconds_left: float | None, severity: Severity | None
) -> None:
    rules = listing(name)
    if element is not None:
        the(rules, "set", F)["elem"] = [element]
    found = look(rules, seconds_left=seconds_left)
    assert [each.severity for each in found.drifts] == ([severity] if severity else [])
    assert all(each.field == "set permitted, elements" for each in found.drifts)


def test_a_fence_that_is_being_changed_is_unknown_and_never_a_finding() -> None:
    gone = changed(without_table(F))
    found = look(gone, changing=True)
    assert found.drifts == ()
    assert [each.what for each in found.unseen] == ["the fence of host frankfurt"]
    both = changed(without_table(P))
    without_table(F)(both)
    assert [each.object for each in look(both, changing=True).drifts] == [GUARD], "it hides nothing else"


def test_a_fence_that_comes_to_rest_is_looked_at_again() -> None:
    answers = iter([told(listing("closed"), changing=True), told(listing("closed"))])
    found = look(lambda: next(answers))
    assert (found.drifts, found.unseen) == ((), ())
    gone = changed(without_table(F))
    later = iter([told(gone, changing=True), told(gone), told(gone)])
    assert [each.object for each in look(lambda: next(later)).drifts] == [FENCE], "an unknown look hides no finding"


def test_what_only_one_look_finds_is_on_its_way() -> None:
    answers = iter([told(changed(drop_rule(P, 5))), told(listing("closed"))])
    assert look(lambda: next(answers)).drifts == ()


def silent() -> Document:
    raise ClusterUnreachableError("frankfurt: GET /api/v1/nodes/http:frankfurt:8405/proxy/rules: 503")


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        (silent, "503"),
        (lambda: {"databases": True, "writes": True}, "does not tell what its host enforces"),
        (lambda: told([{"table": {}}]), "a table has a family"),
        (lambda: told([{"rule": {"family": "ip", "table": "t", "chain": "c", "expr": "drop"}}]), "list of statements"),
        (lambda: {**told(listing("closed")), "format": 2}, "format"),
        (lambda: told(listing("closed"), site="dublin"), "one of dublin"),
        (lambda: {**told(listing("closed")), "fence": None}, "keeps none"),
    ],
)
def test_an_agent_that_does_not_tell_is_unknown_and_never_clean(agent: Callable[[], Document], why: str) -> None:
    found = look(agent)
    assert found.drifts == ()
    assert why in found.unseen[0].why
    assert looking.report("frankfurt", "lab", [found], (), TODAY).exit_code == ExitCode.UNKNOWN


def test_an_older_agent_and_a_cluster_without_nodes_are_unknown() -> None:
    cluster = ToldHosts({"frankfurt": lambda: told(listing("closed"))})
    cluster.agents.clear()
    assert "404" in look_at_hosts(declared(), cluster, REPAIR, ManualClock()).unseen[0].why
    assert look_at_hosts(declared(), ToldHosts({}), REPAIR, ManualClock()).unseen[0].why == "its API has no nodes"


def test_each_host_is_looked_at() -> None:
    agents = {"node-b": silent, "node-a": lambda: told(changed(without_table(P)))}
    found = look_at_hosts(declared(), ToldHosts(agents), REPAIR, ManualClock())
    assert [each.object for each in found.drifts] == ["nftables ip shopsphere_pod_guard at node-a"]
    assert [each.what for each in found.unseen] == ["the rules of host node-b"]


def test_a_site_without_a_pair_has_no_fence() -> None:
    rules = changed(without_table(F))
    answer = {**told(rules), "fence": None}
    found = look(lambda: answer, declared(paired=False))
    assert (found.drifts, found.unseen, found.declared) == ((), (), 1)
    found = look(lambda: {**told(listing("closed")), "fence": None}, declared(paired=False))
    assert [(each.object, each.kind) for each in found.drifts] == [(FENCE, Kind.UNDECLARED)]


def test_a_guard_that_another_engine_does_not_need_is_not_missed() -> None:
    rules = changed(without_table(P))
    hosts = declared(environment=Environment.PROD)
    assert look(lambda: {**told(rules), "loads": ["inet shopsphere_fence"]}, hosts).drifts == ()
    assert [each.object for each in look(rules, hosts).drifts] == [GUARD], "its agent says that it loads it"


def test_a_host_of_production_is_repaired_by_its_root() -> None:
    repair = Repair("frankfurt", "prod", SiteKubectl("/kube config", "frankfurt"))
    cluster = ToldHosts({"frankfurt": lambda: told(changed(put(rule("tap", "in", ACCEPT))))})
    drifts: tuple[Drift, ...] = look_at_hosts(declared(), cluster, repair, ManualClock()).drifts
    assert drifts[0].repair == "on frankfurt, as root: nft delete table ip tap"


def test_listings_are_no_larger_than_they_have_to_be() -> None:
    kept = essential(listing("open"), whole={("inet", F)})
    assert "handle" not in json.dumps(kept)
    assert "counter" not in json.dumps(kept)
    assert "10.11.128.1" not in json.dumps(kept), "members of others' sets come and go"
    assert essential(kept, whole={("inet", F)}) == kept
