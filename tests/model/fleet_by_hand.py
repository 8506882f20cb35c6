"""Six regional sites, headquarters and an edge, written by hand as small as a fleet can be, and changes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from kubeconfigs import kubeconfig

from policies.fleet.flow import Flow, Kind
from policies.fleet.graph import fleet_of
from policies.fleet.paths import Leak, leaks
from policies.resource import Resource
from shopsphere.topology import load_topology

Props = dict[str, Any]
Stacks = dict[str, list[Resource]]
PEERS = {
    "frankfurt": "dublin", "dublin": "frankfurt", "ashburn": "chicago", "chicago": "ashburn",
    "singapore": "sydney", "sydney": "singapore",
}  # fmt: skip
PRIMARIES = ("frankfurt", "ashburn", "singapore")
ADDRESSES = {
    "frankfurt": "10.99.0.11", "dublin": "10.99.0.12", "ashburn": "10.99.0.21", "chicago": "10.99.0.22",
    "singapore": "10.99.0.31", "sydney": "10.99.0.32", "newyork": "10.99.0.40",
}  # fmt: skip
CLASSES = {"shop": "personal", "payments": "payment", "gateway": "public", "commerce": "personal", "ledger": "payment"}
PORTS = {"commerce": "30032", "ledger": "30033"}
CLUSTER = "kubernetes:postgresql.cnpg.io/v1:Cluster"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
NAMESPACE = "kubernetes:core/v1:Namespace"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
DYNAMIC = "pulumi-python:dynamic/edge"


def resource(stack: str, token: str, name: str, props: Props) -> Resource:
    """One resource of a stack."""
    return Resource(token, name, f"urn:pulumi:{stack}::fleet::{token}::{name}", props, None, "")


def named(name: str, namespace: str, data_class: str) -> Props:
    """Metadata of an object with a class."""
    return {"name": name, "namespace": namespace, "labels": {"shopsphere.io/data-class": data_class}}


def follows(database: str, site: str, **more: Any) -> Props:
    """An external cluster: a member of a database at a site."""
    host = {"host": ADDRESSES[site], "port": PORTS[database]}
    return {"name": f"{database}-{site}", "connectionParameters": host, **more}


def member(database: str, site: str, peer: str, **spec: Any) -> Resource:
    """A member of a database."""
    begun = {"initdb": {}} if site in PRIMARIES else {"pg_basebackup": {"source": f"{database}-{peer}"}}
    props = {
        "metadata": named(f"{database}-{site}", f"data-{database}", CLASSES[database]),
        "spec": {"bootstrap": begun, "externalClusters": [follows(database, peer)], **spec},
    }
    return resource(f"lab-{site}", CLUSTER, f"{database}-{site}", props)


def program(site: str, name: str, data_class: str, *, namespace: str = "", **env: str) -> Resource:
    """A deployment with settings."""
    settings = [{"name": key, "value": value} for key, value in env.items()]
    spec = {"template": {"spec": {"containers": [{"name": name, "env": settings}]}}}
    props = {"metadata": named(name, namespace or name, data_class), "spec": spec}
    return resource(f"lab-{site}", DEPLOYMENT, name, props)


def opens(site: str, namespace: str, *to: Props, name: str = "to", port: int = 443) -> Resource:
    """A NetworkPolicy that opens ways out of a namespace."""
    spec = {"policyTypes": ["Egress"], "egress": [{"to": list(to), "ports": [{"port": port}]}]}
    metadata = named(name, namespace, CLASSES.get(namespace, "operational"))
    return resource(f"lab-{site}", POLICY, f"{namespace}-{name}", {"metadata": metadata, "spec": spec})


def admits(site: str, namespace: str, *sources: Props) -> Resource:
    """A NetworkPolicy that lets strangers into a namespace, and nobody else."""
    spec = {"policyTypes": ["Ingress"], "ingress": [{"from": list(sources)}] if sources else []}
    props = {"metadata": named("from", namespace, "operational"), "spec": spec}
    return resource(f"lab-{site}", POLICY, f"{namespace}-from", props)


def block(cidr: str) -> Props:
    """A network as the peer of a policy."""
    return {"ipBlock": {"cidr": cidr}}


def within(namespace: str) -> Props:
    """A namespace as the peer of a policy."""
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}


def provider(site: str, leads_to: str) -> Resource:
    """The provider of a site's stack, with a kubeconfig that leads to a site."""
    document = yaml.safe_dump(kubeconfig("lab", f"https://{ADDRESSES[leads_to]}:6443"))
    props = {"clusterIdentifier": site, "kubeconfig": document, "context": "lab"}
    return resource(f"lab-{site}", "pulumi:providers:kubernetes", site, props)


