"""The namespaces of a site: what data they hold, who owns them and how much of the site's power they may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NamespaceModel:
    """One namespace.

    Attributes:
        name: the namespace.
        data_class: class of the data that its pods handle.
        owner: team that answers for it.
        power_percent: its share of the site's power for pods (%). The shares of a site sum to less than 100: the rest
            is for kube-system and the database operator.
    """

    name: str
    data_class: str
    owner: str
    power_percent: int


SHOP = NamespaceModel("shop", "personal", "storefront", 40)
PAYMENTS = NamespaceModel("payments", "payment", "payments", 10)
DATA_COMMERCE = NamespaceModel("data-commerce", "personal", "databases", 20)
DATA_LEDGER = NamespaceModel("data-ledger", "payment", "databases", 10)
GATEWAY = NamespaceModel("gateway", "public", "platform", 10)
REPORTING = NamespaceModel("reporting", "aggregate", "reporting", 80)

REGIONAL_NAMESPACES = (SHOP, PAYMENTS, DATA_COMMERCE, DATA_LEDGER, GATEWAY)
HEADQUARTERS_NAMESPACES = (REPORTING,)
