"""Which store a resource is: its name, its namespace, and the classes that it holds whatever its label says."""

from __future__ import annotations

from typing import Any

import pytest
from fleet_by_hand import CLUSTER, DEPLOYMENT, NAMESPACE, resource

from policies.fleet.flow import Store
from policies.fleet.stores import store_of, stores_of
from shopsphere.topology import load_topology

MODEL = load_topology()
PUBLIC = {"shopsphere.io/data-class": "public"}


def store(token: str, metadata: dict[str, Any], spec: dict[str, Any] | None = None, name: str = "pulumi") -> Store:
    """The store that one resource of Frankfurt's stack is."""
    found = store_of(
        resource("lab-frankfurt", token, name, {"metadata": metadata, "spec": spec or {}}), "frankfurt", MODEL
    )
    assert found
    return found


@pytest.mark.parametrize(
    ("bootstrap", "is_copy"),
    [({"initdb": {}}, False), ({"pg_basebackup": {"source": "x"}}, True), ({"recovery": {"source": "x"}}, True)],
    ids=str,
)
def test_a_database_that_begins_in_another_is_a_copy(bootstrap: dict[str, Any], *, is_copy: bool) -> None:
    found = store(CLUSTER, {"name": "ledger-frankfurt", "namespace": "data-ledger"}, {"bootstrap": bootstrap})
    assert (found.is_copy, found.is_database) == (is_copy, True)


@pytest.mark.requirement("a label that names another class hides nothing: the class follows from what is read")
def test_a_databases_class_follows_from_its_name_too() -> None:
    """In a namespace that no table knows."""
    found = store(CLUSTER, {"name": "ledger-frankfurt", "namespace": "elsewhere", "labels": PUBLIC})
    assert found.classes == {"payment", "public"}
    workload = store(DEPLOYMENT, {"name": "ledger-frankfurt", "namespace": "elsewhere", "labels": PUBLIC})
    assert workload.classes == {"public"}, "a program with a database's name holds no database"


@pytest.mark.requirement("a label that names another class hides nothing: the class follows from what is read")
def test_a_namespaces_class_follows_from_its_name_too() -> None:
    found = resource("lab-frankfurt", NAMESPACE, "ns", {"metadata": {"name": "payments", "labels": PUBLIC}})
    ((namespace, _),) = stores_of([found], "frankfurt", MODEL)
    assert (namespace.name, namespace.namespace) == ("payments at frankfurt", "payments")
    assert namespace.classes == {"payment", "public"}


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({"name": "crm", "namespace": "sales"}, "sales/crm at frankfurt"),
        ({"name": "crm", "namespace": "crm"}, "crm at frankfurt"),
        ({"name": "crm"}, "crm at frankfurt"),
        ({"namespace": "sales"}, "sales/pulumi at frankfurt"),
    ],
)
def test_a_program_is_called_by_its_own_name_or_else_by_pulumis(metadata: dict[str, Any], name: str) -> None:
    assert store(DEPLOYMENT, metadata).name == name


def test_what_is_at_no_site_of_ours_has_no_jurisdiction_and_no_namespace() -> None:
    away = Store("away")
    assert (away.site, away.jurisdiction, away.namespace, away.is_copy, away.is_database) == ("", "", "", False, False)
