"""Dry run: what every step would do and all that is in the way, without acting."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from runbooks.engine import bounded
from runbooks.engine.errors import BlockedError, LaterError, RunbookError, describe
from runbooks.engine.steps import Runbook, Step
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.columns import UNBOUNDED, folded
from shopsphere.foundation.errors import one_line

CHECK_SECONDS = 4.5  # all checks side by side; with the start of their threads a dry run stays under 5 s

_BELOW = " " * 9


class Outlook(StrEnum):
    """What a check says of its step."""

    ACTS = "acts"
    LATER = "later"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Forecast:
    """One step of a dry run.

    Attributes:
        text: what `act` would do, what the decision waits for, or what is in the way and what to do.
    """

    step: Step
    outlook: Outlook
    text: str


@dataclass(frozen=True)
class DryRun:
    """The answers of all checks, in the order of the steps."""

    runbook: str
    forecasts: tuple[Forecast, ...]

    @property
    def blockers(self) -> tuple[Forecast, ...]:
        """The steps that would not act now."""
        return tuple(forecast for forecast in self.forecasts if forecast.outlook is Outlook.BLOCKED)

    def lines(self, width: int = UNBOUNDED) -> list[str]:
        """Return what a person reads: for each step its title, and below it what it would do or what is in the way.

        Args:
            width: of the terminal, in characters.
        """
        lead = {Outlook.ACTS: "", Outlook.LATER: "decided then: ", Outlook.BLOCKED: "BLOCKED: "}
        shown = []
        for each in self.forecasts:
            shown += folded(each.step.label, width, first="  ", indent=" " * 6)
            shown += folded(one_line(each.text), width, first=_BELOW + lead[each.outlook], indent=_BELOW + "  ")
        return shown

    def as_document(self) -> dict[str, Any]:
        """Return all of it as plain values, for a change ticket."""
        steps = [
            {"step": each.step.name, "title": each.step.title, "outlook": each.outlook.value, "text": each.text}
            for each in self.forecasts
        ]
        return {"runbook": self.runbook, "clear": not self.blockers, "steps": steps}

    def require_clear(self) -> None:
        """Refuse to go on when a step is blocked.

        Raises:
            BlockedError: names every blocked step and what to do about each.
        """
        if self.blockers:
            listed = "\n".join(f"{each.step.name}: {each.text}" for each in self.blockers)
            raise BlockedError(f"runbook {self.runbook}: {len(self.blockers)} blocked\n{listed}")


def look_ahead(
    runbook: Runbook,
    variant: str | None,
    context: Any,
    *,
    seconds: float = CHECK_SECONDS,
    clock: Clock = SYSTEM_CLOCK,
) -> DryRun:
    """Ask the check of every step, never its `act`.

    The checks run side by side, each in a thread, so that one which waits for a dead site hides no other's answer. A
    check that fails in any other way, or does not answer in time, counts as a blocker: what is unknown is not clear.

    Args:
        runbook: whose steps.
        variant: one of its variants; None when it has none.
        context: handed to the checks, from several threads at once.
        seconds: bound on all checks together.
        clock: replaceable in tests.

    Raises:
        RunbookError: the runbook has no such variant.
    """
    end = clock.monotonic() + seconds
    asked = [(step, bounded.start(partial(_line, step, context), name=step.name)) for step in runbook.select(variant)]
    forecasts = []
    for step, future in asked:
        try:
            text = bounded.answer_of(future, what=f"check, bounded by {seconds} s,", seconds=end - clock.monotonic())
            forecasts.append(Forecast(step, Outlook.ACTS, text))
        except LaterError as reason:
            forecasts.append(Forecast(step, Outlook.LATER, str(reason)))
        except Exception as error:  # noqa: BLE001 - every failure of a check is a blocker, listed beside the others
            forecasts.append(Forecast(step, Outlook.BLOCKED, describe(error)))
    return DryRun(runbook.name, tuple(forecasts))


def _line(step: Step, context: Any) -> str:
    text: object = step.check(context)
    if not isinstance(text, str) or not text.strip():
        raise RunbookError(f"step {step.name}: check returned {text!r}, not a line\n  do:       correct the step")
    return text
