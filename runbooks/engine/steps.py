"""A step and a runbook, as values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbooks.engine.errors import RunbookError


@dataclass(frozen=True)
class Step:
    """One step file.

    Attributes:
        number: its place in the order.
        name: file name without `.py`, as in `04-wait-for-fence`.
        title: imperative sentence for people.
        seconds: bound on `act` and the wait for `verify` together.
        variants: the variants it belongs to; None is all.
        once: when the journal says that it was done, it is not even verified again.
        check: read-only; says in one line what `act` would do or what is waited for; raises BlockedError or
            LaterError.
        act: brings the outcome about; idempotent. None where the step only looks, or waits for what others do.
        verify: read-only; says whether the outcome is there.
        again_seconds: for which an act that has no answer is tried again at least; 0 for a few times at once.
    """

    number: int
    name: str
    title: str
    seconds: float
    variants: frozenset[str] | None
    once: bool
    check: Callable[[Any], str]
    act: Callable[[Any], None] | None
    verify: Callable[[Any], bool]
    again_seconds: float = 0.0

    @property
    def label(self) -> str:
        """What a person reads: the file's name and its title."""
        return f"{self.name}: {self.title}"


@dataclass(frozen=True)
class Runbook:
    """A folder of steps.

    Attributes:
        name: the folder's name.
        steps: all of them, in order.
        variants: the ways to run it; empty when there is only one.
    """

    name: str
    folder: Path
    steps: tuple[Step, ...]
    variants: frozenset[str]

    def select(self, variant: str | None) -> tuple[Step, ...]:
        """Return the steps of a variant, in order.

        Raises:
            RunbookError: the runbook has no such variant, needs one, or nothing is left to do.
        """
        known = self.variants or {None}
        if variant not in known:
            raise RunbookError.build(
                f"runbook {self.name}: wrong variant",
                expected=" or ".join(sorted(self.variants)) or "no variant",
                found=variant or "no variant",
                action="name one that the runbook has",
            )
        chosen = tuple(step for step in self.steps if step.variants is None or variant in step.variants)
        if not chosen:
            raise RunbookError(f"runbook {self.name}: no step belongs to variant {variant}\n  do:       check VARIANTS")
        return chosen
