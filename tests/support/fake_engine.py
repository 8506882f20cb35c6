"""Pulumi's place in tests of the verbs: stacks that change what they are told, and note what was done to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine_events import metadata, planned, refused, summed
from pulumi.automation.events import StepEventMetadata

from shopsphere.deploy.changes import name_of
from shopsphere.deploy.drafts import Draft
from shopsphere.deploy.engine import DeploymentError, ProtectedError, Watcher
from shopsphere.deploy.events import Run
from shopsphere.deploy.listening import Listener
from shopsphere.deploy.outcomes import EngineRun
from shopsphere.estate.stack import StackId
from shopsphere.topology import Topology

DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def scaled(replicas: int) -> StepEventMetadata:
    """Make the step that gives the shop so many replicas instead of 2."""
    states: dict[str, Any] = {"old": {"spec": {"replicas": 2}}, "new": {"spec": {"replicas": replicas}}}
    return metadata("update", DEPLOYMENT, "shop", **states, detailed={"spec.replicas": "update"})


def removed(kind: str, name: str) -> StepEventMetadata:
    """Make the step that removes a resource."""
    return metadata("delete", kind, name, old={})


@dataclass
class Stacks:
    """All stacks of the test.

    Attributes:
        steps: what `up` would do, by stack; the same for every stack that is not named.
        resources: what `destroy` removes from each stack.
        unknown: stacks that were never set up.
        broken: stacks whose engine refuses, and the verb at which it does.
        done: verbs in order, as in `up frankfurt`.
        interrupt: raise this at the next `up`.
        protected: names of resources that the state of every stack protects.
        to_protect: stacks whose program protects what their state does not.
    """

    steps: dict[str, list[StepEventMetadata]] = field(default_factory=dict)
    resources: list[StepEventMetadata] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    interrupt: type[BaseException] | None = None
    protected: set[str] = field(default_factory=set)
    to_protect: set[str] = field(default_factory=set)

    def is_set_up(self, stack: StackId) -> bool:
        return stack.label not in self.unknown

    def open(self, stack: StackId) -> FakeEngine:
        return FakeEngine(self, stack)

    def open_draft(self, draft: Draft) -> FakeEngine:
        return FakeEngine(self, draft.stack)

    @contextmanager
    def drafted(self, _topology: Topology, stack: StackId, *, is_set_up: bool) -> Iterator[Draft]:
        yield Draft(stack, is_set_up, Path(), Path(), {}, () if is_set_up else ("sessionSecret",))

    def unprotect(self, stack: StackId, urns: Sequence[str]) -> None:
        names = {urn.rpartition("::")[-1] for urn in urns}
        self.done.append(f"unprotect {stack.label} {','.join(sorted(names))}")
        self.protected -= names

    @contextmanager
    def unprotected(self, stack: StackId, urns: Sequence[str]) -> Iterator[None]:
        before = set(self.protected)
        self.unprotect(stack, urns)
        try:
            yield
        except BaseException:
            self.done.append(f"protect {stack.label}")
            self.protected = before
            raise

    def prepare(self, _topology: Topology, stacks: tuple[StackId, ...], _listener: Listener) -> None:
        self.done.append(f"prepare {'+'.join(stack.label for stack in stacks)}")

    def prepare_stack(self, stack: StackId, _listener: Listener) -> None:
        self.done.append(f"prepare {stack.label}")


class FakeEngine:
    """One stack in the hands of nobody."""

    def __init__(self, stacks: Stacks, stack: StackId) -> None:
        self.stacks, self.stack = stacks, stack

    def preview(self, watcher: Watcher, *, refresh: bool = False) -> EngineRun:
        return self._run("preview with refresh" if refresh else "preview", watcher, self._steps())

    def up(self, watcher: Watcher, *, refresh: bool = False) -> EngineRun:
        if self.stacks.interrupt:
            raise self.stacks.interrupt
        return self._run("up with refresh" if refresh else "up", watcher, self._steps())

    def preview_destroy(self, watcher: Watcher) -> EngineRun:
        return self._run("preview of destroy", watcher, self.stacks.resources)

    def destroy(self, watcher: Watcher) -> EngineRun:
        return self._run("destroy", watcher, self.stacks.resources)

    def _steps(self) -> list[StepEventMetadata]:
        return self.stacks.steps.get(self.stack.label, [])

    def _run(self, verb: str, watcher: Watcher, steps: list[StepEventMetadata]) -> EngineRun:
        run = Run(watcher.advanced, watcher.judged)
        for step in steps:
            run.receive(planned(step))
        counts: dict[str, int] = {"same": 10}
        for step in steps:
            counts[step.op.value] = counts.get(step.op.value, 0) + 1
        if self.stack.label in self.stacks.to_protect:
            run.to_protect.add("urn:pulumi:lab-frankfurt::rdc-a::kubernetes:core/v1:Namespace::shop")
            if verb.startswith("up"):
                self.stacks.to_protect.remove(self.stack.label)
        for step in steps:
            if name_of(step.urn) in self.stacks.protected and step.op.value in {"delete", "replace"}:
                run.receive(refused(step))
        if run.is_only_protected:
            raise ProtectedError("protected", run.result(1.0))
        run.receive(summed(**counts))
        if self.stacks.broken.get(self.stack.label) == verb:
            raise DeploymentError(f"{self.stack.label}: Pulumi failed\nno answer", run.result(1.0))
        self.stacks.done.append(f"{verb} {self.stack.label}")
        return run.result(1.0)
