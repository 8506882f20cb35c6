"""The flows that a database declares, each with the place that declares it."""

from __future__ import annotations

from typing import Any

import pytest
from fleet_by_hand import ADDRESSES, declared_by, follows, member, named, program, resource, with_planted
from fleet_planted import (
    BARMAN,
    DUBLIN_STORE,
    archive,
    external_name,
    object_store,
    stands_for,
    statements,
    subscription,
)

from policies.fleet.flow import Store
from policies.fleet.graph import fleet_of
from policies.resource import Resource
from shopsphere.topology import load_topology

FOLLOWS_DUBLIN = "ledger-dublin -> replication -> ledger-frankfurt (spec.externalClusters[0])"
LOGICAL = {"cluster": {"name": "commerce-ashburn"}, "externalClusterName": "commerce-frankfurt"}
STANDBYS = {"synchronous": {"standbyNamesPre": ["ledger-dublin"], "standbyNamesPost": ["analytics"]}}
PLUGIN = {"name": BARMAN, "parameters": {"barmanObjectName": "wal"}}


def ledger(**spec: Any) -> Resource:
    """The ledger at Frankfurt, which follows the one at Dublin."""
    return member("ledger", "frankfurt", "dublin", **spec)


def connected(name: str, host: str, port: str = "30033") -> dict[str, Any]:
    parameters = {"host": host, **({"port": port} if port else {})}
    return {"externalClusters": [{"name": name, "connectionParameters": parameters}]}


def described(kind: str, namespace: str, name: str) -> Resource:
    """A description of an object store at headquarters, or what only looks like one."""
    props = {
        "metadata": named(name, namespace, "payment"),
        "spec": {"configuration": archive("s3://other", "https://10.99.0.40:9000")},
    }
    return resource("lab-frankfurt", f"kubernetes:barmancloud.cnpg.io/v1:{kind}", f"{namespace}-{name}", props)


