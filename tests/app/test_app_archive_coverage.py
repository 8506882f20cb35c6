"""Until when the collector says that everything is in the archive, against a real PostgreSQL."""

from __future__ import annotations

import signal
import time
from dataclasses import replace

import pytest
from archive_place import ArchivePlace, soon
from postgres_cluster import Cluster

from app.archive.collector import Collector

pytestmark = pytest.mark.requirement("the collector says that WAL is in the archive only when it has received it")


def covers(collector: Collector, when: float) -> bool:
    return (collector.state.covered_at or 0) > when


def test_a_receiver_that_stands_still_covers_nothing(place: ArchivePlace, database: Cluster) -> None:
    with place.collecting(place.settings(database, "spool")) as collector:
        soon("a base backup", lambda: len(place.facts()) == 1)
        soon("all of it in the archive", lambda: covers(collector, time.time() - 5))
        receiver = collector._receiver  # noqa: SLF001
        assert receiver
        assert receiver._running  # noqa: SLF001
        receiver._running.send_signal(signal.SIGSTOP)  # noqa: SLF001
        written = time.time()
        database.admin("CREATE TABLE unseen AS SELECT generate_series(1, 20000) AS i")
        time.sleep(6)
        assert not covers(collector, written + 1)
        receiver._running.send_signal(signal.SIGCONT)  # noqa: SLF001
        soon("the rest in the archive", lambda: covers(collector, written + 1))
        assert collector.state.role == "leads"
    facts = place.facts()[0]
    assert facts["unpacked_bytes"] > 2 * facts["bytes"]
    other = replace(place.settings(database, "other"), recipient="age1" + "q" * 58)
    with place.collecting(other) as collector:
        soon("the wish for another one", lambda: "other restorers" in collector.state.base_wanted)


def test_a_follower_that_hears_nothing_covers_nothing(place: ArchivePlace, database: Cluster) -> None:
    follower = Cluster(database)
    try:
        with place.collecting(place.settings(follower, "spool")) as collector:
            soon("a base backup", lambda: len(place.facts()) == 1)
            soon("all of it in the archive", lambda: covers(collector, time.time() - 5))
            assert collector.state.role == "follows"
            database.stop()
            gone = time.time()
            time.sleep(6)
            assert not covers(collector, gone + 2)
            database.start()
            soon("the rest in the archive", lambda: covers(collector, gone + 6))
    finally:
        follower.remove()
