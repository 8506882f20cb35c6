"""Crash points for tests: the engine kills its own process as if the machine had lost power.

For tests only: `operate` refuses the variable where the pair is a real one.
`SHOPSPHERE_RUNBOOK_KILL=<step number>:<point>` with one of these points:

- `before`: the step's start is in the journal, nothing else was done;
- `acted`: `act` has returned, and no line says so; of a step without one, before it waits;
- `verified`: the outcome was seen (also when it was there already), and no line says so.

Each point is the worst moment of its boundary: the work is done and its record is not.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from enum import StrEnum

from runbooks.engine.steps import Step
from shopsphere.foundation.errors import UsageError

VARIABLE = "SHOPSPHERE_RUNBOOK_KILL"


class Point(StrEnum):
    """Where in a step the process ends."""

    BEFORE = "before"
    ACTED = "acted"
    VERIFIED = "verified"


@dataclass(frozen=True)
class Crash:
    """The one place where this process is to be killed; `number` None is nowhere."""

    number: int | None = None
    point: Point = Point.BEFORE

    @classmethod
    def from_environment(cls, steps: tuple[Step, ...]) -> Crash:
        """Read the variable.

        Raises:
            UsageError: it names no step of this run or no point, so that a test would pass without its kill.
        """
        wish = os.environ.get(VARIABLE)
        if not wish:
            return cls()
        number, _, point = wish.partition(":")
        numbers = sorted(step.number for step in steps)
        if not number.isdecimal() or int(number) not in numbers or point not in set(Point):
            raise UsageError.build(
                f"{VARIABLE}: no such place",
                expected=f"<step>:<{'|'.join(Point)}> with a step of this run: {', '.join(map(str, numbers))}",
                found=wish,
                action="correct the variable, or unset it: it is for tests only",
            )
        return cls(int(number), Point(point))

    @staticmethod
    def refuse() -> None:
        """Refuse to begin where a kill would be of something real; a variable is inherited without being seen.

        Raises:
            UsageError: the variable is set.
        """
        if wish := os.environ.get(VARIABLE):
            raise UsageError.build(
                f"{VARIABLE} is set: it ends a runbook at its worst moment",
                expected="no such variable in production: it is for tests only",
                found=f"{VARIABLE}={wish}",
                action=f"unset {VARIABLE}, and call the command again",
            )

    def reach(self, step: Step, point: Point) -> None:
        """Die here when this is the place."""
        if (step.number, point) == (self.number, self.point):
            os.kill(os.getpid(), signal.SIGKILL)
