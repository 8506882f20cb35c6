"""A whole repair of a target: look, plan, do, look again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from shopsphere.clients.site_cluster import cluster_of
from shopsphere.deploy.exporting import exported_state
from shopsphere.deploy.state_version import look_of
from shopsphere.drift.declared import declared_objects
from shopsphere.drift.ignores import read_ignores
from shopsphere.drift.judging import object_name
from shopsphere.drift.looking import ANSWER_SECONDS, compare, rules_of
from shopsphere.drift.model import Drift, Report
from shopsphere.drift.repair import repair_at
from shopsphere.drift.repair_plan import Action, Planned
from shopsphere.drift.repairing import Outcome, Place, carry_out, plan
from shopsphere.drift.role_guard import guard_of
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.stack import Environment, StackId, site_stack
from shopsphere.foundation.columns import UNBOUNDED, folded, labelled
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.topology import Topology

_BELOW = " " * 4


@dataclass(frozen=True)
class RepairRun:
    """What was found, and what is to be done about it.

    Attributes:
        report: what was found.
        planned: what is to be done about each finding.
        places: the sites that may be put right.
    """

    report: Report
    planned: Sequence[Planned]
    places: dict[str, Place]

    @property
    def number(self) -> int:
        """Number of findings about which something is to be done."""
        return sum(each.action is not Action.LEAVE for each in self.planned)

    def carry_out(self) -> list[Outcome]:
        """Do it."""
        return carry_out(self.planned, self.places, read_ignores())


def prepare(topology: Topology, target: str, environment: Environment) -> RepairRun:
    """Look at a target, and plan what is to be done; a site that cannot be reached is left alone, with the reason."""
    found = compare(topology, target, environment)
    sites = {drift.site for drift in found.drifts} & set(topology.sites)
    stacks = [site_stack(topology, site, environment) for site in sorted(sites)]
    places: dict[str, Place] = {}
    unreachable: dict[str, str] = {}
    for stack in stacks:
        try:
            places[stack.label] = place_of(topology, stack)
        except ShopSphereError as error:
            unreachable[stack.label] = one_line(error)
    return RepairRun(found, plan(found.drifts, places, unreachable), places)


def place_of(topology: Topology, stack: StackId) -> Place:
    """Return a site as a repair needs it.

    Raises:
        ShopSphereError: it cannot be reached from here, or its state cannot be read.
    """
    repair = repair_at(stack)
    pair = topology.pair_of(stack.label)
    guard = guard_of(pair.name if pair else "", stack.environment, look_of(stack))
    objects = declared_objects(exported_state(stack))
    declared = {object_name(each.kind, each.namespace, each.name): each for each in objects}
    cluster = cluster_of(stack, Role.UP, seconds=ANSWER_SECONDS)
    rules = rules_of(topology, stack)
    return Place(repair, cluster, declared, guard, rules.agent_port, rules.firewall)


def plan_as_text(planned: Sequence[Planned], width: int = UNBOUNDED) -> str:
    """Return what would be done, finding by finding."""
    return "\n".join(
        line
        for each in planned
        for line in _entry(each.drift, f"would {each.action}" if not each.why else "left", each.why, width)
    )


def outcomes_as_text(outcomes: Sequence[Outcome], width: int = UNBOUNDED) -> str:
    """Return what was done, finding by finding."""
    return "\n".join(line for each in outcomes for line in _entry(each.drift, each.done or "left", each.why, width))


def as_json(planned: Sequence[Planned], outcomes: Sequence[Outcome] | None, left: Report) -> str:
    """Return all of it as a JSON document.

    Args:
        planned: what was to be done.
        outcomes: what was done; None for a dry run.
        left: what there is afterwards.
    """
    done = {each.drift: each for each in outcomes or ()}
    entries = [
        {
            **each.drift.as_json(),
            "planned": each.action.value,
            "done": done[each.drift].done if each.drift in done else "",
            "why": done[each.drift].why if each.drift in done else each.why,
        }
        for each in planned
    ]
    document = {
        "target": left.target,
        "environment": left.environment,
        "dryRun": outcomes is None,
        "findings": entries,
        "verdict": left.verdict,
        "left": len(left.drifts),
        "unseen": len(left.unseen),
    }
    return json.dumps(document, indent=2)


def _entry(drift: Drift, done: str, why: str, width: int) -> list[str]:
    field = f", {drift.field}" if drift.field else ""
    head = f"{done.upper()}  {drift.site}: {drift.object}{field}: {drift.kind}"
    parts = {**({"why": why} if why else {}), "do": drift.repair}
    return [*folded(head, width, indent=_BELOW), *labelled(parts, width, indent=_BELOW)]
