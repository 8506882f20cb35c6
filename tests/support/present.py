"""A value that has to be there."""

from typing import TypeVar

Value = TypeVar("Value")


def present(value: Value | None) -> Value:
    """Return a value that may be None, and fail where it is."""
    assert value is not None
    return value
