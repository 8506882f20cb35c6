"""Calls the tests of a file that need little of pytest: its start and its collection cost more than such tests."""

import importlib
import inspect
import itertools
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mutators import REPOSITORY

PATHS = ("tests/support", "tests/graph", "tests/model")
HARMLESS = {"parametrize", "requirement"}
"""Marks that need nothing of pytest to be obeyed."""
FIXTURES = {"monkeypatch", "tmp_path"}
"""What a test may ask for and still be called."""


@dataclass(frozen=True)
class Call:
    """A test with one set of its arguments."""

    name: str
    test: Callable[..., object]
    arguments: dict[str, Any]
    fixtures: frozenset[str]

    def run(self) -> None:
        """Call the test with what it asks for; what it has changed is put back."""
        with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
            given = {"monkeypatch": patch, "tmp_path": Path(folder)}
            self.test(**self.arguments, **{name: given[name] for name in self.fixtures})


def first_failure(files: Sequence[str], folder: Path) -> str:
    """Run the plain tests of some files and return the name of the first that fails; empty when all pass.

    Args:
        files: from the repository.
        folder: an empty one, for what tests write.
    """
    sys.path[:0] = [str(REPOSITORY / each) for each in PATHS]
    try:
        importlib.import_module("production_topology").fill_in_production(folder, pytest.MonkeyPatch())
    except Exception as error:  # noqa: BLE001 whatever a mutant does before its tests counts as their failure
        return f"conftest.py ({type(error).__name__})"
    for file in files:
        try:
            calls = list(plain_tests(file))
        except Exception as error:  # noqa: BLE001 likewise
            return f"{file} ({type(error).__name__} at import)"
        for call in calls:
            try:
                call.run()
            except pytest.skip.Exception:
                continue
            except BaseException:  # noqa: BLE001 the same things that pytest calls a failure, SystemExit too
                return call.name
    return ""


def plain_tests(file: str) -> Iterator[Call]:
    """Yield the tests of a file that take no other fixture, in its order, with each set of their arguments."""
    module = importlib.import_module(Path(file).stem)
    for name, test in list(vars(module).items()):
        if not name.startswith("test_") or not inspect.isfunction(test) or hasattr(test, "hypothesis"):
            continue
        marks = getattr(test, "pytestmark", [])
        if {mark.name for mark in marks} <= HARMLESS:
            for arguments in _sets([mark for mark in marks if mark.name == "parametrize"]):
                asked = set(inspect.signature(test).parameters) - set(arguments)
                if asked <= FIXTURES:
                    told = "-".join(str(value) for value in arguments.values() if isinstance(value, str | int))
                    title = f"{file}::{name}[{told[:80]}]" if arguments else f"{file}::{name}"
                    yield Call(title, test, arguments, frozenset(asked))


def _sets(marks: Sequence[pytest.Mark]) -> Iterator[dict[str, Any]]:
    """Yield each set of arguments that marks give: those of several marks in all combinations."""
    for combined in itertools.product(*(_of(mark) for mark in marks)):
        yield {name: value for each in combined for name, value in each.items()}


def _of(mark: pytest.Mark) -> Iterator[dict[str, Any]]:
    names, values = mark.args[:2]
    names = [each.strip() for each in names.split(",")] if isinstance(names, str) else list(names)
    for each in values:
        row = each.values if hasattr(each, "marks") else [each] if len(names) == 1 else each
        yield dict(zip(names, row, strict=True))
