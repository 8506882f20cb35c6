"""What the policy pack and a site's API server have to refuse alike, and what both have to let in.

Each case is one change of what Frankfurt's stack really declares, or one more object. The rule is written by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ways_out import written

Document = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One object that is judged.

    Attributes:
        rule: id of the rule that refuses it; empty where nothing is against it.
        kind: kind of a declared object; with `name`, Pulumi's name of it.
        name: Pulumi's name of that object.
        path: what is changed in it.
        value: what it becomes.
        more: further changes, each a path and its value at the end.
        added: an object of its own, in place of a changed one.
    """

    rule: str
    kind: str = ""
    name: str = ""
    path: tuple[str | int, ...] = ()
    value: Any = None
    more: tuple[tuple[Any, ...], ...] = ()
    added: Mapping[str, Any] | None = None

    def document(self, declared: Mapping[tuple[str, str], Mapping[str, Any]]) -> Document:
        """Return the object, from the declared ones by kind and Pulumi's name."""
        if self.added is not None:
            return dict(self.added)
        found = (
            written(declared[self.kind, self.name], self.path, self.value)
            if self.path
            else dict(declared[self.kind, self.name])
        )
        for *path, value in self.more:
            found = written(found, path, value)
        result: Document = found
        return result


def labels(data_class: str, *, site: str = "frankfurt", jurisdiction: str = "eu") -> dict[str, str]:
    """Labels as an author writes them."""
    return {
        "app.kubernetes.io/name": "planted",
        "shopsphere.io/data-class": data_class,
        "shopsphere.io/site": site,
        "shopsphere.io/jurisdiction": jurisdiction,
        "shopsphere.io/owner": "storefront",
    }


def planted(version: str, kind: str, namespace: str = "shop", data_class: str = "personal", **fields: Any) -> Document:
    """An object that no stack declares."""
    metadata = {"name": "planted", "labels": labels(data_class), **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


CONTAINER = {"name": "planted", "image": "registry.example/planted:1"}
TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": labels("personal")},
    "spec": {"containers": [CONTAINER], "nodeSelector": {"shopsphere.io/site": "frankfurt"}},
}
SELECTOR = {"matchLabels": {"app.kubernetes.io/name": "planted"}}
SHOP, LEDGER = ("Deployment", "shop"), ("Cluster", "ledger-frankfurt")
MIGRATION = ("Job", "ledger-migration")
POD: tuple[str | int, ...] = ("spec", "template", "spec")
SHOP_CONTAINER = (*POD, "containers", 0)
TEMPLATE_LABELS = ("spec", "template", "metadata", "labels")
CLASS, SITE = "shopsphere.io/data-class", "shopsphere.io/site"
JURISDICTION, OWNER = "shopsphere.io/jurisdiction", "shopsphere.io/owner"
LABELS = ("metadata", "labels")
OUTSIDE = ("spec", "externalClusters", 0)
SERVICE_LOGIN = ("spec", "managed", "roles", 0)
MANAGED = ("spec", "managed", "services", "additional", 0, "serviceTemplate", "spec")
VOLUME = ("PersistentVolume", "frankfurt-v1")
AGENTS_RIGHT = ("RoleBinding", "data-ledger-site-agent")
WATCHERS_RIGHT = ("RoleBinding", "shop-site-watch")
OPERATORS_RIGHT = ("RoleBinding", "data-ledger-site-operate")
DRIFTS_RIGHT = ("RoleBinding", "gateway-site-drift")
TO_PROVIDER = ("NetworkPolicy", "payments-to-payment-provider")
ANYWHERE = [{"ipBlock": {"cidr": "0.0.0.0/0"}}]


def egress(*peers: Mapping[str, Any]) -> list[Document]:
    """One rule for TCP 443."""
    return [{"to": [*peers], "ports": [{"port": 443, "protocol": "TCP"}]}]


def block(cidr: str) -> Document:
    """A peer by its network."""
    return {"ipBlock": {"cidr": cidr}}


def service(**spec: Any) -> Document:
    """A service in the shop's namespace."""
    return planted("v1", "Service", spec=spec)


def slice_of(address: str) -> Document:
    """The addresses behind a service, written by hand."""
    return planted("discovery.k8s.io/v1", "EndpointSlice", addressType="IPv4", endpoints=[{"addresses": [address]}])


def namespace(**changed: str) -> Document:
    """A namespace that no stack declares; a label with an empty value is left out."""
    found = {**labels("personal"), "pod-security.kubernetes.io/enforce": "restricted"}
    found |= {f"shopsphere.io/{key.replace('_', '-')}": value for key, value in changed.items() if key != "enforce"}
    found |= {"pod-security.kubernetes.io/enforce": changed["enforce"]} if "enforce" in changed else {}
    kept = {key: value for key, value in found.items() if value}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "planted", "labels": kept}}


def declared_of(resources: Sequence[Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """What a stack declares, by kind and Pulumi's name."""
    return {(each.kind, each.name): each.props for each in resources}
