"""The history of deployments: one line of JSON for each `up` and `destroy`, only ever added to."""

from __future__ import annotations

import os
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import Field, ValidationError

from shopsphere.deploy.outcomes import EngineRun, Model, PlanOutcome, StackOutcome, Verb
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import one_line
from shopsphere.foundation.group_folders import make_folder, share_open

FILE = "deployments.jsonl"


class Result(StrEnum):
    """How a deployment ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class StackRecord(Model):
    """What a deployment did to one stack."""

    stack: str = Field(description="The site, or edge.")
    counts: dict[str, int] = Field(description="Resources per operation, unchanged ones too.")
    changed: int = Field(description="Resources that were changed.")
    total: int = Field(description="Resources in the stack.")
    seconds: float = Field(description="How long it took.")
    error: str = Field(default="", description="Why it failed, in one line; empty when it did not.")


class DeploymentRecord(Model):
    """One `up` or `destroy`."""

    format: int = Field(default=1, description="Version of this record.")
    began: datetime = Field(description="When, with the time zone.")
    who: str = Field(description="Who, and on which machine.")
    verb: Verb = Field(description="What was done.")
    target: str = Field(description="A region, a site, edge or all.")
    environment: Environment = Field(description="Where.")
    plan: str = Field(default="", description="SHA-256 of the saved plan that was applied; empty without one.")
    result: Result = Field(description="How it ended.")
    seconds: float = Field(description="How long it took.")
    stacks: tuple[StackRecord, ...] = Field(default=(), description="Stacks that were begun, in the plan's order.")
    errors: dict[str, str] = Field(default_factory=dict, description="Why each failed region failed, in one line.")


class History(Model):
    """What the file says."""

    records: tuple[DeploymentRecord, ...] = Field(description="From the oldest.")
    unreadable: tuple[int, ...] = Field(description="Numbers of lines that are not a record, as after a power loss.")


def record_of(
    outcome: PlanOutcome | None, *, verb: Verb, target: str, environment: Environment, who: str, began: datetime,
    seconds: float, plan: str = "",
) -> DeploymentRecord:  # fmt: skip
    """Return the record of a deployment; without an outcome it was interrupted."""
    regions = outcome.regions if outcome else ()
    return DeploymentRecord(
        began=began,
        who=who,
        verb=verb,
        target=target,
        environment=environment,
        plan=plan,
        result=_result(outcome),
        seconds=round(seconds, 3),
        stacks=tuple(_stack(stack) for region in regions for stack in region.stacks),
        errors={region.region: one_line(region.error) for region in regions if region.error},
    )


def append(directory: Path, record: DeploymentRecord) -> Path:
    """Add a record and return the file; it is on disk when this returns.

    Raises:
        OSError: it cannot be written.
    """
    make_folder(directory)
    file = directory / FILE
    handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o640)
    try:
        share_open(handle, directory)
        # A torn line of an earlier run must not swallow this one.
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, _line(record, after_torn=torn))
        os.fsync(handle)
    finally:
        os.close(handle)
    return file


def read(directory: Path) -> History:
    """Return all records; none where nothing was deployed yet."""
    file = directory / FILE
    records: list[DeploymentRecord] = []
    unreadable: list[int] = []
    lines = file.read_text(errors="replace").splitlines() if file.exists() else []
    for number, line in enumerate(lines, 1):
        try:
            records.append(DeploymentRecord.model_validate_json(line))
        except ValidationError:
            unreadable.append(number)
    return History(records=tuple(records), unreadable=tuple(unreadable))


def _line(record: DeploymentRecord, *, after_torn: bool) -> bytes:
    return (b"\n" if after_torn else b"") + record.model_dump_json().encode() + b"\n"


def _result(outcome: PlanOutcome | None) -> Result:
    if outcome is None:
        return Result.INTERRUPTED
    return Result.SUCCEEDED if outcome.succeeded else Result.FAILED


def _stack(outcome: StackOutcome) -> StackRecord:
    applied = outcome.applied or EngineRun(total=outcome.planned.total if outcome.planned else 0)
    return StackRecord(
        stack=outcome.stack,
        counts=applied.counts,
        changed=applied.changed,
        total=applied.total,
        seconds=outcome.seconds,
        error=one_line(outcome.error),
    )
