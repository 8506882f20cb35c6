"""bench/clickstream with a real collector, worker and PostgreSQL: all is counted once, and what is planted is found."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import clickstream_world  # noqa: F401 the folders of benchmarks come onto the path with it
import pytest
from counting_place import DATABASE, process
from export_databases import SHELVES
from mock_broker import PARTITIONS
from postgres_cluster import Cluster
from shop_processes import Process
from stream_check import check, table
from stream_latency import Watching, latencies
from stream_ledger import Ledger
from stream_load import Begun, Wanted, load
from stream_place import NamedPlace

pytestmark = pytest.mark.requirement("clicks under load and kills are counted once, as a checker from outside sees it")


class Running:
    """A collector and a worker, which can be killed and come again."""

    def __init__(self, cluster: Cluster, broker: str) -> None:
        self._cluster, self._broker, self._groups = cluster, broker, 0
        self.collector = self._collect(None)
        self.worker = self._count()

    def _collect(self, port: int | None) -> Process:
        settings = {"CLICKS_BOOTSTRAP": self._broker, "CLICKS_PARTITIONS": str(PARTITIONS)}
        return Process("collect", settings, port=port)

    def _count(self) -> Process:
        self._groups += 1
        return process(self._cluster, self._broker, INSIGHT_GROUP=f"clickstream-{self._groups}")

    def kill_both(self) -> None:
        self.collector.kill()
        self.worker.kill()
        self.collector = self._collect(self.collector.port)
        self.worker = self._count()

    def stop(self) -> None:
        self.collector.stop()
        self.worker.stop()


@contextmanager
def troubled(act: Callable[[], None], after: float) -> Iterator[None]:
    """Do something while a load is played."""
    time.sleep(after)
    act()
    yield


def test_a_load_with_kills_is_exact_and_what_is_planted_is_found(counts: Cluster, broker: str, tmp_path: Path) -> None:
    shelves = tmp_path / "shelves.json"
    products = {f"product-{number}": category for number, (category, _) in SHELVES.items()}
    shelves.write_text(json.dumps({"products": products, "categories": sorted(set(products.values()))}))
    wanted = Wanted(40, 120, 6, 1, probes=True, more=(f"--shelves={shelves}", "--settle=2", "--patience=90"))
    watching: list[Watching] = []

    def watch(begun: Begun) -> Watching:
        watching.append(Watching(place, begun))
        return watching[0]

    running = Running(counts, broker)
    try:
        place = NamedPlace(running.collector.url, counts.dsn(DATABASE))
        ledger = load(place, wanted, tmp_path / "ledger", [watch, lambda _: troubled(running.kill_both, 3)])
        with place.asking() as ask:
            verdict = check(ledger, ask, seconds=60)
            assert verdict.problems == [], table(verdict) + running.worker.log()
        assert verdict.facts["events"]["acknowledged"] == ledger.end["made"] + 6 + PARTITIONS == 720 + 6 + PARTITIONS
        assert ledger.end["answers"].keys() - {"204"}, "it was killed, and somebody noticed"
        found = latencies(ledger.entries(), watching[0].seen)
        assert (found["clicks"], found["rows"]) == (6, 6)
        assert 0 < found["p50"] <= found["p100"]
        _plant(counts, ledger, place)
    finally:
        running.stop()


def _plant(database: Cluster, ledger: Ledger, place: NamedPlace) -> None:
    """Change what is counted, each time by one event, and look."""
    plants = (
        ("UPDATE insight.minute_count SET events = events + 1 WHERE kind = 'list' AND ctid = (SELECT min(ctid) "
         "FROM insight.minute_count WHERE kind = 'list')", (0, 1)),
        ("UPDATE insight.minute_product SET events = events - 1 WHERE ctid = (SELECT min(ctid) "
         "FROM insight.minute_product WHERE events > 1 AND kind = 'view')", (1, 1)),
        ("DELETE FROM insight.session_look WHERE ctid = (SELECT min(ctid) FROM insight.session_look)", (1, 1)),
    )  # fmt: skip
    for statement, expected in plants:
        database.query(DATABASE, statement)
        with place.asking() as ask:
            verdict = check(ledger, ask, seconds=2)
        assert (verdict.lost, verdict.doubled) == expected
        assert not verdict.is_good
    assert verdict.looks_lost == 1
