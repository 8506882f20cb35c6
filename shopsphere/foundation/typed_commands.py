"""Commands that a message tells somebody to type, as they have to be typed for the environment it is about.

Texts name a command without its environment: `shopsphere status frankfurt`. That means the lab. Where a command was
called for other clusters, what it prints names them, so that a command can be copied as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

OPTION = "--environment"
WITHOUT = frozenset({
    "completion", "diagram", "edge-door keys", "edge-door refuse", "images push", "lab", "policy guard", "region add",
    "report preview", "residency verify", "topology",
})  # fmt: skip
"""Verbs, and groups of them, that know no environment."""

_COMMAND = re.compile(r"`shopsphere (?P<words>[^\s`][^`]*)`")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_REST = re.compile(r" (?:\||&&|>|--(?= )|;) ?")
"""Where the words of the command itself end."""
_print_for = [""]
"""The environment; one for all threads of a process, since a process carries out one command."""


@contextmanager
def one_call() -> Iterator[None]:
    """Let what a command is called for end with it."""
    before, _print_for[:] = _print_for[0], [""]
    try:
        yield
    finally:
        _print_for[:] = [before]


def print_for(environment: str) -> None:
    """Let commands that are printed from now on name this environment; the empty text lets them stand as they are."""
    _print_for[:] = [environment]


def as_typed(text: str) -> str:
    """Return a text whose commands, each in backticks, name the environment that this command was called for."""
    (environment,) = _print_for
    if not environment or "`shopsphere " not in text:
        return text
    return _COMMAND.sub(lambda found: f"`shopsphere {_named(found['words'], environment)}`", text)


def _named(words: str, environment: str) -> str:
    group, verb = words.split()[0], " ".join(words.split()[:2])
    if OPTION in words or " -e " in words or group.startswith("-") or {group, verb} & WITHOUT:
        return words
    rest = _REST.search(_QUOTED.sub(lambda quoted: "_" * len(quoted[0]), words))
    end = rest.start() if rest else len(words)
    return f"{words[:end]} {OPTION} {environment}{words[end:]}"
