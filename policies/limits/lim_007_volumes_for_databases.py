"""Each database finds a volume of its own: of its class of data, and large enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from policies.kinds import is_core, is_database
from policies.reading import mapping, nodes, quantity, text, whole_number
from policies.resource import Resource
from policies.rule import StackRule
from policies.verdict import violation
from shopsphere.estate.placement import DATA_CLASS_LABEL
from shopsphere.foundation.finding import Finding, Severity


def applies(resource: Resource) -> bool:
    """Return whether it is a database, the event log, or a volume."""
    return is_database(resource) or resource.kind == "StatefulSet" or is_core(resource, "PersistentVolume")


def measure(resource: Resource) -> Iterator[dict[str, Any]]:
    """Yield the class of data, and the size that a database asks for, or that a volume has."""
    value = {"class": text(resource.labels, DATA_CLASS_LABEL), "name": text(resource.props, "metadata", "name")}
    if is_database(resource):
        size = mapping(resource.props, "spec", "storage").get("size")
        instances = whole_number(resource.props, "spec", "instances", default=1)
        yield {**value, "size": quantity(size, "spec.storage.size"), "written": str(size), "instances": instances}
    elif resource.kind == "StatefulSet":
        for at, claim in enumerate(nodes(resource.props, "spec", "volumeClaimTemplates")):
            size = mapping(claim, "spec", "resources", "requests").get("storage")
            place = f"spec.volumeClaimTemplates[{at}].spec.resources.requests.storage"
            pods = whole_number(resource.props, "spec", "replicas", default=1)
            yield {**value, "size": quantity(size, place), "written": str(size), "instances": pods}
    else:
        storage = mapping(resource.props, "spec", "capacity").get("storage")
        yield {**value, "capacity": quantity(storage, "spec.capacity.storage")}


def judge(measured: Sequence[tuple[Resource, dict[str, Any]]]) -> Iterator[Finding]:
    """Give each instance the smallest volume that is large enough, the largest instances first."""
    values = [value for _, value in measured]
    free: dict[str, list[Decimal]] = {}
    for value in sorted((value for value in values if "capacity" in value), key=lambda value: value["capacity"]):
        free.setdefault(value["class"], []).append(value["capacity"])
    databases = sorted((value for value in values if "size" in value), key=lambda value: value["size"], reverse=True)
    for database in databases:
        volumes = free.get(database["class"], [])
        for _ in range(database["instances"]):
            fitting = next((capacity for capacity in volumes if capacity >= database["size"]), None)
            if fitting is None:
                yield violation(
                    f"no volume of {database['written']} or more for {database['class']} data that {database['name']} "
                    "could have for itself",
                    "for each instance of a database one volume of its class of data, as large as its size or larger",
                )
                break
            volumes.remove(fitting)


RULE = StackRule(
    id="LIM-007",
    name="volumes-for-databases",
    reason="A database whose claim finds no volume waits for one without end.",
    severity=Severity.HIGH,
    remediation="add a volume under a new name, or lower the database's size, in the stack's configuration",
    applies=applies,
    measure=measure,
    judge=judge,
)
