"""What the command's exit code says: one vocabulary for all verbs."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended; the numbers are documented, and scripts depend on them."""

    GOOD = 0
    """Done, or everything is as it should be; also a plan in which nothing is in the way."""

    FAILED = 1
    """It failed, a plan is blocked, or what was looked at is not well, not ready or does not answer."""

    WORDS = 2
    """The command was called with words that it does not know; nothing was done."""

    UNKNOWN = 4
    """Nothing wrong was found, but not everything could be asked."""

    FAULT = 5
    """The program itself has a fault; a log file holds the details."""

    VIOLATED = 6
    """What is declared violates the policies (policy check)."""

    CHANGES = 7
    """There would be changes where none were expected, or what is live, or where data is, is not what is declared."""

    INTERRUPTED = 130
    """Ended by Ctrl-C, as shells report it."""

    PIPE_CLOSED = 141
    """Nobody reads the output any more, as shells report it."""


MEANINGS = {
    ExitCode.GOOD: "good",
    ExitCode.FAILED: "failed; a plan is blocked; something is not well, not ready or does not answer",
    ExitCode.WORDS: "wrong words; nothing was done",
    ExitCode.UNKNOWN: "nothing wrong was found, but not everything could be asked (audit verify, doctor, drift, "
    "policy check, residency)",
    ExitCode.FAULT: "a fault of the program; the message names a log file",
    ExitCode.VIOLATED: "a policy is violated (policy check)",
    ExitCode.CHANGES: "changes where none were expected (preview --expect-no-changes), drift, or a leak (residency)",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.PIPE_CLOSED: "nobody reads the output any more",
}
"""For the help text and the README."""
