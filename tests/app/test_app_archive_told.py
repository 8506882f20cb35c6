"""What a collector tells of an archive that is away or full, and that it takes a base backup when somebody asks."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from archive_place import ArchivePlace, soon
from postgres_cluster import Cluster

from app.archive import __main__ as program
from app.archive.bases import WISH
from app.archive.receiving import finished_files, partial_files


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
