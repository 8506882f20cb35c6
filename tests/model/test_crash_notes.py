"""A process of tests that a signal ends says at the end of the log where it was."""

import subprocess
import sys
from pathlib import Path

import pytest

SUPPORT = Path(__file__).resolve().parents[1] / "support"
CONFTEST = """
from crash_notes import plugin_of

def pytest_configure(config):
    config.pluginmanager.register(plugin_of(config))
"""
TESTS = """
import os, signal

def test_fine():
    pass

def test_that_meets_a_signal():
    os.kill(os.getpid(), signal.{signal})
"""


def run(folder: Path, signal: str) -> tuple[str, list[Path]]:
    """Return what pytest printed, and what it left in the folder for temporary files."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(TESTS.format(signal=signal))
    (folder / "tmp").mkdir()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "xdist", "-n", "2", "--max-worker-restart=0", "test_it.py"]
    environment = {
        "PATH": "/usr/bin:/bin", "PYTHONPATH": str(SUPPORT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "TMPDIR": str(folder / "tmp"),
    }  # fmt: skip
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout, list((folder / "tmp").glob("crash-notes-*"))


@pytest.mark.parametrize(("signal", "words"), [("SIGSEGV", "Segmentation fault"), ("SIGABRT", "Aborted")])
def test_the_place_is_told_with_the_failures(tmp_path: Path, signal: str, words: str) -> None:
    printed, left = run(tmp_path, signal)
    _, _, end = printed.partition("was ended by a signal")
    assert f"Fatal Python error: {words}" in end
    assert "in test_that_meets_a_signal" in end
    assert "1 failed" in end
    assert not left


def test_nothing_is_told_where_nothing_crashed(tmp_path: Path) -> None:
    printed, left = run(tmp_path, "SIGCONT")
    assert "2 passed" in printed
    assert "was ended by a signal" not in printed
    assert not left
