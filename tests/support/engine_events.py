"""Events of the engine, as the Automation API hands them over, from the JSON that the engine writes."""

from __future__ import annotations

from typing import Any

from pulumi.automation import EngineEvent
from pulumi.automation.events import (
    DiagnosticEvent,
    PolicyEvent,
    ResourcePreEvent,
    ResOutputsEvent,
    StepEventMetadata,
    SummaryEvent,
)

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def metadata(
    op: str,
    kind: str,
    name: str,
    *,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    detailed: dict[str, str] | None = None,
    diffs: list[str] | None = None,
    keys: list[str] | None = None,
) -> StepEventMetadata:
    """Make a step's description; `detailed` gives the kind of difference by path, between inputs."""
    urn = f"urn:pulumi:lab-frankfurt::rdc-a::{kind}::{name}"
    return StepEventMetadata.from_json(
        {
            "op": op,
            "urn": urn,
            "type": kind,
            "old": {"urn": urn, "inputs": old, "outputs": old} if old is not None else None,
            "new": {"urn": urn, "inputs": new} if new is not None else None,
            "diffs": diffs,
            "keys": keys,
            "detailedDiff": {path: {"diffKind": word, "inputDiff": True} for path, word in (detailed or {}).items()},
        }
    )


def planned(step: StepEventMetadata) -> EngineEvent:
    """Make the event before a step."""
    return EngineEvent(1, 1, resource_pre_event=ResourcePreEvent(step, planning=True))


def finished(step: StepEventMetadata) -> EngineEvent:
    """Make the event after a step."""
    return EngineEvent(1, 1, res_outputs_event=ResOutputsEvent(step, planning=True))


def refused(step: StepEventMetadata) -> EngineEvent:
    """Make the engine's refusal to delete or replace what the state protects, in its own words (Pulumi 3.259)."""
    deleted = f'Preview failed: resource "{step.urn}" cannot be deleted\nbecause it is protected. To unprotect'
    replaced = f'unable to replace resource "{step.urn}"\nas it is currently marked for protection. To unprotect'
    told = deleted if step.op.value == "delete" else replaced
    return EngineEvent(1, 1, diagnostic_event=DiagnosticEvent(f"{told} the resource", "never", "error", urn=step.urn))


def summed(**counts: int) -> EngineEvent:
    """Make the summary of a run that the pack judged."""
    changes: Any = counts
    packs = {"shopsphere|local|/policies": "0.1.0"}
    return EngineEvent(1, 1, summary_event=SummaryEvent(False, 1, changes, packs))


def advised(rule: str, message: str, urn: str) -> EngineEvent:
    """Make a verdict that does not stop the run."""
    event = PolicyEvent(message, "never", rule, "shopsphere", "0.1.0", "0.1.0", "advisory", urn)
    return EngineEvent(1, 1, policy_event=event)
