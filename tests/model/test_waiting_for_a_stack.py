"""Two runs that meet at one stack."""

from __future__ import annotations

from typing import cast

import pytest
from manual_clock import ManualClock
from pulumi.automation import CommandResult, ConcurrentUpdateError, Stack

from shopsphere.deploy import waiting
from shopsphere.deploy.engine import Engine
from shopsphere.deploy.listening import Event, Noted, Progress, Silent, Step
from shopsphere.deploy.locks import StackLockedError
from shopsphere.deploy.waiting import PATIENCE, when_free
from shopsphere.estate.stack import Environment, StackId, edge_stack, site_stack
from shopsphere.topology import load_topology

EDGE = edge_stack(Environment.LAB)
SITE = site_stack(load_topology(), "frankfurt", Environment.LAB)


class Ear:
    def __init__(self) -> None:
        self.told: list[Event] = []

    def tell(self, event: Event) -> None:
        self.told.append(event)


class Busy:
    """A stack that another run has until a moment."""

    def __init__(self, clock: ManualClock, until: float) -> None:
        self.clock, self.until, self.tries = clock, until, 0

    def __call__(self) -> str:
        self.tries += 1
        if self.clock.now < self.until:
            raise StackLockedError("edge: another run works on this stack\n  expected: no lock")
        return "done"


@pytest.mark.requirement("two people deploy two regions at the same time, and both succeed")
def test_the_edge_is_waited_for() -> None:
    clock, ear = ManualClock(100.0), Ear()
    work = Busy(clock, 130.0)
    assert when_free(EDGE, ear, work, clock=clock) == "done"
    assert 130 <= clock.now < 130 + 2 * waiting.PAUSE
    (noted,) = ear.told
    assert isinstance(noted, Noted)
    assert noted.about == "edge"
    assert "another run works on this stack" in noted.text


@pytest.mark.parametrize(("stack", "waits"), [(EDGE, PATIENCE), (SITE, 0.0)])
def test_not_for_ever_and_not_for_a_site(stack: StackId, waits: float) -> None:
    clock = ManualClock()
    with pytest.raises(StackLockedError):
        when_free(stack, Silent(), Busy(clock, 1e9), clock=clock)
    assert waits <= clock.now <= waits + waiting.PAUSE


def test_what_pulumi_says_of_a_lock() -> None:
    class Locked:
        def up(self, **_words: object) -> None:
            told = "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end"
            raise ConcurrentUpdateError(CommandResult("", told, 255))

    with pytest.raises(StackLockedError, match="currently locked"):
        Engine(EDGE, cast("Stack", Locked())).up(Progress(Step("edge", "up"), Silent()))
