from typing import Any

from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared


def block(cidr: Any) -> dict[str, Any]:
    """A peer by its address."""
    return {"ipBlock": {"cidr": cidr}}


def out(*peers: Any, name: str = "to-x", data_class: str = "personal") -> Declared:
    """A policy that opens a way out."""
    return (
        k8s.CLOSED.but("metadata", "name", name)
        .but("metadata", "labels", k8s.labels(data_class))
        .but("spec", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": list(peers)}]})
    )


def into(*peers: Any, data_class: str = "personal") -> Declared:
    """A policy that opens a way in."""
    rule = {"from": list(peers)} if peers else {"ports": [{"port": 8443.0}]}
    return k8s.CLOSED.but("metadata", "labels", k8s.labels(data_class)).but("spec", {"ingress": [rule]})


NAMESPACE = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "payments"}}}
PSP = "to-payment-provider"
ARCHIVE = "to-archive"
GOOD = {
    "closed": k8s.CLOSED,
    "namespace of the cluster": out(NAMESPACE),
    "pods of the cluster": out({"podSelector": {"matchLabels": {"app": "ledger"}}}),
    "site known by the provider": out(block("10.99.0.12/32")).but("metadata", "labels", REMOVED),
    "peer": out(block("10.99.0.12/32")),
    "the site itself": out(block("10.99.0.11/32")),
    "services of the cluster": out(block("10.11.128.1/32")),
    "payment provider": out(block("203.0.113.0/24"), name=PSP, data_class="payment"),
    "widest network of a payment provider": out(block("203.0.112.0/20"), name=PSP, data_class="payment"),
    "API server at an address of its own": out(block("192.168.7.1/32"), name="to-api-server"),
    "archive of the jurisdiction": out(block("10.99.0.61/32"), name=ARCHIVE),
    "archive, for payments": out(block("10.99.0.61/32"), name=ARCHIVE, data_class="payment"),
    "customers, for public data": into(data_class="public"),
    "from the peer": into(block("10.99.0.12/32")),
}
BAD = {
    "anywhere": (out(block("0.0.0.0/0")), "spec.egress[0].to[0].ipBlock.cidr: 0.0.0.0/0"),
    "anywhere in IPv6": (out(block("::/0")), "ipBlock.cidr: ::/0"),
    "everybody": (k8s.CLOSED.but("spec", "egress", [{}]), "spec.egress[0] without `to`: anybody"),
    "everybody on a port": (k8s.CLOSED.but("spec", "egress", [{"ports": [{"port": 443.0}]}]), "without `to`"),
    "peer that names nobody": (out({}), "to[0] names nobody"),
    "another jurisdiction": (out(block("10.99.0.21/32")), "10.99.0.21/32, where ashburn is", "10.99.0.12/32"),
    "pods of another jurisdiction": (out(block("10.21.3.0/24")), "where ashburn is"),
    "headquarters": (out(block("10.99.0.40/32")), "where newyork is"),
    "one address too many": (out(block("10.99.0.12/31"), block("10.99.0.10/31")), "10.99.0.12/31", "10.99.0.10/31"),
    "the internet": (out(block("198.51.100.7/32")), "ipBlock.cidr: 198.51.100.7/32\n"),
    "payment provider of the shop": (out(block("203.0.113.0/24"), name=PSP), "203.0.113.0/24", "class payment"),
    "payment provider by another name": (out(block("203.0.113.0/24"), data_class="payment"), "203.0.113.0/24"),
    "network too wide for a payment provider": (out(block("203.0.96.0/19"), name=PSP, data_class="payment"), "/19"),
    "payment provider where a site is": (out(block("10.99.0.21/32"), name=PSP, data_class="payment"), "ashburn"),
    "API server on the internet": (out(block("198.51.100.7/32"), name="to-api-server"), "198.51.100.7/32"),
    "API server of another site": (out(block("10.99.0.31/32"), name="to-api-server"), "where singapore is"),
    "network of API servers": (out(block("192.168.7.0/24"), name="to-site-agent"), "192.168.7.0/24"),
    "archive of another jurisdiction": (
        out(block("10.99.0.62/32"), name=ARCHIVE),
        "10.99.0.62/32, where the archive of us is",
        "the archive 10.99.0.61/32",
    ),
    "archive by another name": (out(block("10.99.0.61/32")), "10.99.0.61/32", "by to-archive"),
    "archive, for public data": (out(block("10.99.0.61/32"), name=ARCHIVE, data_class="public"), "10.99.0.61/32"),
    "archive and its neighbours": (out(block("10.99.0.60/30"), name=ARCHIVE), "10.99.0.60/30"),
    "archive at a public address": (out(block("198.51.100.7/32"), name=ARCHIVE), "198.51.100.7/32"),
    "from the archive": (
        into(block("10.99.0.61/32")).but("metadata", "name", ARCHIVE),
        "spec.ingress[0].from[0].ipBlock.cidr: 10.99.0.61/32",
    ),
    "customers, for personal data": (into(), "spec.ingress[0] without `from`: anybody"),
    "from elsewhere": (into(block("10.99.0.21/32")), "spec.ingress[0].from[0].ipBlock.cidr: 10.99.0.21/32"),
    "from anywhere, said otherwise": (into(block("0.0.0.0/1"), data_class="public"), "0.0.0.0/1"),
    "from elsewhere, beside customers": (
        into(data_class="public").but("spec", "ingress", [{}, {"from": [block("10.99.0.21/32")]}]),
        "spec.ingress[1].from[0].ipBlock.cidr: 10.99.0.21/32",
    ),
    "no network": (
        out(block("dublin")),
        "found:   spec.egress[0].to[0].ipBlock.cidr is a str",
        "allowed: a network, as in 10.99.0.12/32",
    ),
    "of no site": (k8s.CLOSED.but("metadata", "labels", REMOVED).by({}), "no label of a known site"),
}
UNKNOWN_CASES = {
    "network": (out(block(UNKNOWN)), "cidr is not known"),
    "rules": (k8s.CLOSED.but("spec", "egress", UNKNOWN), "spec.egress is not known"),
}
NOT_APPLICABLE = {"deployment": k8s.DEPLOYMENT, "namespace": k8s.NAMESPACE}
