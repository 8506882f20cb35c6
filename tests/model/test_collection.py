"""The tree's own rules: every test runs, no file grows beyond reading."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHORT_TREES = ("components", "policies", "runbooks", "lab", "app", "shopsphere")
LINE_LIMIT = 300


def test_every_test_file_is_collected() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", str(ROOT / "tests")]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert shown.returncode == 0, shown.stdout[-2000:]
    collected = {line.split("::")[0] for line in shown.stdout.splitlines() if "::" in line}
    wanted = {str(file.relative_to(ROOT)) for file in (ROOT / "tests").rglob("test_*.py")}
    assert collected == wanted


def test_no_file_with_tests_hides_behind_another_name() -> None:
    hidden = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "tests").rglob("*.py")
        if not file.name.startswith("test_") and "\ndef test_" in file.read_text()
    ]
    assert hidden == []


@pytest.mark.parametrize("tree", SHORT_TREES)
def test_no_file_is_longer_than_a_reader_can_hold(tree: str) -> None:
    long = {
        str(file.relative_to(ROOT)): count
        for file in (ROOT / tree).rglob("*.py")
        if (count := len(file.read_text().splitlines())) > LINE_LIMIT
    }
    assert long == {}
