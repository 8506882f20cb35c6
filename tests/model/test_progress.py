"""Lines for people: one that cannot be written stops nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.paths import REPOSITORY

_WORK = """
from shopsphere.foundation.progress import say, step
for number in range(3000):
    say("a line that nobody will read")
with step("a step of a change"):
    pass
print("done", flush=True)
"""
_CHANGE = """
import os, pathlib, sys, time
from cli import common, main
from runbooks import operate
from runbooks.drill import there_and_back
from shopsphere.foundation.progress import step
def change(*words, **more):
    def tell(line): os.write(int(sys.argv[1]), line)
    with step("a step of a change"):
        tell(b"in the middle\\n")
        time.sleep(2)
    tell(b"done\\n")
    return pathlib.Path("/nowhere")
operate.carry_out = there_and_back.carry_out = change
common.lab_is_here = lambda: True
main.run([sys.argv[2], "rdc-a", "--execute", "--reason", "test", *(["--planned"] if sys.argv[2] == "failover" else [])])
"""
_AGENT = """
import sys
from runbooks.agent.log import tell
from runbooks.agent.loops import Loop
turns = []
def fails():
    turns.append(1)
    if len(turns) == 4:
        loop.stop()
    if len(turns) % 2:
        raise ValueError("said once, and taken back once")
loop = Loop(fails, lambda: 0.0, tell, after_an_error=0.0)
loop.run()
sys.stderr.write(f"{len(turns)} turns")
"""


@pytest.mark.requirement("no error is a traceback, and an output that was not written is no success")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_on_a_full_disk(unbuffered: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with Path("/dev/full").open("w") as full:
        done = _run("from cli.main import main; main()", "--version", stdout=full.fileno(), stderr=subprocess.PIPE)
    assert done.returncode == ExitCode.FAILED
    assert "No space left on device\n  do:       make room on it" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.requirement("a change goes on when the line to its operator's terminal breaks")
@pytest.mark.parametrize("verb", ["failover", "drill"])
def test_a_terminal_that_is_gone(verb: str) -> None:
    """In a terminal of its own, which is closed in the middle of the change."""
    terminal, own = os.openpty()
    read, write = os.pipe()
    command = [sys.executable, "-c", _CHANGE, str(write), verb]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=own, stdout=own, stderr=own, pass_fds=[write], start_new_session=True
    ) as change:
        os.close(own)
        os.close(write)
        with os.fdopen(read) as told:
            assert told.readline() == "in the middle\n"
            os.close(terminal)
            os.kill(change.pid, signal.SIGHUP)  # as the kernel does where this is the session's own terminal
            assert told.readline() == "done\n"


def _run(program: str, *words: str, stdout: int, stderr: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(
        command, cwd=REPOSITORY, text=True, timeout=60, check=False, stdout=stdout, stderr=stderr
    )  # fmt: skip


@pytest.mark.requirement("a change does not stop because the disk is full on which its output is kept")
def test_progress_on_a_full_disk() -> None:
    with Path("/dev/full").open("w") as full:
        assert _run(_WORK, stdout=subprocess.PIPE, stderr=full.fileno()).stdout == "done\n"


@pytest.mark.requirement("an agent goes on when its log cannot be written")
def test_an_agent_with_its_log_on_a_full_disk() -> None:
    with Path("/dev/full").open("w") as full:
        assert "4 turns" in _run(_AGENT, stdout=full.fileno(), stderr=subprocess.PIPE).stderr
