"""A base backup of a database that follows may need WAL from before the collector began: it is fetched, or missed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.archive import bases
from app.archive.bases import BaseBackups
from app.archive.beginning import Beginning
from app.archive.names import Segment
from app.archive.receiving import Identity
from app.archive.settings import CollectorSettings
from app.archive.state import State

FOLLOWS = Identity("7", 1, "0/5000060", follows=True)
FOUR, FIVE = "000000010000000000000004", "000000010000000000000005"


def test_who_is_received_from_now_on_lacks_what_was_before(tmp_path: Path) -> None:
    beginning = Beginning()
    beginning.from_now()
    assert not beginning.is_known
    beginning.look(tmp_path)
    assert not beginning.is_known, "nothing has come yet"
    (tmp_path / f"{FIVE}.partial").touch()
    beginning.look(tmp_path)
    assert beginning.is_known
    (tmp_path / FOUR).touch()  # what comes later is no beginning
    beginning.look(tmp_path)
    assert beginning.lacks({"first_segment": FIVE}) == ""
    assert FOUR in beginning.lacks({"first_segment": FOUR})


def test_who_was_started_again_before_the_first_base_backup_trusts_what_comes_now() -> None:
    beginning = Beginning()
    beginning.after(Segment(1, 4))
    assert FOUR in beginning.lacks({"first_segment": FOUR})
    assert beginning.lacks({"first_segment": FIVE}) == ""


def test_who_goes_on_from_the_archive_lacks_nothing() -> None:
    assert Beginning().lacks({"first_segment": FOUR}) == ""


def test_a_base_backup_that_cannot_be_restored_is_taken_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = CollectorSettings(
        database="ledger", site="dublin", connection="", authority="", certificate="", key="", store_url="",
        store_authority="", bucket="", secret="", recipient="age1x", spool=tmp_path, partial_seconds=0.2,
    )  # fmt: skip
    state, beginning, now = State(), Beginning(), [1000.0]
    found = BaseBackups(settings, None, state, beginning)  # type: ignore[arg-type] # nothing is stored
    needs: dict[str, Any] = {"label": "one", "bytes": 1, "first_segment": FOUR}
    monkeypatch.setattr(bases, "take_base_backup", lambda *_: needs)
    monkeypatch.setattr("app.archive.bases.time.monotonic", lambda: now[0])
    beginning.from_now()
    (tmp_path / FIVE).touch()
    beginning.look(tmp_path)
    for pause in (60, 300, 1800, 1800):
        found.take(FOLLOWS, "no base backup yet", state.wishes)
        assert state.open_gap
        assert FOUR in state.base_wanted
        now[0] += pause - 1
        assert found.is_too_early
        now[0] += 2
        assert not found.is_too_early
    needs["first_segment"] = FIVE
    found.take(FOLLOWS, state.base_wanted, state.wishes)
    assert (state.open_gap, state.base_wanted, found.is_too_early) == (False, "", False)
