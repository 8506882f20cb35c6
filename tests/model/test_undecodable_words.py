"""Bytes that are no UTF-8, in words and in variables: a message or a replacement, never a traceback."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import cli.main as cli
from runbooks import operate
from shopsphere.foundation.actor import actor
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.witness import PairRecord

BYTES = b"M\xfcnchen"
NOWHERE = [b"--environment", b"prod"]
"""Nobody has filled in where production is: no verb reaches a site, whatever runs on this machine."""
VERBS = {
    "doctor": [BYTES], "up": [BYTES], "preview": [BYTES], "destroy": [BYTES], "status": [BYTES], "ready": [BYTES],
    "drill": [b"rdc-a", *NOWHERE, b"--reason", BYTES],
    "failover": [b"rdc-a", *NOWHERE, b"--planned", b"--reason", BYTES],
    "failback": [b"rdc-a", *NOWHERE, b"--reason", BYTES], "watch": [BYTES],
    "rebuild": [b"dublin", *NOWHERE, b"--reason", BYTES],
    "break-glass": [b"rdc-a", *NOWHERE, b"--reason", BYTES, b"--to", BYTES], "history": [BYTES], "env": [BYTES],
    "diagram": [BYTES], "completion": [BYTES], "region": [b"facts", BYTES], "topology": [b"check", BYTES],
    "lab": [b"power-off", BYTES], BYTES.decode("latin-1"): [],
}  # fmt: skip
VARIABLES = (
    "SHOPSPHERE_LAB", "SHOPSPHERE_CACHE", "SHOPSPHERE_RECORDS", "SHOPSPHERE_RUNBOOK_KILL", "SHOPSPHERE_DEBUG_NOTE",
    "XDG_CACHE_HOME", "XDG_STATE_HOME", "HOME", "LOGNAME", "USER", "TERM", "COLUMNS", "LANG", "PULUMI_BACKEND_URL",
)  # fmt: skip


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a lab and without a person."""
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path / "lab"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("cli.asking.is_terminal", lambda: False)


@pytest.mark.parametrize("verb", VERBS, ids=ascii)
def test_a_word(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.run([os.fsdecode(word) for word in (verb.encode("latin-1"), *VERBS[verb])])
    told = capsys.readouterr()
    assert "a fault of the program" not in told.err
    assert (told.err + told.out).encode()  # no half of a letter is left
    assert code in {1, 2, 4}, told.err


def test_a_reason_as_a_shell_hands_it_on(tmp_path: Path) -> None:
    words = [b"failover", b"rdc-a", *NOWHERE, b"--planned", b"--execute", b"--reason", BYTES]
    environment = {**os.environ, "LOGNAME": os.fsdecode(BYTES), "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable.encode(), b"-m", b"cli.main", *words]
    ended = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, check=False, timeout=60)
    assert b"Traceback" not in ended.stderr + ended.stdout
    assert b"a fault of the program" not in ended.stderr
    assert ended.returncode == 1


@pytest.mark.parametrize(
    "words", [["failover", "rdc-a", "--planned"], ["rebuild", "dublin"], ["break-glass", "rdc-a"]], ids=lambda w: w[0]
)
def test_a_reason_can_be_kept_in_a_record(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked: list[operate.Request] = []

    def carry_out(_topology: object, request: operate.Request) -> Path:
        asked.append(request)
        return tmp_path

    monkeypatch.setattr(operate, "carry_out", carry_out)
    reason = os.fsdecode(b"the Isar floods " + BYTES)
    assert cli.run([*words, "--execute", "--reason", reason]) == 0, capsys.readouterr().err
    assert [request.reason for request in asked] == ["the Isar floods M\N{REPLACEMENT CHARACTER}nchen"]
    first = PairRecord.first("rdc-a", "frankfurt", actor="anna")
    assert first.changed(actor="anna", reason=asked[0].reason).model_dump_json()


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_of_the_environment(
    variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, os.fsdecode(b"/nowhere/" + BYTES))
    code = cli.run(["failback", "rdc-a", "--environment", "prod"])
    told = capsys.readouterr().err
    assert "a fault of the program" not in told
    assert told.encode()
    if variable.startswith(("SHOPSPHERE_", "PULUMI_", "XDG_")):
        assert f"{variable} is no text in UTF-8" in told
        assert code == 2
    else:
        assert code in {1, 2}


def test_who_acts_can_be_kept_in_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    name = BYTES.decode("utf-8", "surrogateescape")
    monkeypatch.setattr(pwd, "getpwuid", lambda _uid: SimpleNamespace(pw_name=name))
    assert actor().startswith("M\N{REPLACEMENT CHARACTER}nchen at ")
    assert PairRecord.first("rdc-a", "frankfurt", actor=actor()).model_dump_json()
