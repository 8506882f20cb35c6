"""Ways by which databases would leave, each with its path, written by hand."""

from __future__ import annotations

from fleet_by_hand import (
    follows,
    member,
)
from fleet_planted import (
    BARMAN,
    COMMERCE_EU,
    DUBLIN_STORE,
    LEDGER_EU,
    Seeded,
    archive,
    external_name,
    object_store,
    statements,
    subscription,
)

DATABASES: dict[str, Seeded] = {
    "a replica at headquarters, at the end of a chain": (
        [member("ledger", "newyork", "dublin")],
        "FLT-001",
        f"{LEDGER_EU} -> replication -> ledger-newyork",
    ),
    "a replica in another region": (
        [member("commerce", "chicago", "ashburn", externalClusters=[follows("commerce", "frankfurt")])],
        "FLT-001",
        f"{COMMERCE_EU} -> replication -> commerce-chicago",
    ),
    "a peer that no stack declares": (
        [
            member(
                "commerce",
                "dublin",
                "frankfurt",
                externalClusters=[
                    follows("commerce", "frankfurt"),
                    {"name": "x", "connectionParameters": {"host": "db.example.net"}},
                ],
            )
        ],
        "FLT-001",
        f"{COMMERCE_EU} -> replication -> commerce-dublin -> replication -> db.example.net",
    ),
    "a peer behind a name of the cluster": (
        [
            member(
                "ledger",
                "newyork",
                "dublin",
                externalClusters=[
                    {"name": "l", "connectionParameters": {"host": "l.data-ledger.svc", "port": "30033"}}
                ],
            ),
            external_name("newyork", "data-ledger", "l", "dublin.shopsphere.test"),
        ],
        "FLT-001",
        f"{LEDGER_EU} -> replication -> ledger-newyork",
    ),
    "a subscription": (
        [subscription("ashburn", "commerce-ashburn", "commerce-frankfurt")],
        "FLT-001",
        f"{COMMERCE_EU} -> replication -> commerce-ashburn",
    ),
    "a subscription by a statement": (
        [
            member(
                "commerce",
                "singapore",
                "sydney",
                bootstrap=statements("CREATE SUBSCRIPTION s CONNECTION 'host=10.99.0.21 port=30032' PUBLICATION p"),
            )
        ],
        "FLT-001",
        "commerce-ashburn (personal, us) -> replication -> commerce-singapore",
    ),
    "a synchronous standby that nobody declares": (
        [member("ledger", "ashburn", "chicago", postgresql={"synchronous": {"standbyNamesPre": ["analytics"]}})],
        "FLT-001",
        "ledger-ashburn (payment, us) -> replication -> standby analytics",
    ),
    "a backup nobody knows where": (
        [member("commerce", "frankfurt", "dublin", backup={"barmanObjectStore": archive("s3://acme/eu")})],
        "FLT-002",
        f"{COMMERCE_EU} -> backup -> s3://acme/eu",
    ),
    "a backup in the archive of another jurisdiction": (
        [
            member(
                "commerce",
                "frankfurt",
                "dublin",
                backup={"barmanObjectStore": archive("s3://b", "https://10.99.0.62:8443")},
            )
        ],
        "FLT-002",
        f"{COMMERCE_EU} -> backup -> s3://b at the archive of us",
    ),
    "a backup in another region": (
        [
            member(
                "commerce",
                "frankfurt",
                "dublin",
                backup={"barmanObjectStore": archive("s3://b", "https://s3.ashburn.shopsphere.test:9000")},
            )
        ],
        "FLT-002",
        f"{COMMERCE_EU} -> backup -> s3://b at ashburn",
    ),
    "a WAL archive of the replica, by a plugin": (
        [
            member(
                "ledger",
                "dublin",
                "frankfurt",
                plugins=[{"name": BARMAN, "isWALArchiver": True, "parameters": {"barmanObjectName": "wal"}}],
            ),
            object_store("dublin", "s3://wal", "https://10.99.0.40:9000"),
        ],
        "FLT-002",
        f"{LEDGER_EU} -> WAL archive -> s3://wal at newyork",
    ),
    "a WAL archive by a command": (
        [
            member(
                "ledger",
                "frankfurt",
                "dublin",
                postgresql={"parameters": {"archive_command": "rsync %p wal@10.99.0.40:/wal/%f"}},
            )
        ],
        "FLT-002",
        "ledger-frankfurt (payment, eu) -> WAL archive -> newyork",
    ),
    "a lawful backup that another region restores": (
        [
            member("commerce", "frankfurt", "dublin", backup={"barmanObjectStore": archive("s3://b", DUBLIN_STORE)}),
            member(
                "commerce",
                "chicago",
                "ashburn",
                externalClusters=[{"name": "old", "barmanObjectStore": archive("s3://b", DUBLIN_STORE)}],
            ),
        ],
        "FLT-002",
        f"{COMMERCE_EU} -> backup -> s3://b at dublin -> restore -> commerce-chicago",
    ),
    "snapshots of a driver": (
        [member("commerce", "sydney", "singapore", backup={"volumeSnapshot": {"className": "cloud"}})],
        "FLT-002",
        "commerce-singapore (personal, apac) -> replication -> commerce-sydney -> backup -> snapshots of class cloud",
    ),
}
