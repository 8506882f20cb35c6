"""What the shop's programs import is in their image."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from shopsphere.foundation.paths import REPOSITORY

ELSEWHERE = {
    ("app/archive/store.py", "boto3"),
    ("app/archive/store.py", "botocore"),
    ("app/export/noise.py", "opendp"),
}
"""Loaded by one file alone, in an image of its own."""


def imported(file: Path) -> Iterator[str]:
    """Yield the first word of each import in a file, wherever it stands."""
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (each.name.partition(".")[0] for each in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]


@pytest.mark.requirement("every program of the shop begins in the shop's image")
def test_all_that_the_shop_imports_is_in_its_image() -> None:
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (REPOSITORY / "app/requirements.lock").read_text(), re.MULTILINE))
    distributions = packages_distributions()
    missing = {
        (str(file.relative_to(REPOSITORY)), name)
        for file in sorted((REPOSITORY / "app").rglob("*.py"))
        for name in imported(file)
        if name != "app"
        and name not in sys.stdlib_module_names
        and not locked & {each.lower().replace("_", "-") for each in distributions.get(name, [])}
    }
    assert missing == ELSEWHERE
