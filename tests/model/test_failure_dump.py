"""The dump of a lab in which a test failed: bounded, and no source spoils another one."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from failure_dump import FILE_BYTES, FILES, end_of, folder_of, write_dump
from manual_clock import ManualClock


def good() -> Iterator[tuple[str, str]]:
    yield "pods.txt", "shop 1/1\n"
    yield "long.log", "x" * FILE_BYTES + "the end\n"


def unreachable() -> Iterator[tuple[str, str]]:
    yield "pods.txt", "some\n"
    raise RuntimeError("no answer within 5 s")


def endless() -> Iterator[tuple[str, str]]:
    for number in range(10 * FILES):
        yield f"{number}.log", ""


def test_each_source_has_its_folder_and_long_files_keep_their_end(tmp_path: Path) -> None:
    write_dump(tmp_path / "dump", {"dublin": good}, clock=ManualClock())
    assert (tmp_path / "dump/dublin/pods.txt").read_text() == "shop 1/1\n"
    kept = (tmp_path / "dump/dublin/long.log").read_text()
    assert (len(kept), kept[-8:]) == (FILE_BYTES, "the end\n")
    assert not (tmp_path / "dump/INCOMPLETE.txt").exists()


def test_one_that_fails_spoils_no_other_one(tmp_path: Path) -> None:
    write_dump(tmp_path, {"frankfurt": unreachable, "dublin": good}, clock=ManualClock())
    assert (tmp_path / "dublin/long.log").exists()
    assert (tmp_path / "frankfurt/pods.txt").exists()
    assert (tmp_path / "INCOMPLETE.txt").read_text() == "frankfurt: no answer within 5 s\n"


def test_it_ends_when_the_time_is_out(tmp_path: Path) -> None:
    clock = ManualClock()

    def slow() -> Iterator[tuple[str, str]]:
        for number in range(10):
            clock.sleep(3)
            yield f"{number}.log", ""

    write_dump(tmp_path, {"ashburn": slow}, seconds=8, clock=clock)
    assert len(list((tmp_path / "ashburn").iterdir())) == 3
    assert "the time was out after 3 files" in (tmp_path / "INCOMPLETE.txt").read_text()


def test_it_ends_in_time_though_an_answer_does_not_come(tmp_path: Path) -> None:
    released = threading.Event()

    def hanging() -> Iterator[tuple[str, str]]:
        yield "pods.txt", "some\n"
        released.wait(30)
        yield "late.txt", "late\n"

    began = time.monotonic()
    write_dump(tmp_path, {"frankfurt": hanging, "sydney": hanging, "dublin": good}, seconds=2)
    assert time.monotonic() - began < 20
    told = (tmp_path / "INCOMPLETE.txt").read_text().splitlines()
    assert [line.partition(":")[0] for line in told] == ["frankfurt", "sydney"]
    assert (tmp_path / "dublin/long.log").exists()
    assert (tmp_path / "frankfurt/pods.txt").exists()
    released.set()


def test_it_ends_when_there_are_too_many_files(tmp_path: Path) -> None:
    write_dump(tmp_path, {"edge": endless}, clock=ManualClock())
    assert len(list((tmp_path / "edge").iterdir())) == FILES


def test_a_folder_is_named_after_its_test(tmp_path: Path) -> None:
    found = folder_of("tests/lab/test_wan.py::test_distance[frankfurt-dublin/../..]", tmp_path)
    assert found.parent == tmp_path
    assert found.name == "tests_lab_test_wan.py_test_distance_frankfurt-dublin_.._.."


def test_only_the_end_of_a_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "kubelet.log"
    log.write_text("x" * FILE_BYTES + "the end\n")
    assert (len(end_of(log)), end_of(log)[-8:]) == (FILE_BYTES, "the end\n")


def test_a_dump_has_nothing_of_the_one_before(tmp_path: Path) -> None:
    write_dump(tmp_path / "dump", {"frankfurt": good}, clock=ManualClock())
    write_dump(tmp_path / "dump", {"dublin": good}, clock=ManualClock())
    assert [each.name for each in (tmp_path / "dump").iterdir()] == ["dublin"]
