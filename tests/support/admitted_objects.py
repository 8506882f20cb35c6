"""Objects that the policy pack and a site's API server let in alike: each is close to one that they refuse."""

from __future__ import annotations

from admission_case import (
    CLASS,
    LABELS,
    LEDGER,
    MIGRATION,
    OPERATORS_RIGHT,
    OUTSIDE,
    OWNER,
    POD,
    SHOP,
    SHOP_CONTAINER,
    TO_PROVIDER,
    Case,
    block,
    egress,
)

# fmt: off
ADMITTED: dict[str, Case] = {
    "image by digest": Case("", *SHOP, (*SHOP_CONTAINER, "image"), f"localhost/shopsphere/shop@sha256:{'0' * 64}"),
    "image of another version": Case("", *SHOP, (*SHOP_CONTAINER, "image"), "localhost/shopsphere/shop:0.2.0"),
    "migration of another version": Case("", *MIGRATION, (*SHOP_CONTAINER, "image"), "localhost/shopsphere/shop:0.2.0"),
    "database of another version": Case("", *LEDGER, ("spec", "imageName"), "localhost/shopsphere/postgresql:15.19-1"),
    "temporary directory": Case("", *SHOP, (*POD, "volumes", 0), {"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}),
    "recovery that follows its peer": Case("", *LEDGER, ("spec", "bootstrap"), {
        "pg_basebackup": {"source": "ledger-dublin", "database": "ledger", "owner": "ledger",
                          "secret": {"name": "ledger-owner"}}}),
    "roles after a failover": Case("", *LEDGER, ("spec", "replica", "primary"), "ledger-dublin"),
    "peer by its name": Case("", *LEDGER, (*OUTSIDE, "connectionParameters", "host"), "dublin.shopsphere.test"),
    "provider of payments": Case("", *TO_PROVIDER, ("spec", "egress"), egress(block("192.0.2.0/24"))),
    "widest provider of payments": Case("", *TO_PROVIDER, ("spec", "egress"), egress(block("192.0.0.0/20"))),
    "API server at an address of the owner's": Case("", "NetworkPolicy", "data-ledger-to-api-server",
                                                    ("spec", "egress"), egress(block("172.16.9.9/32"))),
    "peer of the pair": Case("", "NetworkPolicy", "data-ledger-to-peer", ("spec", "egress"),
                             egress(block("10.99.0.12/32"))),
    "archive of the jurisdiction": Case("", "NetworkPolicy", "data-ledger-to-peer", ("spec", "egress"),
                                        egress(block("10.99.0.61/32")), (("metadata", "name", "to-archive"),)),
    "way in to public data": Case("", "Service", "gateway", ("spec", "externalTrafficPolicy"), "Cluster"),
    "settings as strict as their namespace": Case("", "ConfigMap", "payments-pair-authority",
                                                  (*LABELS, CLASS), "personal"),
    "right of operators, renewed": Case("", *OPERATORS_RIGHT, (*LABELS, OWNER), "operations"),
    "right of drift at another workload": Case(
        "", "RoleBinding", "payments-site-drift", ("metadata", "namespace"), "archive-ledger"),
    "namespace of another owner": Case("", "Namespace", "shop", (*LABELS, OWNER), "checkout"),
}
# fmt: on
