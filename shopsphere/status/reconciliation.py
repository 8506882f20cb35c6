"""Whether the books of a pair agree with the payment provider's and with its orders, asked of the shop's own programs.

The comparisons themselves are made at the active site, each by who may see both of its sides: the payments service
(`shop reconcile`) reaches the ledger and the provider, the storefront (`shop reconcile-orders`) the orders and the
payments service. Here their answers are fetched, checked and shown; only differences leave the site.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import ClusterError
from shopsphere.clients.site_cluster import cluster_of
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.estate.workload_declaration import WorkloadDeclaration
from shopsphere.estate.workloads import PAYMENTS, SHOP
from shopsphere.foundation.columns import folded
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.status.workload_program import NoReadyPodError, run_in_workload
from shopsphere.topology import Topology
from shopsphere.witness.access import see_once

COMPARISON_SECONDS = 1200.0
"""Longest time of a comparison; a day of 100,000 charges takes some seconds."""
LONG_SECONDS = 300
"""An order or payment that waits longer for its outcome is for a person."""


class NotComparedError(ShopSphereError):
    """The books could not be compared: nothing is known about them."""

    exit_code = ExitCode.UNKNOWN


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Difference(_Answer):
    """One thing that provider and ledger do not agree about."""

    kind: str
    key: str
    charge: str | None
    expected: str
    found: str
    action: str


class OrderDifference(_Answer):
    """One thing that orders and payments do not agree about."""

    kind: str
    key: str
    order: str
    expected: str
    found: str
    age_seconds: int = Field(ge=0)
    action: str


class Orders(_Answer):
    """What a comparison of orders with payments found; `differences` has the first of those that it counted."""

    first_day: str
    last_day: str
    orders: int = Field(ge=0)
    payments: int = Field(ge=0)
    found: int = Field(ge=0)
    differences: tuple[OrderDifference, ...]

    @model_validator(mode="after")
    def _counts_all(self) -> Orders:
        if self.found < len(self.differences) or (self.found and not self.differences):
            raise ValueError(f"{self.found} differences counted, {len(self.differences)} told")
        return self


class Unsettled(_Answer):
    """What waits for its outcome; with a problem, it waits for a person."""

    count: int = Field(ge=0)
    with_problem: int = Field(ge=0)
    oldest_seconds: int = Field(ge=0)

    @property
    def is_for_a_person(self) -> bool:
        """Whether waiting alone does not help."""
        return self.with_problem > 0 or self.oldest_seconds > LONG_SECONDS


class Comparison(_Answer):
    """What a comparison found."""

    pair: str
    site: str
    first_day: str
    last_day: str
    charges: int
    payments: int
    differences: tuple[Difference, ...]
    orders: Orders
    unsettled_payments: Unsettled
    unsettled_orders: Unsettled

    @property
    def exit_code(self) -> ExitCode:
        """Return whether everything is as it should be."""
        waiting = self.unsettled_orders.is_for_a_person or self.unsettled_payments.is_for_a_person
        return ExitCode.FAILED if self.differences or self.orders.found or waiting else ExitCode.GOOD


def compare(topology: Topology, pair: str, environment: Environment, days: int) -> Comparison:
    """Compare the last `days` days of a pair, at the site that is active.

    Raises:
        NotComparedError: a program could not be run, or did not get the answers that it needs.
        ShopSphereError: the witness does not say which site is active, or the site is not set up here.
    """
    site = see_once(pair, environment).require_record(pair).active
    cluster = cluster_of(site_stack(topology, site, environment), Role.WATCH)
    return compare_at(cluster, pair, site, days)


def compare_at(cluster: Cluster, pair: str, site: str, days: int) -> Comparison:
    """Compare the books of a pair with the programs that run in a cluster.

    Raises:
        NotComparedError: see `compare`.
    """
    found = _run(cluster, PAYMENTS, ["shop", "reconcile", "--days", str(days)])
    orders = _run(cluster, SHOP, ["shop", "reconcile-orders", "--days", str(days)])
    waiting = _run(cluster, SHOP, ["shop", "unsettled"])
    try:
        return Comparison.model_validate(
            {
                **found,
                "pair": pair,
                "site": site,
                "orders": orders,
                "unsettled_payments": found["unsettled"],
                "unsettled_orders": waiting,
            }
        )
    except (ValidationError, KeyError) as error:
        raise _not_compared(site, "the answer of another version of the shop", str(error)) from error


def _run(cluster: Cluster, workload: WorkloadDeclaration, command: list[str]) -> Mapping[str, Any]:
    """Run a program of the shop in a ready pod and return the JSON object that it prints last."""
    where = f"{cluster.context}: {' '.join(command)}"
    try:
        output = run_in_workload(cluster, workload, command, extra_seconds=COMPARISON_SECONDS)
    except NoReadyPodError as error:
        raise _not_compared(where, f"no pod of {workload.name} is ready", f"{error.pods} pods") from error
    except ClusterError as error:
        raise _not_compared(where, "the program did not end well", str(error)) from error
    try:
        document = json.loads(output.strip().rpartition("\n")[2])
    except ValueError as error:
        raise _not_compared(where, "its answer cannot be read", output[-200:]) from error
    if not isinstance(document, dict):
        raise _not_compared(where, "its answer is no object", output[-200:])
    return document


def _not_compared(where: str, problem: str, found: str) -> ShopSphereError:
    return NotComparedError.build(
        f"{where}: {problem}; whether the books agree is not known",
        expected="a comparison of the ledger with the provider's settlements, and of orders with payments",
        found=found,
        action="see whether pods and provider answer (`shopsphere status`), then ask again",
    )


def as_json(found: Comparison) -> str:
    """Return all of it as a JSON document."""
    return found.model_dump_json(indent=2)


def as_text(found: Comparison, width: int) -> str:
    """Return what was found for people, each difference with what to do."""
    lines = [
        *folded(
            f"{found.pair}, {found.first_day} to {found.last_day} (UTC), asked at {found.site}: {found.charges} "
            f"charges and {found.payments} payments compared, {len(found.differences)} differences",
            width,
        ),
        *folded(
            f"{found.orders.orders} orders and {found.orders.payments} payments compared, {found.orders.found} "
            "differences",
            width,
            first="  ",
        ),
        *folded(f"payments without an outcome: {_waiting(found.unsettled_payments)}", width, first="  "),
        *folded(f"orders without an outcome: {_waiting(found.unsettled_orders)}", width, first="  "),
    ]
    for each in found.differences:
        charge = f", charge {each.charge}" if each.charge else ""
        lines += _told(f"{each.kind}: {each.key}{charge}", each, width)
    for order in found.orders.differences:
        lines += _told(f"{order.kind}: {order.key}, order {order.order}", order, width)
    if left := found.orders.found - len(found.orders.differences):
        lines += ["", *folded(f"{left} more differences of orders; fewer --days show those of the last ones", width)]
    return "\n".join(lines)


def _told(title: str, each: Difference | OrderDifference, width: int) -> list[str]:
    lines = ["", *folded(title, width)]
    for name, text in (("expected:", each.expected), ("found:", each.found), ("do:", each.action)):
        lines += folded(text, width, first=f"  {name:<9} ", indent=" " * 12)
    return lines


def _waiting(waiting: Unsettled) -> str:
    if not waiting.count:
        return "none"
    problem = f", {waiting.with_problem} with a problem that a person has to look at" if waiting.with_problem else ""
    return f"{waiting.count}, the oldest for {waiting.oldest_seconds} s{problem}"
