"""Every Python file of the repository is checked, also those that mypy passes over by itself."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from shopsphere.foundation.paths import REPOSITORY


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_types", REPOSITORY / "tools" / "check_types.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "file",
    [
        "__main__.py",
        "conftest.py",
        "stacks/rdc-a/__main__.py",
        "runbooks/failover/07-promote-databases.py",
        "tests/lab/conftest.py",
        "tests/graph/conftest.py",
        "tests/preview/tiny/__main__.py",
        "bench/safety/__main__.py",
        "tools/check_types.py",
    ],
)
def test_a_file_is_among_them(program: ModuleType, file: str) -> None:
    assert Path(file) in program.python_files()


def test_names_of_their_own_differ(program: ModuleType) -> None:
    files = program.python_files()
    assert len({program.own_name(file) for file in files}) == len(files)
