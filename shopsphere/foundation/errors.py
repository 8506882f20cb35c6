"""The root of every error that is the user's to act on."""

from __future__ import annotations

from shopsphere.foundation.exit_code import ExitCode


class ShopSphereError(Exception):
    """A failure with a message that says what was expected, what was found and what to do.

    The command line prints the message without a traceback and exits with `exit_code`.
    """

    exit_code: int = ExitCode.FAILED

    @classmethod
    def build(cls, problem: str, *, expected: str, found: str, action: str) -> ShopSphereError:
        """Compose the four parts in the one order that all messages share."""
        return cls(f"{problem}\n  expected: {expected}\n  found:    {found}\n  do:       {action}")


def one_line(text: object) -> str:
    """Fold a message into one line, for a list, a log or a journal."""
    return " ".join(str(text).split())


def told(error: Exception) -> str:
    """Return what kept something from being looked at; an error that nobody foresaw with its kind."""
    return one_line(error if isinstance(error, ShopSphereError) else f"{type(error).__name__}: {error}")


class MayPassError(ShopSphereError):
    """A refusal that may become a success during a wait; outside a wait it is a refusal like any other."""


class NoAnswerError(MayPassError):
    """A remote program did not answer, or its answer was not usable yet; asking again may help."""


class UsageError(ShopSphereError):
    """The command was called with words it does not know."""

    exit_code = ExitCode.WORDS
