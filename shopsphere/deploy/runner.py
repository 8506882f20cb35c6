"""Runs a plan: regions side by side, waves in order, the edge at the end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shopsphere.deploy.engine import DeploymentError
from shopsphere.deploy.listening import Listener, PlanBegan, RegionFailed, RegionLeftOut
from shopsphere.deploy.outcomes import PlanOutcome, RegionOutcome, StackOutcome, Verb
from shopsphere.deploy.waves import Plan
from shopsphere.estate.stack import EDGE, StackId
from shopsphere.foundation.errors import ShopSphereError

# An engine run is one CLI, one program, one policy pack and one plugin: about one core and 0.8 GB while it lasts.
PARALLEL = max(1, min(4, os.cpu_count() or 1))


@dataclass(frozen=True)
class Work:
    """What is done to a plan's stacks.

    Attributes:
        verb: what it is called.
        prepare: called once per region before its waves, and once for the edge.
        act: called with each stack; returns its outcome, of a failure too, or raises.
        verify: called after the waves of a region, and after the edge.
        edge_first: the edge goes before the regions, as when everything is removed.
    """

    verb: Verb
    prepare: Callable[[tuple[StackId, ...], Listener], None]
    act: Callable[[StackId, Listener], StackOutcome]
    verify: Callable[[tuple[StackId, ...], Listener], None]
    edge_first: bool = False


def run_plan(plan: Plan, work: Work, listener: Listener) -> PlanOutcome:
    """Carry out a plan and return what became of it; a failure is part of the outcome.

    A region stops at its first bad wave; the others go on. The edge runs unless every region failed: it leads
    customers to the regions that are well. When the edge goes first and fails, the regions are left out: public
    names would lead to nothing.
    """
    began = time.monotonic()
    listener.tell(PlanBegan(work.verb, plan))
    edge = (plan.edge,) if plan.edge else ()
    outcomes: list[RegionOutcome] = []
    if edge and work.edge_first:
        outcomes.append(_region(EDGE, edge, work, listener))
    if any(outcome.error for outcome in outcomes):
        reason = "the edge still leads customers to it"
        outcomes += [_left_out(region.region, reason, listener) for region in plan.regions]
    else:
        outcomes += _regions(plan, work, listener)
    if edge and not work.edge_first:
        if plan.regions and all(outcome.error for outcome in outcomes):
            outcomes.append(_left_out(EDGE, "no region succeeded", listener))
        else:
            outcomes.append(_region(EDGE, edge, work, listener))
    return PlanOutcome(verb=work.verb, regions=tuple(outcomes), seconds=_since(began))


def _regions(plan: Plan, work: Work, listener: Listener) -> list[RegionOutcome]:
    with ThreadPoolExecutor(PARALLEL) as pool:
        results = [pool.submit(_region, region.region, region.waves, work, listener) for region in plan.regions]
        return [result.result() for result in results]


def _region(name: str, stacks: tuple[StackId, ...], work: Work, listener: Listener) -> RegionOutcome:
    began = time.monotonic()
    done: list[StackOutcome] = []
    failure: Exception | None = None
    try:
        work.prepare(stacks, listener)
        for stack in stacks:
            done.append(_stack(stack, work, listener))
            if failure := done[-1].cause:
                break
        else:
            work.verify(stacks, listener)
    except Exception as error:  # noqa: BLE001 - it is part of the outcome, with what the other regions did
        failure = error
    told = describe_failure(failure) if failure else ""
    if told:
        listener.tell(RegionFailed(name, told))
    return RegionOutcome(region=name, stacks=tuple(done), error=told, cause=failure, seconds=_since(began))


def _stack(stack: StackId, work: Work, listener: Listener) -> StackOutcome:
    began = time.monotonic()
    try:
        done = work.act(stack, listener)
    except Exception as error:  # noqa: BLE001 - see above
        run = error.run if isinstance(error, DeploymentError) else None
        done = StackOutcome(stack=stack.label, name=stack.name, planned=run, error=describe_failure(error), cause=error)
    return done.model_copy(update={"seconds": _since(began)})


def describe_failure(error: Exception) -> str:
    """Return what an error says; one that nobody foresaw is named too."""
    told = str(error)
    return told if told and isinstance(error, ShopSphereError) else f"{type(error).__name__}: {told}"


def _left_out(name: str, reason: str, listener: Listener) -> RegionOutcome:
    listener.tell(RegionLeftOut(name, reason))
    return RegionOutcome(region=name, left_out=reason)


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)
