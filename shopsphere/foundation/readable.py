"""Words and variables as text: an operating system hands on any bytes, and text is kept, compared and sent on."""

from __future__ import annotations

import os
from collections.abc import Mapping

from shopsphere.foundation.errors import UsageError

OURS = ("SHOPSPHERE_", "PULUMI_", "XDG_")
"""Beginnings of variables that say where things are or what is done: a replacement would name something else."""


def readable(word: str) -> str:
    """Return a word as text: bytes that are no UTF-8 become a replacement character."""
    return word.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def require_readable(variables: Mapping[str, str] | None = None) -> None:
    """Refuse variables of ours whose values are no text.

    Raises:
        UsageError: names them.
    """
    given = os.environ if variables is None else variables
    wrong = [name for name, value in given.items() if name.startswith(OURS) and readable(value) != value]
    if wrong:
        found = "; ".join(f"{readable(name)} is no text in UTF-8: {readable(given[name])!r}" for name in sorted(wrong))
        raise UsageError.build(
            "the environment cannot be read",
            expected="variables with text in UTF-8",
            found=found,
            action="set them anew, or unset them",
        )
