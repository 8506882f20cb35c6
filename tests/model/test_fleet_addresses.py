"""Where a name or an address leads from a site, and which programs of a site strangers reach."""

from __future__ import annotations

from typing import Any

import pytest
from fleet_by_hand import admits, block, found_in, named, opens, program, resource, rrset, with_planted, within
from fleet_planted import external_name, node_port, volume

from policies.fleet.estate import Estate
from policies.fleet.flow import Kind
from policies.fleet.graph import fleet_of
from policies.resource import Resource
from shopsphere.topology import load_topology

MODEL = load_topology()
SERVICE = "kubernetes:core/v1:Service"


def reached(host: str, port: int = 0, *, planted: tuple[Resource, ...] = (), namespace: str = "shop") -> list[str]:
    """What a host and a port lead to from Dublin."""
    estate = Estate(MODEL, with_planted(*planted))
    return [
        store.name if store.site else f"{store.name} outside"
        for store in estate.reached(host, port, "dublin", namespace)
    ]


LEADS: dict[tuple[str, int], list[str]] = {
    ("frankfurt", 0): ["frankfurt"],
    ("frankfurt.shopsphere.test", 0): ["frankfurt"],
    ("s3.frankfurt.shopsphere.test", 9000): ["frankfurt"],
    ("rdc-b.shopsphere.test", 0): ["ashburn", "chicago"],
    ("10.99.0.21", 443): ["ashburn"],
    ("10.99.0.21", 30033): ["ledger-ashburn"],
    ("10.99.0.40", 30033): ["newyork"],
    ("10.21.0.9", 0): ["ashburn"],
    ("10.21.128.9", 0): ["ashburn"],
    ("198.51.100.9", 0): ["198.51.100.9 outside"],
    ("2001:db8::7", 0): ["2001:db8::7 outside"],
    ("fd00::7", 0): ["fd00::7 outside"],
    ("3325256713", 0): ["3325256713 outside"],  # 198.51.100.9, as inet_aton reads it
    ("0xc6336409", 0): ["0xc6336409 outside"],
    ("::1", 0): [],
    ("example.net", 0): ["example.net outside"],
    ("other.shopsphere.test", 0): ["other.shopsphere.test outside"],
    ("shopsphere.test", 0): [],
    ("www.shopsphere.test", 0): [],
    ("static.shopsphere.test", 0): [],
    ("127.0.0.5", 0): [],
    ("ledger", 5432): ["shop at dublin"],
    ("ledger.data-ledger.svc", 5432): ["ledger-dublin"],
    ("ledger.data-ledger.svc.cluster.local", 5432): ["ledger-dublin"],
    ("ledger.empty.svc", 5432): [],
    ("ledger.shop", 5432): ["ledger.shop outside"],  # public names end so too
}


@pytest.mark.parametrize(("host", "port"), LEADS, ids=str)
def test_a_host_and_a_port_lead_to_a_store_a_site_or_somebody_outside(host: str, port: int) -> None:
    assert reached(host, port) == LEADS[host, port]


def test_a_short_name_that_no_namespace_asks_for_leads_to_what_is_in_none() -> None:
    estate = Estate(MODEL, with_planted(volume("dublin", hostPath={"path": "/v9"})))
    assert [store.name for store in estate.reached("nfs", 0, "dublin")] == ["volume v9"]


@pytest.mark.requirement("an address outside is a way out, whichever protocol it is of")
@pytest.mark.parametrize(
    "planted",
    [
        program("frankfurt", "shop", "personal", TO="https://[2001:db8::7]/"),
        rrset("www.shopsphere.test.", "AAAA", "2001:db8::7"),
        volume("dublin", nfs={"server": "2001:db8::7", "path": "/"}),
    ],
    ids=["program", "public name", "share"],
)
def test_an_address_of_ipv6_is_a_way_out(planted: Resource) -> None:
    leaks = found_in(with_planted(planted))
    assert leaks
    assert {leak.steps[-1] for leak in leaks} == {"2001:db8::7"}


def service(**spec: Any) -> Resource:
    return resource("lab-dublin", SERVICE, "reports", {"metadata": named("reports", "shop", "public"), "spec": spec})


def listed(kind: str, **listing: Any) -> Resource:
    """A list of endpoints of a service in the shop's namespace."""
    group = "discovery.k8s.io/v1" if kind == "EndpointSlice" else "core/v1"
    props = {"metadata": named("reports", "shop", "public"), **listing}
    return resource("lab-dublin", f"kubernetes:{group}:{kind}", "reports", props)


ENDPOINTS: dict[str, Any] = {"subsets": [{"addresses": [{"ip": "10.99.0.21"}, {"ip": "10.99.0.40"}]}]}
SLICE: dict[str, Any] = {"endpoints": [{"addresses": ["10.99.0.31"]}, {"addresses": ["10.99.0.32"]}]}
ELSEWHERE: dict[str, tuple[Resource, list[str]]] = {
    "a name of another site": (external_name("dublin", "shop", "reports", "Newyork.shopsphere.test."), ["newyork"]),
    "addresses of other sites": (service(externalIPs=["10.99.0.21", "10.99.0.22"]), ["ashburn", "chicago"]),
    "endpoints at other sites": (listed("Endpoints", **ENDPOINTS), ["ashburn", "newyork"]),
    "a slice of endpoints at other sites": (listed("EndpointSlice", **SLICE), ["singapore", "sydney"]),
    "a service of its own": (service(type="ClusterIP"), ["shop at dublin"]),
    "a service of another name": (
        external_name("dublin", "shop", "others", "newyork.shopsphere.test"),
        ["shop at dublin"],
    ),
    "a service of another namespace": (
        external_name("dublin", "payments", "reports", "newyork.shopsphere.test"),
        ["shop at dublin"],
    ),
    "an object that is no service": (
        resource("lab-dublin", "kubernetes:example.net/v1:Report", "reports", {
            "metadata": named("reports", "shop", "public"), "spec": {"externalName": "newyork.shopsphere.test"},
        }),
        ["shop at dublin"],
    ),
}  # fmt: skip


