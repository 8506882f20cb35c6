"""A namespace: what data it holds, who owns it, its share of the site's power, and the names of services in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NamespaceModel:
    """One namespace.

    Attributes:
        name: the namespace.
        data_class: class of the data that its pods handle.
        owner: team that answers for it.
        power_percent: its share of the site's power for pods (%).
        claims: most claims of volumes in it.
        load_balancers: most services in it with an address outside the cluster.
        node_ports: most ports of the nodes that its services take; a load balancer takes one for each of its own.
    """

    name: str
    data_class: str
    owner: str
    power_percent: int
    claims: int = 0
    load_balancers: int = 0
    node_ports: int = 0

    def host(self, service: str) -> str:
        """Return the DNS name under which every pod of the cluster finds a service of this namespace."""
        return f"{service}.{self.name}.svc.cluster.local"
