"""What `preview` prints at 80 and 200 columns, and as JSON, from fixed inputs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from engine_events import SECRET, metadata, planned, summed
from golden import require_golden

from cli import changes
from shopsphere.deploy.events import Run
from shopsphere.deploy.outcomes import EngineRun, PlanOutcome, RegionOutcome, StackOutcome, Verb
from shopsphere.estate.stack import Environment

WIDTHS = [80, 200]
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def frankfurt() -> EngineRun:
    """One resource of each operation."""
    selector: dict[str, Any] = {"old": {"spec": {"path": "/srv/volumes/v1"}}, "new": {"spec": {"path": "/srv/fast/v1"}}}
    containers = (
        [{"image": "registry.eu.example/shopsphere/shop:0.1.0"}],
        [{"image": "registry.eu.example/shopsphere/shop:0.2.0"}],
    )
    run = Run(advanced=lambda _: None, judged=lambda _: None)
    for step in (
        metadata(
            "create", "kubernetes:networking.k8s.io/v1:NetworkPolicy", "data-commerce-from-recommendations", new={}
        ),
        metadata(
            "update",
            DEPLOYMENT,
            "shop",
            old={"spec": {"replicas": 2, "template": {"containers": containers[0]}}},
            new={"spec": {"replicas": 3, "template": {"containers": containers[1]}, "paused": False}},
            detailed={
                "spec.replicas": "update",
                "spec.template.containers[0].image": "update",
                "spec.paused": "add",
            },
        ),
        metadata(
            "update",
            "kubernetes:core/v1:Secret",
            "shop-session",
            old={"stringData": SECRET, "immutable": True},
            new={"stringData": SECRET},
            detailed={"stringData.secret": "update", "immutable": "delete"},
        ),
        metadata(
            "replace",
            "kubernetes:core/v1:PersistentVolume",
            "v1",
            **selector,
            detailed={"spec.path": "update-replace"},
        ),
        metadata("delete", "kubernetes:core/v1:Service", "shop-internal", old={}),
    ):
        run.receive(planned(step))
    run.receive(summed(same=88, create=1, update=2, replace=1, delete=1))
    return run.result(12.0)


def stack(name: str, run: EngineRun | None, *, error: str = "", is_set_up: bool = True) -> StackOutcome:
    return StackOutcome(stack=name, name=f"lab-{name}", planned=run, error=error, is_set_up=is_set_up)


OUTCOME = PlanOutcome(
    verb=Verb.PREVIEW,
    regions=(
        RegionOutcome(region="rdc-a", stacks=(stack("dublin", EngineRun(total=92)), stack("frankfurt", frankfurt()))),
        RegionOutcome(region="edge", stacks=(stack("edge", None, is_set_up=False),)),
    ),
)


@pytest.mark.requirement("`preview` names each resource and operation and marks what is replaced or deleted")
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("diff", [False, True], ids=["names", "diff"])
def test_preview(width: int, diff: bool) -> None:
    shown = [line.plain for line in changes.lines(OUTCOME, width, diff=diff)]
    assert max(map(len, shown)) <= width
    require_golden(f"preview{'-diff' if diff else ''}-{width}", "\n".join(shown) + "\n")


def test_what_is_taken_away_stands_out_without_colour_and_once_more_at_the_end() -> None:
    shown = [line.plain for line in changes.lines(OUTCOME, 80)]
    assert "  +- REPLACE  v1                        kubernetes:core/v1:PersistentVolume" in shown
    assert shown[-2:] == [
        "REPLACED or DELETED, 2 in all: frankfurt/v1 (replace), frankfurt/shop-internal",
        "  (delete)",
    ]


def test_a_preview_without_changes_is_one_line_a_stack() -> None:
    quiet = PlanOutcome(
        verb=Verb.PREVIEW, regions=(RegionOutcome(region="edge", stacks=(stack("edge", EngineRun(total=18)),)),)
    )
    assert [line.plain for line in changes.lines(quiet, 80)] == ["edge: no change (18 resources)"]


def test_a_failed_preview_does_not_look_like_one_without_changes() -> None:
    failed = PlanOutcome(
        verb=Verb.PREVIEW,
        regions=(RegionOutcome(region="edge", error="x", stacks=(stack("edge", EngineRun(), error="refused"),)),),
    )
    assert [line.plain for line in changes.lines(failed, 80)] == ["edge: FAILED after 0 changes were seen"]


def test_a_value_as_long_as_a_manifest_is_cut_and_says_so() -> None:
    states: dict[str, Any] = {"old": {"text": "a"}, "new": {"text": "b" * 5000}}
    run = Run(advanced=lambda _: None, judged=lambda _: None)
    run.receive(planned(metadata("update", "x:y:Z", "z", **states, detailed={"text": "update"})))
    run.receive(summed(update=1))
    outcome = PlanOutcome(
        verb=Verb.PREVIEW, regions=(RegionOutcome(region="edge", stacks=(stack("edge", run.result(1)),)),)
    )
    text = "".join(line.plain for line in changes.lines(outcome, 200, diff=True))
    assert "... (5002 characters)" in text
    assert len(text) < 1000


def test_json_holds_the_whole_outcome_and_no_secret() -> None:
    document = json.loads(changes.as_json(OUTCOME, "rdc-a", Environment.LAB))
    assert (document["target"], document["environment"], document["succeeded"]) == ("rdc-a", "lab", True)
    planned = document["regions"][0]["stacks"][1]["planned"]
    assert planned["counts"] == {"same": 88, "create": 1, "update": 2, "replace": 1, "delete": 1}
    assert [change["operation"] for change in planned["changes"]] == ["create", "update", "update", "replace", "delete"]
    secret = planned["changes"][2]["properties"][1]
    assert (secret["path"], secret["old"], secret["new"]) == ("stringData.secret", "[secret]", "[secret]")
    PlanOutcome.model_validate({key: document[key] for key in ("verb", "regions", "seconds")})
