"""Runs a plan: regions side by side, waves in order, the edge at the end."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shopsphere.deploy.display import Display
from shopsphere.deploy.waves import Plan, RegionPlan
from shopsphere.estate.stack import StackId
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.progress import say

# An engine run is one CLI, one program, one policy pack and one plugin: about one core and 0.8 GB while it lasts.
PARALLEL = max(1, min(4, os.cpu_count() or 1))


class PlanFailedError(ShopSphereError):
    """Parts of a plan failed; their messages were printed when it happened."""


@dataclass(frozen=True)
class Work:
    """What is done to a plan's stacks.

    Attributes:
        name: verb for messages, as in `up`.
        prepare: called once per region before its waves, and once for the edge.
        act: called with each stack.
        verify: called after the waves of a region, and after the edge.
        edge_first: the edge goes before the regions, as when everything is removed.
    """

    name: str
    prepare: Callable[[tuple[StackId, ...]], None]
    act: Callable[[StackId, Display], None]
    verify: Callable[[tuple[StackId, ...], Display], None]
    edge_first: bool = False


def run_plan(plan: Plan, work: Work, display: Display) -> None:
    """Carry out a plan.

    A region stops at its first bad wave; the others go on. The edge runs unless every region failed: it leads
    customers to the regions that are well.

    Raises:
        PlanFailedError: names every region that failed; the cause was printed when it happened.
    """
    say(f"{work.name}: {plan.describe()}")
    failed: list[str] = []
    with display.showing():
        if plan.edge and work.edge_first and not _guarded("edge", (plan.edge,), work, display):
            failed.append("edge")
        if not failed:
            failed += _run_regions(plan.regions, work, display)
        if plan.edge and not work.edge_first:
            if plan.regions and len(failed) == len(plan.regions):
                say("       edge: left out, because no region succeeded")
            elif not _guarded("edge", (plan.edge,), work, display):
                failed.append("edge")
    if failed:
        raise PlanFailedError(f"{work.name} failed for {', '.join(failed)}; the cause of each is printed above")


def _run_regions(regions: tuple[RegionPlan, ...], work: Work, display: Display) -> list[str]:
    with ThreadPoolExecutor(PARALLEL) as pool:
        results = [(plan.region, pool.submit(_guarded, plan.region, plan.waves, work, display)) for plan in regions]
        return [region for region, result in results if not result.result()]


def _guarded(name: str, stacks: tuple[StackId, ...], work: Work, display: Display) -> bool:
    """Run the waves of one region; a failure is printed here, so that it stands where it happened."""
    try:
        work.prepare(stacks)
        for stack in stacks:
            work.act(stack, display)
        work.verify(stacks, display)
    except ShopSphereError as error:
        say(f"error: {name}: {error}")
        return False
    return True
