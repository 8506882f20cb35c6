"""The table of workloads: a new one is an entry here and its sizes in the stack files.

Namespaces, quotas, ports, network policies, the configuration's shape, Deployments and Services follow from it.
"""

from __future__ import annotations

import json

from shopsphere.estate.databases import AUTHORITY_FILE, COMMERCE, DATABASES, LEDGER, DatabaseModel
from shopsphere.estate.event_log import EVENT_LOG
from shopsphere.estate.pair_secrets import PAYMENTS_CALL_KEY, PSP_API_KEY
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
        schema=("shop", "await-schema", "ledger"),
        settings=lambda surroundings: {"PSP_URL": surroundings.config.psp_url},
        secrets={"PSP_API_KEY": PSP_API_KEY, "PAYMENTS_CALL_KEY": PAYMENTS_CALL_KEY},
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
        schema=("shop", "await-schema", "commerce"),
        settings=lambda surroundings: {
            "SHOP_PUBLIC_URL": surroundings.public_url,
            "SHOP_STATIC_URL": surroundings.static_url,
            "PAYMENTS_URL": PAYMENTS.url,
            **_payment_methods(surroundings),
        },
        secrets={"SHOP_SESSION_SECRET": "sessionSecret", "PAYMENTS_CALL_KEY": PAYMENTS_CALL_KEY},
    ),
)

GATEWAY_HTTPS_PORT = 8443
GATEWAY_HTTP_PORT = 8080
GATEWAY_ORIGIN_PORT = 8444
GATEWAY = WorkloadDeclaration(
    name="gateway",
    data_class="public",
    owner="platform",
    power_percent=10,
    ports=(GATEWAY_HTTPS_PORT, GATEWAY_HTTP_PORT, GATEWAY_ORIGIN_PORT),
    image="gateway",
    open_to_customers=True,
    calls=(SHOP,),
    endpoints=("site-agent",),
)


def collector_of(database: DatabaseModel) -> WorkloadDeclaration:
    """Return the workload that takes a database's WAL and base backups to the archive (docs/backups.md)."""
    return WorkloadDeclaration(
        name=f"archive-{database.name}",
        data_class=database.data_class,
        owner=database.owner,
        power_percent=1,
        priority="background",
        ports=(8000,),
        image="archive",
        databases=(database,),
        replicates=True,
        endpoints=("archive",),
        process=Process(
            command=("archive", "collect"),
            settings=lambda surroundings: {
                "ARCHIVE_DATABASE": database.name,
                "ARCHIVE_HOST": database.host,
                "ARCHIVE_DATABASE_AUTHORITY_FILE": AUTHORITY_FILE,
                "ARCHIVE_URL": surroundings.archive_url,
                "ARCHIVE_BUCKET": database.cluster(surroundings.site),
                "ARCHIVE_RECIPIENT": surroundings.config.archive_recipient,
                "ARCHIVE_AUTHORITY": surroundings.config.archive_authority,
            },
            secrets={
                "ARCHIVE_SECRET": f"{database.name}ArchiveSecret",
                "ARCHIVE_REPLICATION_CERTIFICATE": "replicationCertificate",
                "ARCHIVE_REPLICATION_KEY": "replicationKey",
            },
            # A third more than the collector lets wait there: PostgreSQL's programs make files before it looks.
            scratch={"/var/spool/archive": "2Gi"},
        ),
    )


COLLECTORS = tuple(map(collector_of, DATABASES))

OWN_COMPONENTS = frozenset({GATEWAY.name, EVENT_LOG})
"""Workloads without a process, because components/regional_site.py has a component for each that makes its pods."""

WORKLOADS = (SHOP, PAYMENTS, GATEWAY, *COLLECTORS)
"""What every site of a pair runs, whichever role it has."""
