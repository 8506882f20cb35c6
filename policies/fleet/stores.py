"""The stores that a site's stack declares: databases, workloads, volumes, and namespaces without any of these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.fleet.flow import Store
from policies.kinds import is_core, is_database, is_workload
from policies.reading import mapping, text
from policies.residency.data_read import EVENT_NAMESPACES, NAMESPACES
from policies.resource import Resource
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.placement import DATA_CLASS_LABEL
from shopsphere.topology import Topology

OF_DATABASES = {database.name: database.data_class for database in DATABASES}
COPIED_FROM = ("pg_basebackup", "recovery")


def namespace_of(resource: Resource) -> str:
    """Return the namespace that an object is in; empty for one of the whole cluster."""
    return text(resource.props, "metadata", "namespace")


def store_of(resource: Resource, site: str, model: Topology) -> Store | None:
    """Return the store that a resource of a site's stack is; None for what holds no data of its own."""
    if is_database(resource):
        return _store(resource, _own_name(resource), site, model, is_database=True)
    if is_workload(resource):
        return _store(resource, _workload_name(resource, site), site, model)
    if is_core(resource, "PersistentVolume"):
        return _store(resource, f"volume {_own_name(resource)}", site, model)
    return None


def stores_of(resources: Sequence[Resource], site: str, model: Topology) -> Iterator[tuple[Store, Resource]]:
    """Yield each store of a site's stack with what declares it; a namespace that has none is one itself."""
    found = [(store, each) for each in resources if (store := store_of(each, site, model))]
    yield from found
    peopled = {store.namespace for store, _ in found}
    for each in resources:
        if is_core(each, "Namespace") and _own_name(each) not in peopled:
            yield _store(each, f"{_own_name(each)} at {site}", site, model), each


def _store(resource: Resource, name: str, site: str, model: Topology, *, is_database: bool = False) -> Store:
    namespace = _own_name(resource) if is_core(resource, "Namespace") else namespace_of(resource)
    written = text(resource.labels, DATA_CLASS_LABEL)
    # A label is what its author writes: what the tables of the estate say counts as well.
    known = {written, {**NAMESPACES, **EVENT_NAMESPACES}.get(namespace, "")}
    if is_database:
        known.add(OF_DATABASES.get(name.removesuffix(f"-{site}"), ""))
    bootstrap = mapping(resource.props, "spec", "bootstrap") if is_database else {}
    return Store(
        name=name,
        site=site,
        classes=frozenset(known & set(model.data_classes)),
        jurisdiction=model.jurisdiction_of(site),
        namespace=namespace,
        is_copy=any(key in bootstrap for key in COPIED_FROM),
        is_database=is_database,
    )


def _own_name(resource: Resource) -> str:
    return text(resource.props, "metadata", "name") or resource.name


def _workload_name(resource: Resource, site: str) -> str:
    name, namespace = _own_name(resource), namespace_of(resource)
    return f"{name} at {site}" if namespace in ("", name) else f"{namespace}/{name} at {site}"
