"""Saved plans: what a preview showed, so that `up` can apply that and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from shopsphere.deploy.outcomes import Model, PlanOutcome
from shopsphere.estate import stack_files
from shopsphere.estate.stack import Environment, StackId
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.paths import REPOSITORY, TOPOLOGY_FILE
from shopsphere.topology.overlay import overlay_file

CODE = ("components", "policies", "shopsphere")
LISTED = 5
"""Files that a message names; the rest are counted."""


class PlanRefusedError(ShopSphereError):
    """A saved plan is not one of this checkout, or not of what was asked for."""


class SavedPlan(Model):
    """A preview on disk.

    What it guarantees: `up --plan` refuses when the checkout's declaring files differ from those previewed, and, for
    each stack right before it is applied, when a fresh preview shows other changes: other resources, operations or
    values of inputs. What it does not: values of secrets are masked in both previews, and what is known only after a
    resource exists is compared with nothing. A change that somebody makes in the seconds between the fresh preview and
    the deployment is not seen. Stacks are compared one after the other, so that earlier ones are already deployed when
    a later one is refused.
    """

    format: Literal[1] = Field(default=1, description="Version of this document.")
    target: str = Field(description="What was previewed.")
    environment: Environment = Field(description="Where.")
    refresh: bool = Field(description="What is really there was read first.")
    made: datetime = Field(description="When.")
    by: str = Field(description="Who made it, and on which machine.")
    inputs: dict[str, str] = Field(description="SHA-256 of each file that decides what is declared.")
    outcome: PlanOutcome = Field(description="What the preview showed, secrets masked.")

    @property
    def digest(self) -> str:
        """SHA-256 that names this plan in the history."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def require(self, target: str, environment: Environment, stacks: Iterable[StackId]) -> None:
        """Accept the plan only for what was asked and for the files as they are now.

        Raises:
            PlanRefusedError: it is another target's, or files have changed since.
        """
        if (target, environment) != (self.target, self.environment):
            raise PlanRefusedError.build(
                "the plan is one of something else",
                expected=f"a plan of {target} in {environment}",
                found=f"a plan of {self.target} in {self.environment}",
                action=f"name its own target, or make one: `shopsphere preview {target} --save-plan FILE`",
            )
        now = inputs_of(stacks)
        changed = sorted(name for name in {*now, *self.inputs} if now.get(name) != self.inputs.get(name))
        if changed:
            more = f" and {len(changed) - LISTED} more" if len(changed) > LISTED else ""
            raise PlanRefusedError.build(
                "the plan was made with other files than those of this checkout",
                expected=f"the files of {self.made:%Y-%m-%d %H:%M} UTC, when {self.by} made it",
                found=f"changed, added or removed: {', '.join(changed[:LISTED])}{more}",
                action="check out what was previewed, or preview again and have that approved",
            )


def inputs_of(stacks: Iterable[StackId]) -> dict[str, str]:
    """Return the SHA-256 of each file that decides what the stacks declare, by its path in the checkout."""
    return {_name(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(set(_files(stacks)))}


def save(file: Path, plan: SavedPlan) -> None:
    """Write a plan whole or not at all, readable by its owner only: it shows all inputs except secrets.

    Raises:
        PlanRefusedError: the preview failed, so that there is nothing to approve.
    """
    if not plan.outcome.succeeded:
        raise PlanRefusedError(f"{file}: not written, because the preview failed")
    write_whole(file, f"{plan.model_dump_json(indent=2)}\n", mode=0o600)


def load(file: Path) -> SavedPlan:
    """Read a plan.

    Raises:
        PlanRefusedError: there is none, or it cannot be read.
    """
    try:
        return SavedPlan.model_validate_json(file.read_bytes())
    except OSError as error:
        found = error.strerror or str(error)
    except ValidationError as error:
        first = error.errors()[0]
        found = f"{'.'.join(map(str, first['loc'])) or 'the document'}: {first['msg']}"
    raise PlanRefusedError.build(
        f"{file}: cannot be read as a plan",
        expected="a file that `shopsphere preview --save-plan` of this version wrote",
        found=found,
        action="make it again",
    )


def _files(stacks: Iterable[StackId]) -> Iterator[Path]:
    yield from (TOPOLOGY_FILE, REPOSITORY / "requirements.lock")
    for folder in CODE:
        yield from (
            file for file in (REPOSITORY / folder).rglob("*") if file.is_file() and "__pycache__" not in file.parts
        )
    for stack in stacks:
        yield from (stack.folder / "Pulumi.yaml", stack.folder / "__main__.py")
        overlay = overlay_file(TOPOLOGY_FILE, stack.environment)
        if overlay.exists():
            yield overlay
        is_lab = stack.environment is Environment.LAB
        yield stack_files.base_file(stack) if is_lab else stack_files.project_file(stack)


def _name(file: Path) -> str:
    return str(file.relative_to(REPOSITORY)) if file.is_relative_to(REPOSITORY) else str(file)
