"""Turns pydantic's findings into problems with expected and found."""

from __future__ import annotations

from typing import Any

from pydantic_core import ErrorDetails

from shopsphere.foundation.document_problem import Problem
from shopsphere.topology.schema import keys_at

LONGEST_VALUE = 60
"""Characters of a value that a message quotes."""


def problem_from(detail: ErrorDetails, values: dict[str, Any]) -> Problem:
    """Say what one validation finding means for the person who wrote the document."""
    location = tuple(part for part in detail["loc"] if part != "[key]")
    path = ".".join(map(str, location))
    match detail["type"]:
        case "extra_forbidden":
            known = ", ".join(keys_at(location[:-1]))
            return Problem(path, f"only known keys: {known}", f"unknown key {str(location[-1])!r}")
        case "missing":
            present = ", ".join(_keys_present(values, location[:-1])) or "nothing"
            return Problem(path, f"the key {str(location[-1])!r}", f"no such key (there is: {present})")
        case _:
            return Problem(path, _expectation(detail["msg"]), _quoted(detail["input"]))


def _expectation(message: str) -> str:
    """Shorten "Input should be greater than 0" to "greater than 0"."""
    for lead in ("Input should be ", "Value error, ", "Input should have ", "String should ", "Value should "):
        if message.startswith(lead):
            return message.removeprefix(lead)
    return message


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _keys_present(values: Any, location: tuple[int | str, ...]) -> list[str]:
    for part in location:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return []
    return [str(key) for key in values if key not in {"name", "jurisdiction"}] if isinstance(values, dict) else []
