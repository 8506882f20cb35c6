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
    """

    name: str
    data_class: str
    owner: str
    power_percent: int

    def host(self, service: str) -> str:
        """Return the DNS name under which every pod of the cluster finds a service of this namespace."""
        return f"{service}.{self.name}.svc.cluster.local"
