"""Several processes share the rings; nothing runs beside the lab, which comes last."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rings_at_once import LAB, WHOLE, processes, turn_of, unit_of

SUPPORT = Path(__file__).resolve().parents[1] / "support"
CONFTEST = """
from rings_at_once import RingsAtOnce, turn_of

def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: turn_of(item.nodeid))

def pytest_xdist_make_scheduler(config, log):
    return RingsAtOnce(config, log)
"""
NOTING = """
import os, pathlib, time, pytest

@pytest.mark.parametrize("turn", range({tests}))
def test_noted(turn):
    begun = time.monotonic()
    time.sleep(0.05)
    with pathlib.Path({journal!r}).open("a") as journal:
        journal.write(f"{name} {{os.getpid()}} {{begun}} {{time.monotonic()}}\\n")
"""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def deal(folder: Path, journal: Path, files: dict[str, int], processes: int) -> list[tuple[str, str, float, float]]:
    """Run files of so many tests each, and return unit, process, begin and end (s) of each test, in order of begin."""
    (folder / "tests").mkdir()
    (folder / "tests" / "conftest.py").write_text(CONFTEST)
    for name, tests in files.items():
        ring, _, stem = name.partition("/")
        (folder / "tests" / ring).mkdir(exist_ok=True)
        text = NOTING.format(tests=tests, journal=str(journal), name=name)
        (folder / "tests" / ring / f"test_{ring}_{stem}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "xdist", "-n", str(processes), "tests"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(SUPPORT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{sum(files.values())} passed" in done.stdout
    assert "loadscopesched" not in done.stdout
    noted = (line.split() for line in journal.read_text().splitlines())
    return sorted(((a, b, float(c), float(d)) for a, b, c, d in noted), key=lambda each: each[2])


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_nothing_runs_beside_the_lab_and_it_comes_last(tmp_path: Path, journal: Path, processes: int) -> None:
    files = {"app/a": 6, "app/b": 1, "edge/a": 2, "edge/b": 3, "graph/a": 4, "lab/a": 3, "lab/b": 2, "model/a": 9}
    noted = deal(tmp_path, journal, files, processes)
    rings = [unit.partition("/")[0] for unit, *_ in noted]
    assert set(rings[-5:]) == {LAB}
    begun = noted[-5][2]
    assert all(end <= begun for *_, end in noted[:-5])
    assert len({process for _, process, *_ in noted}) == processes
    for ring in (*WHOLE, LAB):
        alone = {process for unit, process, *_ in noted if unit.startswith(f"{ring}/")}
        assert len(alone) <= 1, ring


@pytest.mark.parametrize(
    "files", [{"lab/a": 3}, {"edge/a": 5, "lab/a": 1}, {"app/a": 1, "lab/a": 1}, {"app/a": 4}], ids=str
)
def test_fewer_units_than_processes(tmp_path: Path, journal: Path, files: dict[str, int]) -> None:
    noted = deal(tmp_path, journal, files, 3)
    assert len(noted) == sum(files.values())
    lab = [begun for unit, _, begun, _ in noted if unit.startswith(LAB)]
    assert not lab or all(end <= lab[0] for unit, *_, end in noted if not unit.startswith(LAB))


def test_what_takes_longest_begins_first_and_the_lab_is_last() -> None:
    rings = ["model", "lab", "app", "graph", "seeded", "preview", "edge"]
    tests = [f"tests/{ring}/test_{ring}.py::test_it" for ring in rings]
    order = [test.split("/")[1] for test in sorted(tests, key=turn_of)]
    assert order == ["edge", "preview", "seeded", "graph", "app", "model", "lab"]


def test_whole_rings_are_one_unit_and_files_of_others_are_units() -> None:
    assert unit_of("tests/edge/test_edge_dns.py::test_flip") == "tests/edge"
    assert unit_of("tests/preview/test_runner.py::test_it") == "tests/preview/test_runner.py"


def test_there_is_one_process_more_than_cores() -> None:
    assert processes() == len(os.sched_getaffinity(0)) + 1
