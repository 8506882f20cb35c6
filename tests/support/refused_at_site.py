"""What a site's API server refuses and no preview can: an author's declaration is what the stack declares.

Each would be another program beside a database's secrets, or another secret under a known name.
"""

from __future__ import annotations

from admission_case import LEDGER, MIGRATION, OUTSIDE, SERVICE_LOGIN, SHOP, SHOP_CONTAINER, Case

IMAGE = (*SHOP_CONTAINER, "image")
CERTIFICATES = ("spec", "certificates")

# fmt: off
REFUSED_AT_SITE: dict[str, Case] = {
    "migration by another program": Case("SEC-002", *MIGRATION, IMAGE, "registry.example/shop:0.1.0"),
    "migration by another program of the registry":
        Case("SEC-002", *MIGRATION, IMAGE, "localhost/shopsphere/gateway:2.6"),
    "migration by a program with a like name": Case("SEC-002", *MIGRATION, IMAGE, "localhost/shopsphere/shop2:0.1.0"),
    "migration by a program below it": Case("SEC-002", *MIGRATION, IMAGE, "localhost/shopsphere/shop/tap:0.1.0"),
    "migration by a program of another port": Case("SEC-002", *MIGRATION, IMAGE, "localhost:5000/shopsphere/shop:0.1"),
    "workload by another program": Case("SEC-002", *SHOP, IMAGE, "registry.example/shop:0.1.0"),
    "workload by the database's program": Case("SEC-002", *SHOP, IMAGE, "localhost/shopsphere/postgresql:15.18-1"),
    "database by another program":
        Case("SEC-002", *LEDGER, ("spec", "imageName"), "registry.example/postgresql:15.18-1"),
    "database by a workload's program": Case("SEC-002", *LEDGER, ("spec", "imageName"), "localhost/shopsphere/shop:15"),
    "database in another namespace": Case("RES-007", *LEDGER, ("metadata", "namespace"), "shop"),
    "database of no declaration": Case(
        "RES-007", *LEDGER, ("metadata", "name"), "copy-frankfurt",
        (("spec", "replica", {"source": "copy-frankfurt"}), ("spec", "externalClusters", []),
         ("spec", "postgresql", {}))),
    "who vouches for clients": Case("RES-007", *LEDGER, (*CERTIFICATES, "clientCASecret"), "planted"),
    "who vouches for servers": Case("RES-007", *LEDGER, (*CERTIFICATES, "serverCASecret"), "planted"),
    "another server's key": Case("RES-007", *LEDGER, (*CERTIFICATES, "serverTLSSecret"), "commerce-server"),
    "another secret for replication": Case("RES-007", *LEDGER, (*CERTIFICATES, "replicationTLSSecret"), "planted"),
    "more names of the server":
        Case("RES-007", *LEDGER, (*CERTIFICATES, "serverAltDNSNames"), ["us.example"]),
    "another secret for the owner":
        Case("RES-007", *LEDGER, ("spec", "bootstrap", "initdb", "secret", "name"), "ledger-service"),
    "another secret for the login":
        Case("RES-007", *LEDGER, (*SERVICE_LOGIN, "passwordSecret", "name"), "ledger-owner"),
    "the other database's login": Case("RES-007", *LEDGER, (*SERVICE_LOGIN, "name"), "shop_app"),
    "the shop's password for a login of less":
        Case("RES-007", "Cluster", "commerce-frankfurt", ("spec", "managed", "roles", 2, "passwordSecret", "name"),
             "commerce-service"),
    "another key for the peer": Case("RES-007", *LEDGER, (*OUTSIDE, "sslKey", "key"), "password"),
    "another secret for the peer": Case("RES-007", *LEDGER, (*OUTSIDE, "sslKey", "name"), "ledger-owner"),
}
# fmt: on
