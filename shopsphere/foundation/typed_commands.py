"""Commands that a message tells somebody to type, as they have to be typed for the environment it is about.

Texts name a command without its environment: `shopsphere status frankfurt`. That means the lab. Where a command was
called for other clusters, what it prints names them, so that a command can be copied as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

OPTION = "--environment"
WITHOUT = frozenset({
    "completion", "diagram", "edge-door keys", "edge-door refuse", "images push", "lab", "policy guard", "region add",
    "report preview", "residency verify", "topology",
})  # fmt: skip
"""Verbs, and groups of them, that know no environment."""

_COMMAND = re.compile(r"`shopsphere (?P<words>[^`]+)`")
_REST = re.compile(r" (?:\||&&|>|--(?= )|;) ?")
"""Where the words of the command itself end."""
_environment: ContextVar[str] = ContextVar("environment of printed commands", default="")


@contextmanager
def one_call() -> Iterator[None]:
    """Let what a command is called for end with it."""
    before = _environment.set("")
    try:
        yield
    finally:
        _environment.reset(before)


def print_for(environment: str) -> None:
    """Let commands that are printed from now on name this environment; the empty text lets them stand as they are."""
    _environment.set(environment)


def as_typed(text: str) -> str:
    """Return a text whose commands, each in backticks, name the environment that this command was called for."""
    environment = _environment.get()
    if not environment or "`shopsphere " not in text:
        return text
    return _COMMAND.sub(lambda found: f"`shopsphere {_named(found['words'], environment)}`", text)


def _named(words: str, environment: str) -> str:
    verb = words.split()
    if OPTION in words or " -e " in words or verb[0] in WITHOUT or " ".join(verb[:2]) in WITHOUT:
        return words
    rest = _REST.search(words)
    end = rest.start() if rest else len(words)
    return f"{words[:end]} {OPTION} {environment}{words[end:]}"
