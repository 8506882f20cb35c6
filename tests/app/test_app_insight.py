"""Counts of clicks in a real PostgreSQL, from a broker: once each, whatever happens in between."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from counting_place import (
    DATABASE,
    ROLE,
    Collector,
    emptied,
    events,
    outcomes,
    rows,
    tables,
    turns_until,
    working,
)
from insight_world import value_of
from postgres_cluster import Cluster

from app.insight.counting import Extent, Step
from app.insight.pruning import Keeps, Pruning
from app.insight.rows import Rows
from app.insight.sink import FencedError, Source
from app.insight.stored_sink import StoredSink
from app.insight.working import Worker
from app.recommendations.building import build
from app.recommendations.clicks import Clicks

pytestmark = pytest.mark.requirement("aggregates and offsets in one transaction")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.insight.working.COMMIT_SECONDS", 0.1)


def count(cluster: Cluster, address: str, expected: int, **more: str) -> None:
    """Count until so many events are counted."""

    async def story() -> None:
        async with working(cluster, address, **more) as (worker, _):
            await turns_until(worker, lambda: events(cluster) >= expected and not lag(worker))

    asyncio.run(story())


def lag(worker: Worker) -> int:
    return sum(each.lag for each in worker.reader.partitions.values()) if worker.reader else 1


def test_counts_go_on_where_they_were_and_a_replay_gives_the_same_rows(counts: Cluster, broker: str) -> None:
    collector = Collector(broker)
    count(counts, broker, collector.play(60))
    count(counts, broker, expected := collector.play(60))
    first = tables(counts)
    assert events(counts) == expected == 240
    assert outcomes(counts)["counted"][1:] == (120, 240)
    assert outcomes(counts)["duplicate"][1:] == (24, 48)
    assert len(first["session_look"]) == 60, "20 tabs, each with 3 products"
    emptied(counts)
    count(counts, broker, expected, INSIGHT_GROUP="replay")
    assert tables(counts) == first


def test_a_copy_that_comes_after_a_new_start_is_known(counts: Cluster, broker: str) -> None:
    collector = Collector(broker)
    one = collector.batch(1, 0)
    collector.write(1, value_of(one))
    collector.flush()
    count(counts, broker, 2)
    collector.write(1, value_of(one, collector.batch(1, 1)))
    collector.flush()
    count(counts, broker, 4)
    assert events(counts) == 4
    assert outcomes(counts)["duplicate"] == (0, 1, 2)


def test_poison_stops_nobody_and_is_in_the_balance(counts: Cluster, broker: str) -> None:
    collector = Collector(broker)
    for place, bad in enumerate((b"", b"\x00", b"{", b"7", b"[7]", b'[{"tab":"\\u0000"}]', b"[" * 200_000)):
        collector.write(1, bad)
        collector.write(1, value_of(collector.batch(1, place)))
    collector.write(1, value_of(collector.batch(2, 0)), version=b"9")
    collector.write(1, b"[]")
    collector.write(1, value_of(collector.batch(1, 7))[:-1] + b"\xff")
    collector.flush()
    count(counts, broker, 14)
    assert events(counts) == 14
    found = outcomes(counts)
    assert (found["json"], found["shape"], found["format"], found["probe"]) == (
        (6, 0, 0), (0, 2, 0), (1, 0, 0), (1, 0, 0),
    )  # fmt: skip


def test_two_workers_that_both_believe_in_a_partition_count_once(counts: Cluster, broker: str) -> None:
    """As groups of other names: neither knows of the other one, and Kafka gives all partitions to both."""
    collector, fenced = Collector(broker), list[str]()

    async def story() -> None:
        async with working(counts, broker) as (first, _), working(counts, broker, INSIGHT_GROUP="other") as (second, _):
            for _ in range(6):
                collector.play(20)
                for worker in (first, second):
                    await worker.turn()
                    fenced.append(worker.problem)
            await turns_until(first, lambda: events(counts) >= 240 and not lag(first))

    asyncio.run(story())
    assert any(problem.startswith("another worker counts") for problem in fenced), fenced
    assert events(counts) == 240
    assert outcomes(counts)["duplicate"][1:] == (24, 48)


def test_an_offset_that_moved_lets_nothing_be_written(counts: Cluster, broker: str) -> None:
    async def story() -> None:
        async with working(counts, broker) as (_, database):
            await fenced(StoredSink(database), Source("test", "clicks", "fence"))

    async def fenced(sink: StoredSink, source: Source) -> None:
        (place,) = await sink.places(source, [Extent(0, 0, 9)])
        assert (place.next, place.goes_on, place.end) == (0, 0, 9)
        rows_ = Rows()
        rows_.minutes[29_408_334, "view", "", "person"] = 3
        await sink.write(source, [Step(0, 0, 5, 2, 9)], rows_)
        for step in (Step(0, 0, 5, 2, 9), Step(0, 4, 6, 2, 9), Step(7, 0, 1, 0, 1)):
            with pytest.raises(FencedError):
                await sink.write(source, [Step(0, 5, 6, 2, 9), step] if step.partition else [step], rows_)
        (place,) = await sink.places(source, [Extent(0, 0, 9)])
        assert (place.next, place.reads_from) == (5, 2)
        (other,) = await sink.places(Source("test", "clicks", "made anew"), [Extent(0, 0, 1)])
        assert other.next == 0, "a topic that was made anew is another log"

    asyncio.run(story())
    assert events(counts) == 3


def test_the_role_counts_and_can_do_nothing_else(counts: Cluster) -> None:
    with psycopg.connect(f"postgresql://{ROLE}@127.0.0.1:{counts.port}/{DATABASE}", autocommit=True) as connection:
        connection.execute("SELECT slug, id, category FROM catalogue.product")
        for refused in (
            "SELECT * FROM customers.customer",
            'SELECT * FROM orders."order"',
            "SELECT * FROM export.release",
            "SELECT description FROM catalogue.product",
            "DELETE FROM insight.source_offset",
            "TRUNCATE insight.minute_count",
            "CREATE TABLE insight.mine (x int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(refused.encode())


def test_old_rows_go_in_small_steps_and_so_do_too_many(counts: Cluster, broker: str) -> None:
    for days, product in ((31, 1), (0, 2)):
        moment = f"now() - interval '{days} days'"
        second = f"extract(epoch FROM {moment})::bigint - each"
        for table, values in (
            ("minute_count", f"{moment}, 'view', each::text, 'person', 1"),
            ("minute_product", f"{moment}, each, 'view', 1"),
            ("session_look", f"each, {product}, {second}"),
        ):
            counts.query(DATABASE, f"INSERT INTO insight.{table} SELECT {values} FROM generate_series(1, 30) each")
    counts.query(DATABASE, "INSERT INTO insight.balance VALUES (current_date - 91, 'counted'), (current_date, 'late')")

    async def story() -> None:
        async with working(counts, broker) as (_, database):
            pruning = Pruning(database, Keeps(), rows=20)
            assert await pruning.step()
            assert pruning.removed == 61
            while await pruning.step():
                pass
            assert pruning.removed == 91
            few, is_more = Pruning(database, Keeps(most_looks=10), rows=20), True
            while is_more:
                counts.query(DATABASE, "ANALYZE insight.session_look")
                is_more = await few.step()

    asyncio.run(story())
    assert [len(rows(counts, table)) for table in ("minute_count", "minute_product", "balance")] == [30, 30, 1]
    assert [session for session, _, _ in rows(counts, "session_look")] == list(range(1, 11)), "the newest stay"


def test_sessions_are_what_an_index_of_them_is_built_from(counts: Cluster, broker: str) -> None:
    collector = Collector(broker)
    for tab in range(4):
        for number, product in enumerate((1, 2, 3)[: tab or 1]):
            collector.write(tab, value_of(collector.batch(tab, number, product=product, count=1)))
    collector.flush()
    count(counts, broker, 7)
    found = [(session, product, at) for session, product, at in rows(counts, "session_look")]
    index = build(Clicks.of(found), collector.now // 1000)
    assert index.sessions == 2, "those with two products or more"
    trending = counts.query(DATABASE, "SELECT category, product, visitors FROM insight.trending ORDER BY product")
    assert trending == [("t-shirts", 1, 4), ("watches", 2, 2), ("caps", 3, 1)]
