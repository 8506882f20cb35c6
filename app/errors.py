"""Errors of the shop.

The image holds only this package, so these do not derive from the control repository's errors.
"""

from __future__ import annotations


class ShopError(Exception):
    """A failure whose message an operator can act on; the command line prints it without a traceback."""

    exit_code = 1

    @classmethod
    def build(cls, problem: str, *, expected: str, found: str, action: str) -> ShopError:
        """Compose the four parts in the one order that all messages share."""
        return cls(f"{problem}\n  expected: {expected}\n  found:    {found}\n  do:       {action}")


class SettingsError(ShopError):
    """The environment lacks a value or holds one that cannot be right."""

    exit_code = 2


class DatabaseUnavailableError(ShopError):
    """The database did not answer in time; nothing was written."""


class ReadOnlyDatabaseError(DatabaseUnavailableError):
    """The database takes no writes now (SQLSTATE 25006): a standby, or a fenced primary."""


class UnknownOutcomeError(ShopError):
    """COMMIT was sent and no answer came: the write may or may not have happened. Re-read by idempotency key."""
