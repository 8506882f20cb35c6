"""The table of workloads: a new one is an entry here and its sizes in the stack files.

Namespaces, quotas, ports, network policies, the configuration's shape, Deployments and Services follow from it.
"""

from __future__ import annotations

import json

from shopsphere.estate.databases import COMMERCE, LEDGER
from shopsphere.estate.pair_secrets import PSP_API_KEY
from shopsphere.estate.workload_declaration import Process, Surroundings, WorkloadDeclaration


def _payment_methods(surroundings: Surroundings) -> dict[str, str]:
    methods = surroundings.config.payment_methods
    return {"SHOP_PAYMENT_METHODS": json.dumps(methods, ensure_ascii=False)} if methods else {}


PAYMENTS = WorkloadDeclaration(
    name="payments",
    data_class="payment",
    owner="payments",
    power_percent=10,
    ports=(8001,),
    databases=(LEDGER,),
    endpoints=("payment-provider",),
    process=Process(
        command=("shop", "payments"),
        migration=("shop", "migrate", "ledger"),
        settings=lambda surroundings: {"PSP_URL": surroundings.config.psp_url},
        secrets={"PSP_API_KEY": PSP_API_KEY},
    ),
)

SHOP = WorkloadDeclaration(
    name="shop",
    data_class="personal",
    owner="storefront",
    power_percent=40,
    ports=(8000,),
    calls=(PAYMENTS,),
    databases=(COMMERCE,),
    process=Process(
        command=("shop", "serve"),
        migration=("shop", "migrate", "commerce"),
        settings=lambda surroundings: {
            "SHOP_PUBLIC_URL": surroundings.public_url,
            "SHOP_STATIC_URL": surroundings.static_url,
            "PAYMENTS_URL": PAYMENTS.url,
            **_payment_methods(surroundings),
        },
        secrets={"SHOP_SESSION_SECRET": "sessionSecret"},
    ),
)

GATEWAY_HTTPS_PORT = 8443
GATEWAY_HTTP_PORT = 8080
GATEWAY = WorkloadDeclaration(
    name="gateway",
    data_class="public",
    owner="platform",
    power_percent=10,
    ports=(GATEWAY_HTTPS_PORT, GATEWAY_HTTP_PORT),
    image="gateway",
    open_to_customers=True,
    calls=(SHOP,),
    endpoints=("site-agent",),
)

OWN_COMPONENTS = frozenset({GATEWAY.name})
"""Workloads without a process, because components/regional_site.py has a component for each that makes its pods."""

WORKLOADS = (SHOP, PAYMENTS, GATEWAY)
"""What every site of a pair runs, whichever role it has."""
