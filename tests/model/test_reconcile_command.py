"""`shopsphere reconcile PAIR`: every difference with what to do, and an exit code that says whether there is one."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import ProgramError
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.status.reconciliation import NotComparedError, as_json, as_text, compare_at

pytestmark = pytest.mark.requirement("reconciliation against the payment provider finds every difference")

NOTHING = {"count": 0, "with_problem": 0, "oldest_seconds": 0}
BOOKS = {
    "first_day": "2026-11-26", "last_day": "2026-11-27", "charges": 7, "payments": 7, "differences": [],
    "unsettled": NOTHING,
}  # fmt: skip
ORDERS = {
    "first_day": "2026-11-26",
    "last_day": "2026-11-27",
    "orders": 9,
    "payments": 8,
    "found": 0,
    "differences": [],
}
ORDER_DIFFERENCE = {
    "kind": "payment without order", "key": "order-34", "order": "E-5", "expected": "an order", "found": "none",
    "age_seconds": 900, "action": "give it back",
}  # fmt: skip
DIFFERENCE = {
    "kind": "amount", "key": "order-12", "charge": "ch_1", "expected": "20000", "found": "10000", "action": "refund it",
}  # fmt: skip


class Pods:
    """A cluster whose programs print what a test says."""

    context = "frankfurt"

    def __init__(self, *outputs: object, ready: str = "True") -> None:
        self.outputs = list(outputs)
        self.ready = ready
        self.ran: list[tuple[str, str, list[str]]] = []

    def items(self, path: str, **_: str) -> list[dict[str, Any]]:
        name = path.split("/")[4]
        return [
            {"metadata": {"name": f"{name}-{number}"}, "status": {"conditions": [{"type": "Ready", "status": state}]}}
            for number, state in enumerate(("False", self.ready))
        ]

    def execute(self, namespace: str, pod: str, container: str, command: list[str], **_: float) -> str:
        self.ran.append((namespace, pod, command))
        assert container == namespace
        output = self.outputs.pop(0)
        if isinstance(output, Exception):
            raise output
        return output if isinstance(output, str) else json.dumps(output) + "\n"


def compared(*outputs: object, ready: str = "True") -> Any:
    return compare_at(cast(Cluster, Pods(*outputs, ready=ready)), "rdc-a", "frankfurt", 2)


def test_equal_books_are_good() -> None:
    found = compared(BOOKS, ORDERS, NOTHING)
    assert found.exit_code is ExitCode.GOOD
    assert "7 charges and 7 payments compared, 0 differences" in as_text(found, 200)


def test_it_asks_in_ready_pods_of_the_active_site() -> None:
    pods = Pods(BOOKS, ORDERS, NOTHING)
    compare_at(cast(Cluster, pods), "rdc-a", "frankfurt", 5)
    assert pods.ran == [
        ("payments", "payments-1", ["shop", "reconcile", "--days", "5"]),
        ("shop", "shop-1", ["shop", "reconcile-orders", "--days", "5"]),
        ("shop", "shop-1", ["shop", "unsettled"]),
    ]


def test_a_difference_is_told_with_what_to_do() -> None:
    found = compared({**BOOKS, "differences": [DIFFERENCE]}, ORDERS, NOTHING)
    assert found.exit_code is ExitCode.FAILED
    text = as_text(found, 80)
    assert "amount: order-12, charge ch_1\n  expected: 20000\n  found:    10000\n  do:       refund it" in text
    assert json.loads(as_json(found))["differences"] == [DIFFERENCE]


def test_a_difference_of_orders_is_told_with_what_to_do() -> None:
    found = compared(BOOKS, {**ORDERS, "found": 3, "differences": [ORDER_DIFFERENCE]}, NOTHING)
    assert found.exit_code is ExitCode.FAILED
    text = as_text(found, 80)
    assert "  9 orders and 8 payments compared, 3 differences" in text
    assert (
        "payment without order: order-34, order E-5\n  expected: an order\n  found:    none\n  do:       give it back"
        in text
    )
    assert "2 more differences of orders" in text
    assert json.loads(as_json(found))["orders"]["differences"] == [ORDER_DIFFERENCE]


@pytest.mark.parametrize(
    ("waiting", "code"),
    [
        ({"count": 3, "with_problem": 0, "oldest_seconds": 12}, ExitCode.GOOD),
        ({"count": 3, "with_problem": 1, "oldest_seconds": 12}, ExitCode.FAILED),
        ({"count": 3, "with_problem": 0, "oldest_seconds": 301}, ExitCode.FAILED),
    ],
)
def test_what_waits_too_long_is_for_a_person(waiting: dict[str, int], code: ExitCode) -> None:
    assert compared({**BOOKS, "unsettled": waiting}, ORDERS, NOTHING).exit_code is code
    found = compared(BOOKS, ORDERS, waiting)
    assert found.exit_code is code
    assert f"3, the oldest for {waiting['oldest_seconds']} s" in as_text(found, 200)


@pytest.mark.parametrize(
    "outputs",
    [
        (ProgramError("shop reconcile: the provider's settlements could not be read"),),
        ("",), ("not json",), ("[]",), ({}, ORDERS, NOTHING), ({**BOOKS, "charges": "many"}, ORDERS, NOTHING),
        (BOOKS, ProgramError("the payments could not be read")), (BOOKS, {}, NOTHING),
        (BOOKS, {**ORDERS, "found": 2}, NOTHING), (BOOKS, {**ORDERS, "differences": [ORDER_DIFFERENCE]}, NOTHING),
        (BOOKS, ORDERS, ProgramError("no database")), (BOOKS, ORDERS, {"count": -1}),
    ],
)  # fmt: skip
def test_what_could_not_be_compared_is_not_known(outputs: tuple[object, ...]) -> None:
    with pytest.raises(NotComparedError) as error:
        compared(*outputs)
    assert error.value.exit_code is ExitCode.UNKNOWN


def test_no_ready_pod_is_not_known() -> None:
    with pytest.raises(NotComparedError, match="no pod of payments is ready"):
        compared(BOOKS, ORDERS, NOTHING, ready="False")
