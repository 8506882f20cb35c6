"""Reads a folder of step files; whatever could make a run leave out a step is an error."""

from __future__ import annotations

import importlib.util
import inspect
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from runbooks.engine.errors import RunbookError, describe
from runbooks.engine.steps import Runbook, Step

STEP_FILE = re.compile(r"(?P<number>\d\d)-[a-z][a-z0-9]*(-[a-z0-9]+)+\.py")


FUNCTIONS = frozenset({"check", "act", "verify"})


def load_runbook(folder: Path, *, variants: frozenset[str] = frozenset()) -> Runbook:
    """Import every step of a folder.

    Args:
        folder: holds files `NN-verb-object.py`, and `__init__.py` at most besides.
        variants: the ways to run it; steps may name no other, so that a misspelt one is noticed.

    Raises:
        RunbookError: no steps, a malformed name, two files with one number, or a file that is no step.
    """
    files = sorted(file for file in folder.glob("*.py") if file.name != "__init__.py")
    if not files:
        raise RunbookError.build(
            f"runbook {folder.name}: no steps",
            expected="files NN-verb-object.py",
            found=f"none in {folder}",
            action="name a folder that holds a runbook",
        )
    numbers: dict[int, Path] = {}
    for file in files:
        match = STEP_FILE.fullmatch(file.name)
        if not match:
            _refuse(
                file, expected="a name like 04-wait-for-fence.py", found=file.name, action="rename or move the file"
            )
        number = int(match["number"])
        if number in numbers:
            found = f"{numbers[number].name} and {file.name}"
            _refuse(file, expected=f"one file with number {number:02d}", found=found, action="renumber one of them")
        numbers[number] = file
    steps = tuple(_load_step(file, number, variants) for number, file in sorted(numbers.items()))
    return Runbook(folder.name, folder, steps, variants)


def _load_step(file: Path, number: int, variants: frozenset[str]) -> Step:
    module = _import(file)
    _require_known_functions(module, file)
    return Step(
        number=number,
        name=file.stem,
        title=_title(module, file),
        seconds=_seconds(module, file),
        variants=_variants(module, file, variants),
        once=_once(module, file),
        again_seconds=_again_seconds(module, file),
        check=_function(module, file, "check"),
        act=_function(module, file, "act") if hasattr(module, "act") else None,
        verify=_function(module, file, "verify"),
    )


def _import(file: Path) -> ModuleType:
    # The name cannot be imported, and need not be; dataclasses of a step look their module up by it.
    name = f"runbooks.{file.parent.name}.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        _refuse(file, expected="a Python file", found="something else", action="correct the file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise RunbookError.build(
            f"step {file.parent.name}/{file.name}: cannot be imported",
            expected="a module",
            found=describe(error),
            action=f"correct {file}",
        ) from error
    return module


def _require_known_functions(module: ModuleType, file: Path) -> None:
    """Refuse a public function that the engine would not call: a misspelt `act` would be no act at all."""
    own = {
        name for name, each in vars(module).items() if inspect.isfunction(each) and each.__module__ == module.__name__
    }
    others = sorted(name for name in own - FUNCTIONS if not name.startswith("_"))
    if others:
        _refuse(
            file,
            expected="no function besides check, act and verify without an underscore",
            found=", ".join(others),
            action="correct the name, or begin that of a step's own function with _",
        )


def _title(module: ModuleType, file: Path) -> str:
    title = getattr(module, "TITLE", None)
    if not isinstance(title, str) or not title.strip() or "\n" in title:
        _refuse(file, expected="TITLE, one line of text", found=repr(title))
    return title


def _seconds(module: ModuleType, file: Path) -> float:
    seconds = getattr(module, "SECONDS", None)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        _refuse(file, expected="SECONDS, a number above 0", found=repr(seconds))
    return float(seconds)


def _variants(module: ModuleType, file: Path, known: frozenset[str]) -> frozenset[str] | None:
    if not hasattr(module, "VARIANTS"):
        return None
    variants = module.VARIANTS
    if not isinstance(variants, frozenset) or not variants or not variants <= known:
        expected = f"VARIANTS, a frozenset of {', '.join(sorted(known))}" if known else "no VARIANTS"
        _refuse(file, expected=expected, found=repr(variants))
    return variants


def _again_seconds(module: ModuleType, file: Path) -> float:
    seconds = getattr(module, "AGAIN_SECONDS", 0)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        _refuse(file, expected="AGAIN_SECONDS, a number of at least 0", found=repr(seconds))
    return float(seconds)


def _once(module: ModuleType, file: Path) -> bool:
    once = getattr(module, "ONCE", False)
    if not isinstance(once, bool):
        _refuse(file, expected="ONCE, True or False", found=repr(once))
    return once


def _function(module: ModuleType, file: Path, name: str) -> Callable[[Any], Any]:
    function = getattr(module, name, None)
    expected = f"a function {name}(context)"
    if not inspect.isfunction(function) or inspect.iscoroutinefunction(function):
        _refuse(file, expected=expected, found="none" if function is None else repr(function))
    try:
        inspect.signature(function).bind(object())
    except TypeError:
        _refuse(file, expected=expected, found=f"{name}{inspect.signature(function)}")
    return function


def _refuse(file: Path, *, expected: str, found: str, action: str = "correct the file") -> NoReturn:
    raise RunbookError.build(
        f"step {file.parent.name}/{file.name}: malformed", expected=expected, found=found, action=action
    )