def regional(site: str) -> list[Resource]:
    """What each site of a pair declares."""
    peer = PEERS[site]
    return [
        provider(site, site),
        *(member(database, site, peer) for database in PORTS),
        program(site, "shop", "personal", SHOP_PUBLIC_URL="https://elsewhere.example"),
        program(site, "payments", "payment", PSP_URL="https://psp.example/v1"),
        program(site, "gateway", "public"),
        opens(site, "shop", within("payments"), within("data-commerce")),
        opens(site, "payments", within("data-ledger")),
        opens(site, "payments", block("192.0.2.0/24"), name="to-payment-provider"),
        opens(site, "gateway", within("shop")),
        *(admits(site, namespace) for namespace in ("shop", "payments")),
        admits(site, "gateway", block("0.0.0.0/0")),
        *(opens(site, f"data-{name}", block(f"{ADDRESSES[peer]}/32"), port=int(PORTS[name])) for name in PORTS),
    ]


def edge() -> list[Resource]:
    """What the edge declares."""
    names = {f"{site}.shopsphere.test.": address for site, address in ADDRESSES.items()}
    return [
        *(rrset(name, "A", address) for name, address in names.items()),
        rrset("static.shopsphere.test.", "A", "10.99.0.80"),
        pair_state(frankfurt=ADDRESSES["frankfurt"], dublin=ADDRESSES["dublin"]),
        distribution("/static/", "/media/"),
    ]


def rrset(name: str, type_: str, *records: str) -> Resource:
    """A public name."""
    return resource("lab", f"{DYNAMIC}:DnsRRset", name, {"name": name, "type": type_, "records": list(records)})


def pair_state(**addresses: str) -> Resource:
    """Where the names of rdc-a lead."""
    return resource("lab", f"{DYNAMIC}:DnsPairState", "rdc-a", {"pair": "rdc-a", "addresses": addresses})


def distribution(*paths: str, data_class: str = "public", origin: str = "frankfurt") -> Resource:
    """What the CDN serves."""
    origins = [{"name": origin, "address": ADDRESSES[origin], "port": 80}]
    props = {"dataClass": data_class, "paths": list(paths), "origins": origins}
    return resource("lab", f"{DYNAMIC}:CdnDistribution", "static", props)


def by_hand() -> Stacks:
    """The whole fleet, in which nothing leaves."""
    stacks = {f"lab-{site}": regional(site) for site in PEERS}
    reporting = resource("lab-newyork", NAMESPACE, "reporting", {"metadata": named("reporting", "", "aggregate")})
    return {**stacks, "lab-newyork": [provider("newyork", "newyork"), reporting], "lab": edge()}


def with_planted(*planted: Resource) -> Stacks:
    """The fleet with resources in it; one of the same type and name is replaced."""
    stacks = by_hand()
    for each in planted:
        others = [old for old in stacks[each.stack] if old.urn != each.urn]
        stacks[each.stack] = [*others, each]
    return stacks


def found_in(stacks: Mapping[str, Sequence[Resource]]) -> list[Leak]:
    """All leaks of a fleet; everything in it is readable."""
    model = load_topology()
    fleet, unread = fleet_of(stacks, model)
    assert unread == []
    return leaks(fleet, model)


def declared_by(*planted: Resource) -> list[str]:
    """The flows that the last of some planted resources declares, each with its place; everything is readable."""
    fleet, unread = fleet_of(with_planted(*planted), load_topology())
    assert unread == []
    return [_told(flow) for flow in fleet.flows if flow.resource is planted[-1] and flow.kind is not Kind.ARRIVAL]


def _told(flow: Flow) -> str:
    only = "" if flow.carries is None else f", {' and '.join(sorted(flow.carries)) or 'nothing'} only"
    return f"{flow.source.name} -> {flow.kind.value} -> {flow.target.name} ({flow.place}{only})"
