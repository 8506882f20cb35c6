"""Whatever goes wrong is a message: faults of the program, odd bytes, a reader that goes away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Never

import pytest
import typer

from cli import fault
from cli import main as cli
from shopsphere.foundation.exit_code import MEANINGS, ExitCode
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.readable import readable


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv(fault.DEBUG_VARIABLE, raising=False)
    return tmp_path / "shopsphere" / "log"


def break_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    broken = typer.Typer()

    @broken.command()
    def verb() -> Never:
        raise error

    monkeypatch.setattr(cli, "app", broken)


def by_hand(*words: str | bytes, output: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-m", "cli.main"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen([*program, *words], cwd=REPOSITORY, env=environment, stdout=output, stderr=subprocess.PIPE)


@pytest.mark.requirement("no error is ever a traceback; the full one is in a log file that the message names")
@pytest.mark.parametrize("error", [ValueError("Expected 4 octets in 'x'"), RecursionError(), MemoryError("none")])
def test_a_fault_is_short_on_the_terminal_and_whole_in_a_file(
    error: Exception, logs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    break_with(monkeypatch, error)
    assert cli.run([]) == 5
    told = capsys.readouterr().err
    (file,) = logs.iterdir()
    assert "a fault of the program" in told
    assert type(error).__name__ in told
    assert str(file) in told
    assert "tests/model/test_command_faults.py" in told
    assert "Traceback" not in told
    assert "Traceback" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_who_wants_the_traceback_sees_it(
    logs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOPSPHERE_DEBUG", "1")
    break_with(monkeypatch, ValueError("odd"))
    assert cli.run([]) == 5
    assert "Traceback" in capsys.readouterr().err


def test_only_the_newest_twenty_are_kept(logs: Path) -> None:
    logs.mkdir(parents=True)
    for number in range(30):
        (logs / f"20200101T0000{number:02d}000000Z-1.log").touch()
    fault.describe_fault(ValueError("new"), ["status"])
    kept = sorted(file.name for file in logs.iterdir())
    assert len(kept) == 20
    assert kept[0].startswith("20200101T000011")
    assert not kept[-1].startswith("2020")


def test_a_log_that_cannot_be_written_is_no_second_fault(logs: Path) -> None:
    logs.parent.mkdir(parents=True)
    logs.touch()  # a file where the folder should be
    assert "not kept" in fault.describe_fault(ValueError("x"), [])


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [(KeyboardInterrupt(), 130, "interrupted\n"), (EOFError(), 1, "error: no answer was given")],
)
def test_a_person_who_stops_it(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    break_with(monkeypatch, error)
    assert cli.run([]) == code
    assert said in capsys.readouterr().err


@pytest.mark.requirement("bytes that are no UTF-8 are never a traceback")
def test_a_word_in_another_encoding_is_taken_with_a_replacement() -> None:
    assert readable(os.fsdecode(b"M\xfcnchen")) == "M\ufffdnchen"
    ended = by_hand("topology", "check", b"/nowhere/M\xfcnchen")
    _, told = ended.communicate(timeout=60)
    assert ended.returncode == 1
    assert b"no such file" in told
    assert b"Traceback" not in told


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = by_hand("topology", "check", output=writing)
    os.close(writing)
    _, told = ended.communicate(timeout=60)
    assert (ended.returncode, told) == (141, b"")


def test_every_code_is_documented() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    assert set(MEANINGS) == set(ExitCode)
    for code in ExitCode:
        assert f"| {code:d} |" in readme
    assert {code.value for code in ExitCode} == {0, 1, 2, 4, 5, 6, 7, 130, 141}
