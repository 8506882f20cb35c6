"""How a step, a runbook and a run can fail."""

from __future__ import annotations

from shopsphere.foundation.errors import ShopSphereError

ADVICE = "\n  do:       "
"""What comes before the advice in a message."""


class RunbookError(ShopSphereError):
    """A runbook's folder or one of its files is not as the engine needs it, or a wrong variant was asked for."""


class BlockedError(ShopSphereError):
    """A step must not act now; raised by its `check`."""

    @classmethod
    def because(cls, why: str, *, action: str) -> BlockedError:
        """Compose the two parts that a blocker needs at least: what is in the way, what to do about it."""
        return cls(f"{why}{ADVICE}{action}")


class LaterError(ShopSphereError):
    """A step's `check` has no answer before earlier steps ran; the message says what it depends on."""


class StepFailedError(ShopSphereError):
    """A run stopped at a step; its journal stays unfinished, and the same command resumes it."""


def describe(error: BaseException) -> str:
    """Return an error's message; of an error that is not ours, its type too, which is often all it says."""
    if isinstance(error, ShopSphereError):
        return str(error)
    return f"{type(error).__name__}: {error}"