@pytest.mark.requirement("a service of the cluster that stands for a place elsewhere hides no way out")
@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_service_leads_to_where_it_stands_for(name: str) -> None:
    planted, found = ELSEWHERE[name]
    assert reached("reports", planted=(planted,)) == found
    assert reached("reports.shop.svc", planted=(planted,), namespace="payments") == found


def exposed(type_: str, *ports: dict[str, int], token: str = SERVICE) -> Resource:
    """A service, or another kind, of a collector at Frankfurt."""
    props = {"metadata": named("logs", "collector", "operational"), "spec": {"type": type_, "ports": list(ports)}}
    return resource("lab-frankfurt", token, "logs", props)


COLLECTOR = program("frankfurt", "collector", "operational")
BEHIND: list[tuple[Resource, int, str]] = [
    (exposed("NodePort", {"port": 80, "nodePort": 30514}), 30514, "collector at frankfurt"),
    (exposed("LoadBalancer", {"port": 514}), 514, "collector at frankfurt"),
    (exposed("LoadBalancer", {"port": 80}, {"port": 514}), 514, "collector at frankfurt"),
    (exposed("LoadBalancer", {"port": 80}), 514, "frankfurt"),
    (exposed("LoadBalancer", {"port": 514}), 0, "frankfurt"),
    (exposed("ClusterIP", {"port": 514}), 514, "frankfurt"),
    (exposed("LoadBalancer", {"port": 514}, token="kubernetes:example.net/v1:Listener"), 514, "frankfurt"),
]


@pytest.mark.parametrize(("listens", "port", "found"), BEHIND)
def test_a_port_of_a_site_leads_to_what_is_exposed_there(listens: Resource, port: int, found: str) -> None:
    assert reached("10.99.0.11", port, planted=(COLLECTOR, listens)) == [found]


def policy(name: str, types: list[str], *ingress: dict[str, Any], namespace: str = "collector") -> Resource:
    """A NetworkPolicy of the collector at Dublin."""
    spec = {"policyTypes": types, "ingress": list(ingress)}
    props = {"metadata": named(name, namespace, "operational"), "spec": spec}
    return resource("lab-dublin", "kubernetes:networking.k8s.io/v1:NetworkPolicy", f"{namespace}-{name}", props)


LISTENS = node_port("dublin", "collector", 31000)
STRANGERS = {"from": [block("10.99.0.0/16")]}
NEIGHBOURS = {"from": [within("shop")]}
ARRIVES: dict[str, tuple[list[Resource], bool]] = {
    "no policy": ([LISTENS], True),
    "no service that strangers reach": ([], False),
    "a policy that lets nobody in": ([LISTENS, admits("dublin", "collector")], False),
    "a policy that lets in neighbours": ([LISTENS, policy("in", ["Ingress"], NEIGHBOURS)], False),
    "a policy that lets in strangers": ([LISTENS, policy("in", ["Ingress"], STRANGERS)], True),
    "a policy that lets in everybody": ([LISTENS, policy("in", ["Ingress"], {})], True),
    "a rule for neighbours and one for strangers": ([LISTENS, policy("in", ["Ingress"], NEIGHBOURS, STRANGERS)], True),
    "one rule for both": ([LISTENS, policy("in", ["Ingress"], {"from": [within("shop"), block("10.0.0.0/8")]})], True),
    "a policy about other ways": ([LISTENS, opens("dublin", "collector", within("shop"))], True),
    "a policy about both ways": ([LISTENS, policy("both", ["Ingress", "Egress"])], False),
    "a closed namespace with ways out": (
        [LISTENS, opens("dublin", "collector", within("shop")), policy("in", ["Ingress"])],
        False,
    ),
    "a policy of another namespace": ([LISTENS, policy("in", ["Ingress"], namespace="other")], True),
}


@pytest.mark.requirement("what is sent to a site's address may arrive at whatever listens to strangers there")
@pytest.mark.parametrize("name", ARRIVES)
def test_what_is_sent_to_a_site_arrives_at_what_is_open_to_strangers(name: str) -> None:
    planted, arrives = ARRIVES[name]
    sends = program("frankfurt", "sender", "operational", LOG_TARGET="tcp://10.99.0.12:514")
    fleet, unread = fleet_of(with_planted(sends, program("dublin", "collector", "operational"), *planted), MODEL)
    arrivals = [(flow.source.name, flow.target.name) for flow in fleet.flows if flow.kind is Kind.ARRIVAL]
    assert (arrivals, unread) == ([("dublin", "collector at dublin")] if arrives else [], [])
