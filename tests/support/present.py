"""A value that has to be there."""

import re
from typing import TypeVar

Value = TypeVar("Value")


def present(value: Value | None) -> Value:
    """Return a value that may be None, and fail where it is."""
    assert value is not None
    return value


def matched(pattern: str | re.Pattern[str], text: str, flags: int = 0) -> re.Match[str]:
    """Return the first place of a text that matches, and fail where there is none."""
    found = re.search(pattern, text, flags)
    assert found is not None, f"nothing matches {pattern!r}"
    return found
