"""What a command did or would do, as frozen models that are JSON documents too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shopsphere.foundation.errors import ShopSphereError

CREATE, UPDATE, REPLACE, DELETE = "create", "update", "replace", "delete"
MANDATORY = "mandatory"


class Verb(StrEnum):
    """What is done to the stacks of a plan."""

    PREVIEW = "preview"
    UP = "up"
    DESTROY = "destroy"


class Model(BaseModel):
    """A part of an outcome."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Violation(Model):
    """One verdict of the policy pack."""

    rule: str = Field(description="Name of the policy.")
    level: str = Field(description="`mandatory` stops the run; anything else is advice.")
    resource: str = Field(description="Name of the resource; empty when the rule is about the whole stack.")
    message: str = Field(description="The rule's own words.")

    def describe(self) -> str:
        """Return the verdict as a person reads it."""
        where = f" on {self.resource}" if self.resource else ""
        return f"policy {self.rule} ({self.level}){where}: {self.message}"


class PropertyChange(Model):
    """One property that changes; secrets are masked."""

    path: str = Field(description="As in spec.replicas.")
    kind: str = Field(description="`add`, `update` or `delete`.")
    replaces: bool = Field(description="The resource cannot be changed in place because of this property.")
    old: JsonValue = Field(default=None, description="Value before; null when it is added.")
    new: JsonValue = Field(default=None, description="Value after; null when it is deleted.")


class ResourceChange(Model):
    """One resource that changes."""

    operation: str = Field(description="The engine's word: create, update, replace, delete, import, discard.")
    type: str = Field(description="Type token.")
    name: str = Field(description="Name in the program.")
    urn: str = Field(description="The engine's name of it.")
    properties: tuple[PropertyChange, ...] = Field(default=(), description="What differs; empty for create and delete.")
    fingerprint: str = Field(description="SHA-256 of the operation and of all inputs after it, secrets masked.")

    @property
    def is_destructive(self) -> bool:
        """Whether the resource that exists now will not exist any more."""
        return self.operation in {REPLACE, DELETE}

    @property
    def forced_by(self) -> tuple[str, ...]:
        """Paths of the properties that force a replacement."""
        return tuple(each.path for each in self.properties if each.replaces)


class EngineRun(Model):
    """What one run of the engine on one stack changed, or would change."""

    changes: tuple[ResourceChange, ...] = Field(default=(), description="Resources that change, in the engine's order.")
    counts: dict[str, int] = Field(default_factory=dict, description="Resources per operation, unchanged ones too.")
    changed: int = Field(default=0, description="Resources that change.")
    total: int = Field(default=0, description="Resources in the stack.")
    packs: dict[str, str] = Field(default_factory=dict, description="Policy packs that judged it, and their versions.")
    violations: tuple[Violation, ...] = Field(default=(), description="Verdicts of the packs.")
    seconds: float = Field(default=0.0, description="How long it took.")
    fingerprint: str = Field(default="", description="SHA-256 of all changes; equal when the same changes.")
    protected: tuple[str, ...] = Field(
        default=(), description="URNs that the engine would not delete or replace, because its state protects them."
    )
    to_protect: int = Field(default=0, description="Resources whose protection changes, which is no change of them.")

    @property
    def operations(self) -> dict[str, int]:
        """Number of changed resources per operation."""
        return dict(Counter(change.operation for change in self.changes))


class StackOutcome(Model):
    """What became of one stack."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    stack: str = Field(description="What people call it: the site, or edge.")
    name: str = Field(description="The engine's name of the stack.")
    planned: EngineRun | None = Field(default=None, description="The preview; null when there was none.")
    applied: EngineRun | None = Field(default=None, description="The deed; null when nothing was done.")
    is_set_up: bool = Field(default=True, description="The stack existed before this run.")
    stand_ins: tuple[str, ...] = Field(
        default=(), description="Secrets that are not set yet, for which a preview used throw-away values."
    )
    error: str = Field(default="", description="Why it failed; empty when it did not.")
    seconds: float = Field(default=0.0, description="How long all of it took.")
    cause: Exception | None = Field(default=None, exclude=True, description="The error itself; not in the JSON.")

    @property
    def run(self) -> EngineRun | None:
        """The run that changed the stack, or the preview where nothing was applied."""
        return self.applied or self.planned


class RegionOutcome(Model):
    """What became of one region, or of the edge."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    region: str = Field(description="Name of the pair, `hq` or `edge`.")
    stacks: tuple[StackOutcome, ...] = Field(default=(), description="Those that were begun, in order.")
    error: str = Field(default="", description="Why it failed; empty when it did not.")
    left_out: str = Field(default="", description="Why it was not begun; empty when it was.")
    seconds: float = Field(default=0.0, description="How long all of it took.")
    cause: Exception | None = Field(default=None, exclude=True, description="The error itself; not in the JSON.")


class PlanFailedError(ShopSphereError):
    """Parts of a plan failed.

    Attributes:
        outcome: what became of all parts.
    """

    def __init__(self, outcome: PlanOutcome) -> None:
        failed = [region for region in outcome.regions if region.error]
        told = "".join(f"\n  {region.region}: {region.error.splitlines()[0]}" for region in failed)
        super().__init__(f"{outcome.verb} failed for {', '.join(region.region for region in failed)}{told}")
        self.outcome = outcome


class PlanOutcome(Model):
    """What became of a plan."""

    verb: Verb = Field(description="What was to be done.")
    regions: tuple[RegionOutcome, ...] = Field(description="Regions in the plan's order, the edge where it ran.")
    seconds: float = Field(default=0.0, description="How long all of it took.")

    @property
    def stacks(self) -> Iterator[StackOutcome]:
        """All stacks that were begun."""
        return (stack for region in self.regions for stack in region.stacks)

    @property
    def succeeded(self) -> bool:
        """Whether nothing failed."""
        return not any(region.error for region in self.regions)

    @property
    def changed(self) -> dict[str, int]:
        """Number of resources that change, by stack; stacks without a change are not in it."""
        return {each.stack: each.run.changed for each in self.stacks if each.run and each.run.changed}

    @property
    def fingerprints(self) -> dict[str, str]:
        """Fingerprint of what the preview of each stack showed."""
        return {each.stack: each.planned.fingerprint for each in self.stacks if each.planned}

    def require_success(self) -> None:
        """Accept only an outcome without a failure.

        Raises:
            PlanFailedError: names every region that failed and why; its cause is that of the first.
        """
        if not self.succeeded:
            raise PlanFailedError(self) from next(each.cause for each in self.regions if each.error)
