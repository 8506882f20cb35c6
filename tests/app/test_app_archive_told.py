"""What a collector tells of an archive that is away or full, and that it takes a base backup when somebody asks."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from archive_place import ArchivePlace, soon
from postgres_cluster import Cluster

from app.archive import __main__ as program
from app.archive.bases import WISH
from app.archive.receiving import Receiver, finished_files, partial_files
from app.archive.state import State


@pytest.mark.requirement("an archive that does not answer is told until it answers again, also where little is written")
def test_an_archive_that_is_away_is_told_all_the_time(place: ArchivePlace, database: Cluster) -> None:
    settings = replace(place.settings(database, "spool"), partial_seconds=4)  # rounds, and steps between them
    with place.collecting(settings) as collector:
        soon("a base backup", lambda: len(place.facts()) == 1 and not collector.state.base_wanted)
        wal = settings.spool / "wal"
        soon("whole segments sent", lambda: not finished_files(wal, collector.state.passed))
        soon("something received", lambda: partial_files(wal) != [])
        assert collector.state.store_answers
        place.stop()
        database.admin("CREATE TABLE placed (i int)")
        soon("that being told", lambda: not collector.state.store_answers)
        said, end = set[bool](), time.monotonic() + 9  # two rounds
        while time.monotonic() < end:
            said.add(collector.state.store_answers)
            time.sleep(0.1)
        assert said == {False}
        place.start()
        soon("that it answers again", lambda: collector.state.store_answers)


@pytest.mark.requirement("before or after something risky a base backup is taken when somebody asks for it")
def test_a_base_backup_is_taken_when_somebody_asks(
    place: ArchivePlace, database: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = place.settings(database, "spool")
    with place.collecting(settings) as collector:
        soon("a base backup", lambda: len(place.facts()) == 1 and not collector.state.base_wanted)
        time.sleep(1.1)  # a label is made of the second
        monkeypatch.setattr(program, "SPOOL", settings.spool)
        assert program.main(["base"]) == 0
        soon("another one", lambda: len(place.facts()) == 2)
        soon("no wish for more", lambda: not collector.state.base_wanted and not (settings.spool / WISH).exists())
        assert (collector.state.gaps, len(place.facts())) == ([], 2)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ('could not open file "pg_wal/00000006.history": No such file or directory', "no history of a timeline"),
        ("server closed the connection unexpectedly", ""),
        ("FATAL:  terminating connection due to administrator command", ""),
        ("could not receive data from server: Connection timed out", ""),
    ],
)
def test_what_keeps_a_history_from_coming_is_a_gap_only_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, reason: str
) -> None:
    program, folder, ran = tmp_path / "pg_receivewal", tmp_path / "wal", tmp_path / "ran"
    folder.mkdir()
    line = f'pg_receivewal: error: could not send replication command "TIMELINE_HISTORY": ERROR:  {said}'
    program.write_text(f"#!/bin/sh\necho x >> {ran}\necho '{line}' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    told: list[str] = []
    receiver = Receiver("", folder, lambda: None, told.append)
    receiver.start()
    soon("a second try", lambda: ran.exists() and len(ran.read_text()) >= len("x\nx\n"))
    receiver.stop()
    assert [each for each in told if reason in each] == told
    assert bool(told) is bool(reason)


def test_a_gap_that_is_said_again_and_again_is_shown_once() -> None:
    state = State()
    for reason in ("first", "second", "second", "second", "first"):
        state.want_base(reason, gap=True)
    assert state.gaps == ["first", "second", "first"]
