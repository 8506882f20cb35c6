"""How old backups may be, as readiness and the command judge it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer

from cli.backups import backups
from runbooks.readiness.p12_backups import judge
from runbooks.restore.archives import Backup
from shopsphere.foundation.exit_code import ExitCode

pytestmark = pytest.mark.requirement("a backup that is too old, or of a wrong clock, is no success")
NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
CASES = {
    "recent": (timedelta(hours=25), timedelta(minutes=1), ""),
    "a clock that is a little ahead": (timedelta(minutes=-4), timedelta(minutes=-4), ""),
    "old base backup": (timedelta(hours=27), timedelta(minutes=1), "the newest base backup is 27 h old"),
    "old WAL": (timedelta(hours=1), timedelta(minutes=6), "the newest WAL is 6 min old"),
    "base backup of the future": (timedelta(hours=-1), timedelta(0), "base backup is 60 min in the future"),
    "WAL of the future": (timedelta(hours=1), timedelta(minutes=-6), "WAL is 6 min in the future"),
}


@pytest.mark.parametrize("name", CASES)
def test_ages_are_judged(name: str) -> None:
    base, wal, problem = CASES[name]
    found = judge("rdc-a", [Backup("commerce", "frankfurt", NOW - base, NOW - wal)], NOW)
    assert problem in found.found
    assert found.passed is (problem == "")


@pytest.mark.parametrize("name", CASES)
def test_the_command_ends_as_readiness_judges(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    base, wal, problem = CASES[name]
    now = datetime.now(UTC)
    found = [Backup("commerce", "frankfurt", now - base, now - wal)]
    monkeypatch.setattr("runbooks.restore.archives.backups_of", lambda *_: found)
    with pytest.raises(typer.Exit) as ended:
        backups("rdc-a", as_json=True)
    assert ended.value.exit_code == (ExitCode.FAILED if problem else 0)
