"""The tree's own rules: every test runs, no file grows beyond reading."""

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
FILES = sorted(TESTS.rglob("test_*.py"))
RINGS = {"app", "edge", "graph", "lab", "model", "preview", "seeded"}
SHORT_TREES = ("components", "policies", "runbooks", "lab", "app", "shopsphere", "cli")
LINE_LIMIT = 300
MOMENTS = {"now", "today", "utcnow", "time", "monotonic"}


def names_of_tests(text: str) -> list[str]:
    """Return the names of the functions that pytest takes for tests; our rings have no classes of tests."""
    functions = (each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    return [each.name for each in functions if each.name.startswith("test")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(TESTS)))
def test_every_test_file_has_tests_under_different_names(file: Path) -> None:
    names = names_of_tests(file.read_text())
    assert names
    assert [name for name, count in Counter(names).items() if count > 1] == [], "the last one hides the others"


def test_every_test_file_is_in_a_ring_under_a_name_of_its_own() -> None:
    assert {file.parent.relative_to(TESTS).as_posix() for file in FILES} == RINGS
    twice = [name for name, count in Counter(file.name for file in FILES).items() if count > 1]
    assert twice == [], "rings are no packages: pytest refuses a second module of the same name"


def test_nothing_is_left_out_of_collection() -> None:
    words = ("collect_ignore", "pytest_ignore_collect", "norecursedirs", "--ignore", "--deselect")
    configuration = [ROOT / "pyproject.toml", *TESTS.rglob("conftest.py")]
    assert [(file.name, word) for file in configuration for word in words if word in file.read_text()] == []
    assert [file for file in (ROOT / "pytest.ini", ROOT / "tox.ini", ROOT / "setup.cfg") if file.exists()] == []


def test_no_test_is_skipped_without_a_reason() -> None:
    """And `xfail` is not used: a known failure is a defect, not a state."""
    marks = [(file.name, line) for file in FILES if file.name != "test_collection.py"
             for line in file.read_text().splitlines() if "pytest.mark.skip" in line or "xfail" in line]  # fmt: skip
    assert [mark for mark in marks if "reason=" not in mark[1]] == []


def test_no_file_with_tests_hides_behind_another_name() -> None:
    hidden = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "tests").rglob("*.py")
        if not file.name.startswith("test_") and "\ndef test_" in file.read_text()
    ]
    assert hidden == []


def made_at_collection(file: Path) -> list[str]:
    """Return the moments that a file of tests takes before any of them runs: in cases, constants and defaults."""
    found, left = list[str](), list[ast.AST](ast.parse(file.read_text()).body)
    while left:
        each = left.pop()
        if isinstance(each, ast.Lambda):
            continue
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            defaults = [*each.args.defaults, *filter(None, each.args.kw_defaults)]
            left += [*each.decorator_list, *defaults]
            continue
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in MOMENTS:
            found.append(f"{file.name}:{each.lineno}: {ast.unparse(each)}")
        left += ast.iter_child_nodes(each)
    return found


def test_no_case_is_made_of_the_time_of_its_collection() -> None:
    """A test may run an hour after all of them were collected: what was 27 h old is 28 h old by then."""
    assert [each for file in FILES for each in made_at_collection(file)] == []


def test_moments_are_found_where_they_are_taken_too_early(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(
        "NOW = datetime.now(UTC)\n@mark([date.today()])\ndef test_it(at=time.time()):\n    time.time()\n"
        "LATER = lambda: time.time()\n"
    )
    assert [each.partition(": ")[2] for each in sorted(made_at_collection(file))] == [
        "datetime.now(UTC)",
        "date.today()",
        "time.time()",
    ]


@pytest.mark.parametrize("tree", SHORT_TREES)
def test_no_file_is_longer_than_a_reader_can_hold(tree: str) -> None:
    long = {
        str(file.relative_to(ROOT)): count
        for file in (ROOT / tree).rglob("*.py")
        if (count := len(file.read_text().splitlines())) > LINE_LIMIT
    }
    assert long == {}
