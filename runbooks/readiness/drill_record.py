"""The record of a drill: a file that is replaced as a whole at each stage, so that a killed drill can go on."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runbooks.readiness.row import Row
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import write_whole


class DrillRecordError(ShopSphereError):
    """The record of a drill is damaged."""


class Result(StrEnum):
    """`green`: both moves and all checks succeeded. `red`: something did not, whatever came after."""

    GREEN = "green"
    RED = "red"


class Move(BaseModel):
    """One of the two changes of the active site, from its run's report."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str = Field(description="Site that became active.")
    run: str = Field(description="Identity of the run, which is also the name of its report's folder.")
    total_seconds: float = Field(description="From the run's first line to its last, pauses included.")
    steps: dict[str, float] = Field(description="Seconds of each step by its name.")


class DrillRecord(BaseModel):
    """One drill of one pair."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pair: str
    environment: Environment
    home: str = Field(description="Site that was active when it began, and is to be active at its end.")
    away: str = Field(description="The other site.")
    epoch: int = Field(description="The pair's epoch when it began; two more at its end.")
    actor: str = Field(description="Who began it.")
    reason: str = Field(description="Why.")
    began: datetime = Field(description="UTC.")
    ended: datetime | None = Field(default=None, description="UTC; none while the drill can still be resumed.")
    result: Result | None = Field(default=None, description="None until it is known.")
    problems: tuple[str, ...] = Field(default=(), description="What made it red.")
    moves: tuple[Move, ...] = Field(default=(), description="The moves that ended, in their order.")
    checks: dict[str, tuple[Row, ...]] = Field(
        default={}, description="The pair's readiness before, away and at home again."
    )

    @property
    def run_reason(self) -> str:
        """The reason of both its runs, by which they are known as its own."""
        return f"drill: {self.reason}"

    def changed(self, **values: object) -> DrillRecord:
        """Return a copy with these values."""
        return self.model_copy(update=values)

    def spoiled(self, problem: str) -> DrillRecord:
        """Return a copy that is red for one more reason."""
        return self.changed(result=Result.RED, problems=(*self.problems, problem))


def save(directory: Path, record: DrillRecord) -> Path:
    """Write a record and return its file; `directory` is that of the runs."""
    file = _folder(directory) / f"{record.began:%Y%m%dT%H%M%S%fZ}-{record.environment}-{record.pair}.json"
    write_whole(file, record.model_dump_json(indent=2) + "\n")
    return file


def last_drill(directory: Path, pair: str, environment: Environment) -> DrillRecord | None:
    """Return the record of a pair's newest drill, or None; `directory` is that of the runs.

    Raises:
        DrillRecordError: it is damaged.
    """
    files = sorted(_folder(directory).glob(f"*-{environment}-{pair}.json"))
    if not files:
        return None
    try:
        return DrillRecord.model_validate_json(files[-1].read_bytes())
    except ValidationError as error:
        raise DrillRecordError.build(
            f"{files[-1]}: the record of a drill is damaged",
            expected="a record as runbooks/readiness/drill_record.py describes it",
            found=f"{error.error_count()} errors, the first one: {error.errors()[0]['msg']}",
            action="move it away to go on without it",
        ) from error


def _folder(directory: Path) -> Path:
    return directory / "drills"
