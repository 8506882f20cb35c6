"""`shopsphere watch --execute`: whoever is to move a pair unattended has the keys for it, or ends at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Never

import pytest

from cli import main as cli
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.typed_commands import print_for
from shopsphere.witness import WitnessUnreachableError
from shopsphere.witness.gateway import WitnessRefusedError
from shopsphere.witness.identity import WitnessKeysError


class WatchingError(Exception):
    """The watch has begun."""


def begins(*_: object) -> Never:
    raise WatchingError


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """What keeps an operator at this machine from reading, if anything."""
    problems: list[Exception] = []

    def require(*_: object) -> None:
        if problems:
            raise problems[0]

    monkeypatch.setattr("shopsphere.witness.access.require_operator", require)
    monkeypatch.setattr("shopsphere.witness.access.witness_of", begins)
    return problems


@pytest.mark.requirement("an unattended watcher ends at its start where it has no operator's keys, not at the loss")
@pytest.mark.parametrize("error", [WitnessKeysError, WitnessRefusedError])
def test_keys_are_tried_at_the_start(
    operator: list[Exception], error: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    operator.append(error("no keys of an operator"))
    assert cli.run(["watch", "rdc-a", "--execute"]) == ExitCode.FAILED
    assert "no keys of an operator" in capsys.readouterr().err


@pytest.mark.parametrize("error", [None, WitnessUnreachableError("no quorum")])
def test_a_witness_that_is_away_keeps_nobody_from_watching(
    operator: list[Exception],
    error: Exception | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    operator += [error] if error else []
    with pytest.raises(WatchingError):
        cli.app(["watch", "rdc-a", "--execute"], standalone_mode=False)
    assert ("is not known: no quorum" in capsys.readouterr().err) is bool(error)


def test_a_watcher_that_moves_nothing_needs_no_operator(operator: list[Exception]) -> None:
    operator.append(WitnessKeysError("no keys of an operator"))
    with pytest.raises(WatchingError):
        cli.app(["watch", "rdc-a"], standalone_mode=False)


@pytest.mark.requirement("a person who is called can type what the call says as it stands")
def test_who_is_called_is_told_commands_of_the_environment(
    operator: list[Exception], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert not operator
    calls: list[Callable[[str], None]] = []

    def watcher(*arguments: Any) -> Never:
        calls.append(arguments[-1])
        raise WatchingError

    witness = SimpleNamespace(prefer_fastest=lambda: None)
    monkeypatch.setattr("shopsphere.witness.access.witness_of", lambda *_: witness)
    monkeypatch.setattr("runbooks.watch.Watcher", watcher)
    monkeypatch.setattr("runbooks.service.ServiceLook", lambda _look: SimpleNamespace(start=list, last=None))
    pager = tmp_path / "pager"
    pager.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/paged\n')
    pager.chmod(0o755)
    with pytest.raises(WatchingError):
        cli.app(["watch", "rdc-a", "--call", str(pager)], standalone_mode=False)
    print_for("prod")
    calls[0]("the move stopped: `shopsphere rebuild dublin` makes it a replica again")
    assert "`shopsphere rebuild dublin --environment prod` makes" in (tmp_path / "paged").read_text()
