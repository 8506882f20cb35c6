"""One run of the engine: what it is asked, what is kept of it, and why it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from engine_events import advised, finished, metadata, planned, summed
from pulumi.automation import CommandError, CommandResult, EngineEvent, Stack
from pulumi.automation.events import DiagnosticEvent, PolicyEvent

from shopsphere.deploy.engine import DeploymentError, Engine
from shopsphere.deploy.events import PolicyPackMissingError
from shopsphere.deploy.listening import Judged, Progress, Step, StepAdvanced
from shopsphere.estate.stack import Environment, edge_stack
from shopsphere.foundation.paths import REPOSITORY

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
URN = f"urn:pulumi:lab::shopsphere-edge::{DEPLOYMENT}::shop"


class FakeStack:
    """The Automation API's stack: sends events, then ends well or not."""

    def __init__(self, *events: EngineEvent, said: str = "") -> None:
        self.events, self.said = events, said
        self.asked: dict[str, Any] = {}

    def preview(self, *, on_event: Callable[[EngineEvent], None], **asked: Any) -> None:
        self.asked = asked
        for event in self.events:
            on_event(event)
        if self.said:
            raise CommandError(CommandResult("", self.said, 255))

    up = preview
    preview_destroy = preview
    destroy = preview


class Ear:
    """Notes what is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def tell(self, event: object) -> None:
        self.told.append(event)


def engine(stack: FakeStack, config_file: Path | None = None) -> Engine:
    return Engine(edge_stack(Environment.LAB), cast("Stack", stack), config_file)


def progress(ear: Ear | None = None) -> Progress:
    return Progress(Step("edge", "preview"), ear or Ear())


def change() -> EngineEvent:
    return planned(metadata("create", DEPLOYMENT, "shop", new={}))


def test_a_preview_is_judged_by_the_pack_and_reads_the_configuration_it_is_given() -> None:
    stack = FakeStack(change(), summed(create=1, same=4))
    found = engine(stack, Path("/tmp/draft.yaml")).preview(progress(), refresh=True)
    assert stack.asked == {
        "policy_packs": [str(REPOSITORY / "policies")],
        "policy_pack_configs": [str(REPOSITORY / "policies" / "enforcement.json")],
        "refresh": True,
        "config_file": "/tmp/draft.yaml",
    }
    assert (found.changed, found.total, found.operations) == (1, 5, {"create": 1})


def test_every_rule_is_mandatory_in_each_run() -> None:
    stack = FakeStack(change(), summed(create=1))
    engine(stack).up(progress())
    (file,) = stack.asked["policy_pack_configs"]
    assert json.loads(Path(file).read_text()) == {"all": "mandatory"}


def test_what_happens_meanwhile_is_told() -> None:
    ear = Ear()
    done = finished(metadata("create", DEPLOYMENT, "shop", new={}))
    engine(FakeStack(done, advised("RES-099", "it could be better", URN), summed(create=1))).preview(progress(ear))
    advanced, judged = ear.told
    assert isinstance(advanced, StepAdvanced)
    assert advanced.done == 1
    assert isinstance(judged, Judged)
    assert judged.violation.describe() == "policy RES-099 (advisory) on shop: it could be better"


def test_a_broken_rule_is_named_and_what_was_found_is_kept() -> None:
    event = PolicyEvent("not here", "never", "RES-003", "shopsphere", "1", "1", "mandatory", URN)
    stack = FakeStack(change(), EngineEvent(1, 1, policy_event=event), said="error: preview failed")
    with pytest.raises(DeploymentError, match=r"edge: 1 violation of policy \(RES-003\)$") as error:
        engine(stack).preview(progress())
    run = error.value.run
    assert run is not None
    assert [each.message for each in run.violations] == ["not here"]
    assert [each.name for each in run.changes] == ["shop"]


def test_an_engine_that_fails_says_what_it_said() -> None:
    event = DiagnosticEvent("<{%fg 9%}>no route to host<{%reset%}>", "never", "error", urn=URN)
    with pytest.raises(DeploymentError, match=r"edge: Pulumi failed\nshop: no route to host$"):
        engine(FakeStack(EngineEvent(1, 1, diagnostic_event=event), said="x")).up(progress())


def test_without_an_event_the_end_of_its_output_is_the_reason() -> None:
    with pytest.raises(DeploymentError, match="incorrect passphrase"):
        engine(FakeStack(said="line\n\nerror: incorrect passphrase")).preview(progress())


def test_a_run_that_the_pack_did_not_judge_is_not_believed() -> None:
    unjudged = summed(create=1)
    assert unjudged.summary_event is not None
    unjudged.summary_event.policy_packs = {}
    with pytest.raises(PolicyPackMissingError, match="did not run"):
        engine(FakeStack(unjudged)).preview(progress())
    assert engine(FakeStack(unjudged)).preview_destroy(progress()).changed == 1
