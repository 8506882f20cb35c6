"""What who only looks may run in a pod: RES-007. RBAC lets one into a pod or not, and inside everything is open.

Watchers and `drift` ask PostgreSQL as its administrator, since it tells its state to nobody else. Word for word what
they ask is known, so the API server lets them run that and no other program.
"""

from __future__ import annotations

from collections.abc import Sequence

from policies.admission.language import AdmissionPolicy, Resources, Validation, either, every, literal
from shopsphere.clients.questions import (
    ABOUT_CAPACITY,
    ABOUT_INSTANCE,
    ABOUT_VOLUMES,
    ADMINISTRATION,
    CONTAINER,
    TEMPLATE,
    inventory_command,
    statement_command,
)
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.event_log_site import COUNT
from shopsphere.estate.workload_declaration import WorkloadDeclaration
from shopsphere.estate.workloads import PAYMENTS, SHOP

_IN_DATABASES = (statement_command(ABOUT_INSTANCE), statement_command(ABOUT_CAPACITY), list(ABOUT_VOLUMES))
_DAYS = "object.command.size() == 4 && object.command[3].matches('^[0-9]{1,5}$')"


def policies() -> list[AdmissionPolicy]:
    """Return the policy about programs in pods; it is the same at every site."""
    no_input = "!object.?stdin.orValue(false)"
    return [
        AdmissionPolicy(
            "programs-of-watchers",
            (Resources("", ("pods/exec",)),),
            (
                Validation(
                    "RES-007",
                    every(no_input, either(*_of_databases(), *_of_workloads())),
                    "command: who looks runs what status, reconcile and metrics ask, and nothing else in a pod",
                ),
            ),
            conditions={"a-watcher": _is_of(Role.WATCH)},
            operations=("CONNECT",),
        ),
        AdmissionPolicy(
            "programs-of-drift",
            (Resources("", ("pods/exec",)),),
            (
                Validation(
                    "RES-007",
                    every(no_input, either(*_inventories())),
                    "command: drift takes the inventory of a database, and runs nothing else in a pod",
                ),
            ),
            conditions={"drift": _is_of(Role.DRIFT)},
            operations=("CONNECT",),
        ),
    ]


def _is_of(role: Role) -> str:
    return f"{literal(role.group)} in request.userInfo.groups"


def _of_databases() -> list[str]:
    where = _at([each.namespace.name for each in DATABASES], CONTAINER)
    return [every(where, f"object.command == {literal(command)}") for command in _IN_DATABASES]


def _inventories() -> list[str]:
    return [
        every(
            _at([each.namespace.name], CONTAINER),
            f"object.command == {literal(inventory_command((ADMINISTRATION, TEMPLATE, each.name)))}",
        )
        for each in DATABASES
    ]


def _of_workloads() -> list[str]:
    def told(workload: WorkloadDeclaration) -> str:
        return f"object.command == {literal(['shop', 'metrics', str(workload.ports[0])])}"

    def compared(verb: str) -> str:
        words = enumerate(["shop", verb, "--days"])
        return every(_DAYS, *(f"object.command[{at}] == {literal(word)}" for at, word in words))

    unsettled = f"object.command == {literal(['shop', 'unsettled'])}"
    return [
        every(_at([PAYMENTS.name], PAYMENTS.name), either(told(PAYMENTS), compared("reconcile"))),
        every(_at([SHOP.name], SHOP.name), either(told(SHOP), compared("reconcile-orders"), unsettled)),
        every(_at([COUNT.name], COUNT.name), told(COUNT)),
    ]


def _at(namespaces: Sequence[str], container: str) -> str:
    return f"request.namespace in {literal([*namespaces])} && object.container == {literal(container)}"
