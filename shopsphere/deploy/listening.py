"""What a deployment tells while it runs: events, and who receives them. Nothing here prints."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from shopsphere.deploy.outcomes import Verb, Violation
from shopsphere.deploy.waves import Plan


@dataclass(frozen=True, eq=False)
class Step:
    """One named piece of work on one stack.

    Attributes:
        stack: what people call the stack.
        work: as in `preview`.
        total: resources that the work will pass; None while unknown.
    """

    stack: str
    work: str
    total: int | None = None

    @property
    def name(self) -> str:
        """What people read."""
        return f"{self.stack}: {self.work}"


@dataclass(frozen=True)
class PlanBegan:
    """A plan is about to be carried out."""

    verb: Verb
    plan: Plan


@dataclass(frozen=True)
class StepBegan:
    """Work on a stack began."""

    step: Step


@dataclass(frozen=True)
class StepAdvanced:
    """The engine has passed `done` resources."""

    step: Step
    done: int


@dataclass(frozen=True)
class StepEnded:
    """Work on a stack ended after `seconds`; `note` adds a few words."""

    step: Step
    seconds: float
    succeeded: bool
    note: str


@dataclass(frozen=True)
class Judged:
    """The policy pack has said something."""

    step: Step
    violation: Violation


@dataclass(frozen=True)
class Noted:
    """Something was done that people should know: `about` is a stack or a region."""

    about: str
    text: str


@dataclass(frozen=True)
class RegionFailed:
    """A region stops here; the others go on."""

    region: str
    error: str


@dataclass(frozen=True)
class RegionLeftOut:
    """A region is not begun."""

    region: str
    reason: str


Event = PlanBegan | StepBegan | StepAdvanced | StepEnded | Judged | Noted | RegionFailed | RegionLeftOut


class Listener(Protocol):
    """Receives events; called from several threads at once."""

    def tell(self, event: Event) -> None:
        """Take one event. What it raises ends the region that told it."""


class Silent:
    """A listener that shows nothing: the outcome says everything."""

    def tell(self, event: Event) -> None:
        """Take one event and do nothing."""


@dataclass
class Progress:
    """A step while its work runs; handed to the engine, which says how far it is.

    Attributes:
        step: the work.
        listener: who is told.
        note: a few words for the closing line.
    """

    step: Step
    listener: Listener
    note: str = ""

    def advanced(self, done: int) -> None:
        """Say how many resources are done."""
        self.listener.tell(StepAdvanced(self.step, done))

    def judged(self, violation: Violation) -> None:
        """Pass on a verdict of the policy pack."""
        self.listener.tell(Judged(self.step, violation))


@contextmanager
def step(listener: Listener, stack: str, work: str, total: int | None = None) -> Iterator[Progress]:
    """Tell of a step's begin and, however it ends, of its end; a failure is passed on."""
    progress = Progress(Step(stack, work, total), listener)
    began = time.monotonic()
    listener.tell(StepBegan(progress.step))
    succeeded = False
    try:
        yield progress
        succeeded = True
    finally:
        listener.tell(StepEnded(progress.step, time.monotonic() - began, succeeded, progress.note))
