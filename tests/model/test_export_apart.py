"""The export is a part of its own: nothing of the shop loads it, and the shop's image has none of what it needs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.images.shop import LOCK

ROOT = Path(__file__).resolve().parents[2]
EXPORT = ROOT / "app" / "export"

pytestmark = pytest.mark.requirement("only the exporter may make what leaves a region")


def imported(file: Path) -> Iterator[str]:
    """Names of the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{each.name}" for each in node.names))


def of(package: str, folder: Path) -> list[str]:
    """Files of a folder that import a package."""
    files = sorted(folder.rglob("*.py"))
    assert files
    return [
        str(file.relative_to(ROOT))
        for file in files
        if any(each == package or each.startswith(f"{package}.") for each in imported(file))
    ]


def test_the_image_of_the_shop_has_no_opendp() -> None:
    locked = {line.partition("==")[0] for line in LOCK.read_text().splitlines() if "==" in line}
    assert "asyncpg" in locked, "one looks where something is"
    assert locked & {"opendp", "deprecated"} == set()


def test_opendp_is_loaded_in_one_place() -> None:
    assert of("opendp", ROOT / "app") == ["app/export/noise.py"]


def test_nothing_of_the_shop_loads_the_export() -> None:
    others = [file for file in of("app.export", ROOT / "app") if not file.startswith(("app/export/", "app/reporting/"))]
    assert others == ["app/cli.py"]
    assert of("app.export", EXPORT), "one looks where something is"


def test_headquarters_pages_load_the_words_of_the_export_alone() -> None:
    words = {f"app.export.{name}" for name in ("budget", "noise", "schema", "vocabulary")}
    loaded = {
        each
        for file in (ROOT / "app" / "reporting").rglob("*.py")
        for each in imported(file)
        if each.startswith("app.export")
    }
    assert loaded
    assert {each for each in loaded if not any(each == word or each.startswith(f"{word}.") for word in words)} == set()


def test_the_command_loads_the_export_for_its_two_verbs_alone() -> None:
    tree = ast.parse((ROOT / "app" / "cli.py").read_text())
    loads = {
        getattr(part, "name", "the module")
        for part in tree.body
        for node in ast.walk(part)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("app.export")
    }
    assert loads == {"_export", "_take_releases"}
