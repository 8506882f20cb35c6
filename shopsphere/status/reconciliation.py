"""Whether the books of a pair agree with the payment provider's, asked of the shop's own programs at the active site.

The comparison itself is the payments service's (`shop reconcile` in its image), because only its pods may reach the
ledger and the provider. Here its answer is fetched, checked and shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import ClusterError
from shopsphere.clients.site_cluster import cluster_of
from shopsphere.estate.placement import NAME_LABEL
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.estate.workload_declaration import WorkloadDeclaration
from shopsphere.estate.workloads import PAYMENTS, SHOP
from shopsphere.foundation.columns import folded
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.status.quantities import is_true
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
    unsettled_payments: Unsettled
    unsettled_orders: Unsettled

    @property
    def exit_code(self) -> ExitCode:
        """Return whether everything is as it should be."""
        waiting = self.unsettled_orders.is_for_a_person or self.unsettled_payments.is_for_a_person
        return ExitCode.FAILED if self.differences or waiting else ExitCode.GOOD


def compare(topology: Topology, pair: str, environment: Environment, days: int) -> Comparison:
    """Compare the last `days` days of a pair, at the site that is active.

    Raises:
        NotComparedError: a program could not be run, or did not get the answers that it needs.
        ShopSphereError: the witness does not say which site is active, or the site is not set up here.
    """
    site = see_once(pair, environment).require_record(pair).active
    cluster = cluster_of(site_stack(topology, site, environment))
    return compare_at(cluster, pair, site, days)


def compare_at(cluster: Cluster, pair: str, site: str, days: int) -> Comparison:
    """Compare the books of a pair with the programs that run in a cluster.

    Raises:
        NotComparedError: see `compare`.
    """
    found = _run(cluster, PAYMENTS, ["shop", "reconcile", "--days", str(days)])
    orders = _run(cluster, SHOP, ["shop", "unsettled"])
    try:
        return Comparison.model_validate(
            {**found, "pair": pair, "site": site, "unsettled_payments": found["unsettled"], "unsettled_orders": orders}
        )
    except (ValidationError, KeyError) as error:
        raise _not_compared(site, "the answer of another version of the shop", str(error)) from error


def _run(cluster: Cluster, workload: WorkloadDeclaration, command: list[str]) -> Mapping[str, Any]:
    """Run a program of the shop in a ready pod and return the JSON object that it prints last."""
    where = f"{cluster.context}: {' '.join(command)}"
    try:
        pods = cluster.items(f"/api/v1/namespaces/{workload.name}/pods", labelSelector=f"{NAME_LABEL}={workload.name}")
        ready = [pod["metadata"]["name"] for pod in pods if is_true(pod, "Ready")]
        if not ready:
            raise _not_compared(where, f"no pod of {workload.name} is ready", f"{len(pods)} pods")
        output = cluster.execute(workload.name, ready[0], workload.name, command, extra_seconds=COMPARISON_SECONDS)
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
        expected="a comparison with the provider's settlements",
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
        *folded(f"payments without an outcome: {_waiting(found.unsettled_payments)}", width, first="  "),
        *folded(f"orders without an outcome: {_waiting(found.unsettled_orders)}", width, first="  "),
    ]
    for each in found.differences:
        charge = f", charge {each.charge}" if each.charge else ""
        lines += ["", *folded(f"{each.kind}: {each.key}{charge}", width)]
        for name, text in (("expected:", each.expected), ("found:", each.found), ("do:", each.action)):
            lines += folded(text, width, first=f"  {name:<9} ", indent=" " * 12)
    return "\n".join(lines)


def _waiting(waiting: Unsettled) -> str:
    if not waiting.count:
        return "none"
    problem = f", {waiting.with_problem} with a problem that a person has to look at" if waiting.with_problem else ""
    return f"{waiting.count}, the oldest for {waiting.oldest_seconds} s{problem}"