DECLARED: dict[str, tuple[list[Resource], list[str]]] = {
    "the other member": ([ledger()], [FOLLOWS_DUBLIN]),
    "itself and the other member, in one list": (
        [ledger(**connected("pair", f"{ADDRESSES['frankfurt']}, {ADDRESSES['dublin']}"))],
        [FOLLOWS_DUBLIN],
    ),
    "a member without a port is known by its name": (
        [ledger(**connected("ledger-dublin", ADDRESSES["dublin"], port=""))],
        [FOLLOWS_DUBLIN],
    ),
    "a name of another site's member": (
        [ledger(**connected("ledger-dublin", ADDRESSES["ashburn"]))],
        ["ledger-ashburn -> replication -> ledger-frankfurt (spec.externalClusters[0])"],
    ),
    "a restore": (
        [ledger(externalClusters=[{"name": "old", "barmanObjectStore": archive("s3://b", DUBLIN_STORE)}])],
        ["s3://b at dublin -> restore -> ledger-frankfurt (spec.externalClusters[0].barmanObjectStore)"],
    ),
    "standbys": (
        [ledger(externalClusters=[], postgresql=STANDBYS)],
        [
            "ledger-frankfurt -> replication -> ledger-dublin (spec.postgresql.synchronous.standbyNamesPre)",
            "ledger-frankfurt -> replication -> standby analytics (spec.postgresql.synchronous.standbyNamesPost)",
        ],
    ),
    "a backup": (
        [ledger(externalClusters=[], backup={"barmanObjectStore": archive("s3://b", DUBLIN_STORE)})],
        ["ledger-frankfurt -> backup -> s3://b at dublin (spec.backup.barmanObjectStore)"],
    ),
    "a backup of which only the endpoint is known": (
        [ledger(externalClusters=[], backup={"barmanObjectStore": archive("", DUBLIN_STORE)})],
        [f"ledger-frankfurt -> backup -> {DUBLIN_STORE} at dublin (spec.backup.barmanObjectStore)"],
    ),
    "a backup at two sites": (
        [ledger(externalClusters=[], backup={"barmanObjectStore": archive("s3://b", "https://rdc-a.shopsphere.test")})],
        ["ledger-frankfurt -> backup -> s3://b (spec.backup.barmanObjectStore)"],
    ),
    "a backup in the jurisdiction's archive": (
        [ledger(externalClusters=[], backup={"barmanObjectStore": archive("s3://b", "https://10.99.0.61:8443")})],
        ["ledger-frankfurt -> backup -> s3://b at the archive of eu (spec.backup.barmanObjectStore)"],
    ),
    "snapshots": (
        [ledger(externalClusters=[], backup={"volumeSnapshot": {"online": True}})],
        ["ledger-frankfurt -> backup -> snapshots of class unknown (spec.backup.volumeSnapshot)"],
    ),
    "a plugin's archive": (
        [object_store("frankfurt", "s3://wal", DUBLIN_STORE), ledger(externalClusters=[], plugins=[PLUGIN])],
        ["ledger-frankfurt -> backup -> s3://wal at dublin (spec.plugins[0])"],
    ),
    "a plugin whose archive is described nowhere": (
        [ledger(externalClusters=[], plugins=[{**PLUGIN, "isWALArchiver": True}, {}])],
        [
            f"ledger-frankfurt -> WAL archive -> plugin {BARMAN} (spec.plugins[0])",
            "ledger-frankfurt -> backup -> plugin without a name (spec.plugins[1])",
        ],
    ),
    "a plugin whose archive is described elsewhere": (
        [
            described("ObjectStore", "data-commerce", "wal"),
            described("ObjectStore", "data-ledger", "other"),
            described("Report", "data-ledger", "wal"),
            ledger(externalClusters=[], plugins=[PLUGIN]),
        ],
        [f"ledger-frankfurt -> backup -> plugin {BARMAN} (spec.plugins[0])"],
    ),
    "commands": (
        [
            ledger(
                externalClusters=[],
                postgresql={"parameters": {"archive_command": "cp %p /wal/%f", "archive_library": "basic_archive"}},
            )
        ],
        [
            "ledger-frankfurt -> WAL archive -> whatever archive_command runs"
            " (spec.postgresql.parameters.archive_command)",
            "ledger-frankfurt -> WAL archive -> whatever archive_library runs"
            " (spec.postgresql.parameters.archive_library)",
        ],
    ),
    "a foreign server by its short name": (
        [
            external_name("frankfurt", "data-ledger", "old", "newyork.shopsphere.test"),
            ledger(externalClusters=[], bootstrap=statements("SELECT 1", "SELECT dblink('host=OLD dbname=l', 'q')")),
        ],
        ["ledger-frankfurt -> export -> newyork (spec.bootstrap.initdb.postInitApplicationSQL[1])"],
    ),
    "a subscription by an address, without a port": (
        [
            ledger(
                externalClusters=[],
                bootstrap=statements("create subscription s connection 'hostaddr=10.99.0.40' publication p"),
            )
        ],
        ["newyork -> replication -> ledger-frankfurt (spec.bootstrap.initdb.postInitApplicationSQL[0])"],
    ),
    "a subscription by a short name, its port before it": (
        [
            external_name("frankfurt", "data-ledger", "us", "ashburn.shopsphere.test"),
            ledger(
                externalClusters=[],
                bootstrap=statements("create subscription s connection 'port=30033 host=us' publication p"),
            ),
        ],
        ["ledger-ashburn -> replication -> ledger-frankfurt (spec.bootstrap.initdb.postInitApplicationSQL[0])"],
    ),
    "a foreign server by an address of IPv6 and one by its name": (
        [
            ledger(
                externalClusters=[],
                bootstrap=statements(
                    "SELECT dblink('host=2001:db8::7', 'q'), dblink('host=newyork.shopsphere.test', 'q')"
                ),
            )
        ],
        [
            "ledger-frankfurt -> export -> newyork (spec.bootstrap.initdb.postInitApplicationSQL[0])",
            "ledger-frankfurt -> export -> 2001:db8::7 (spec.bootstrap.initdb.postInitApplicationSQL[0])",
        ],
    ),
    "a statement that leads to what is beside it, and to itself": (
        [
            program("frankfurt", "dump", "payment", namespace="data-ledger"),
            ledger(externalClusters=[], bootstrap=statements("SELECT dblink('host=ledger-rw.data-ledger.svc', 'q')")),
        ],
        [
            "ledger-frankfurt -> export -> data-ledger/dump at frankfurt"
            " (spec.bootstrap.initdb.postInitApplicationSQL[0])"
        ],
    ),
    "a statement that leads to itself, and to another site": (
        [
            stands_for("frankfurt", "data-ledger", ADDRESSES["frankfurt"], ADDRESSES["newyork"]),
            ledger(
                externalClusters=[],
                bootstrap=statements("SELECT dblink('host=both.data-ledger.svc port=30033', 'q')"),
            ),
        ],
        ["ledger-frankfurt -> export -> newyork (spec.bootstrap.initdb.postInitApplicationSQL[0])"],
    ),
    "a subscription": (
        [subscription("ashburn", "commerce-ashburn", "commerce-frankfurt")],
        ["commerce-frankfurt -> replication -> commerce-ashburn (spec.externalClusterName)"],
    ),
    "a subscription to itself": ([subscription("ashburn", "commerce-ashburn", "commerce-ashburn")], []),
    "a subscription to nobody": ([subscription("ashburn", "commerce-ashburn", "nobody")], []),
    "a subscription of nobody": ([subscription("ashburn", "nobody", "commerce-frankfurt")], []),
    "a subscription of another site's database": (
        [subscription("ashburn", "commerce-chicago", "commerce-frankfurt")],
        [],
    ),
    "a subscription to messages": (
        [resource("lab-ashburn", "kubernetes:messaging.example/v1:Subscription", "s", {"spec": LOGICAL})],
        [],
    ),
    "a publication": (
        [resource("lab-ashburn", "kubernetes:postgresql.cnpg.io/v1:Publication", "p", {"spec": LOGICAL})],
        [],
    ),
}


@pytest.mark.parametrize("name", DECLARED)
def test_a_database_declares_flows_each_with_its_place(name: str) -> None:
    planted, flows = DECLARED[name]
    assert sorted(declared_by(*planted)) == sorted(flows)


@pytest.mark.requirement("a peer that no stack declares holds what its peer holds")
def test_a_peer_that_no_stack_declares_is_a_database_of_the_same_class() -> None:
    planted = ledger(externalClusters=[follows("commerce", "newyork"), {"name": ""} | follows("ledger", "newyork")])
    fleet, _ = fleet_of(with_planted(planted), load_topology())
    assert [store for store in fleet.stores if "no stack" in store.name] == [
        Store(
            name=f"{name}-newyork at newyork, which no stack declares",
            site="newyork",
            classes=frozenset({"payment"}),
            jurisdiction="headquarters",
            is_database=True,
        )
        for name in ("commerce", "ledger")
    ]
