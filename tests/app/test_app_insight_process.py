"""`shop insight` as a process: killed, fenced, without a database, and told to leave; counts stay exact."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest
from counting_place import DATABASE, Collector, emptied, events, outcomes, process, tables
from insight_world import value_of
from postgres_cluster import Cluster
from shop_processes import Process

from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.requirement("a worker that is lost at any moment loses no click and counts none twice")


@contextmanager
def worker(cluster: Cluster, address: str, **more: str) -> Iterator[Process]:
    running = process(cluster, address, **more)
    try:
        yield running
    finally:
        running.stop()


def await_events(cluster: Cluster, number: int, running: Process) -> None:
    wait_until(lambda: events(cluster) >= number, what=f"{number} events", seconds=60, explain=running.log)


def ready(running: Process) -> int:
    return httpx.get(f"{running.url}/readyz", trust_env=False).status_code


def figure(running: Process, name: str) -> float:
    text = httpx.get(f"{running.url}/metrics", trust_env=False).text
    found = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(f"{name} ")]
    assert found, text
    return float(found[0])


def test_a_worker_that_is_killed_between_reading_and_commit_loses_nothing(counts: Cluster, broker: str) -> None:
    """Its transaction waits for a lock when it is killed, so nothing of it is written."""
    collector = Collector(broker)
    with worker(counts, broker) as first:
        await_events(counts, collector.play(10), first)
        with psycopg.connect(counts.dsn(DATABASE)) as holding:
            holding.execute("LOCK TABLE insight.balance IN ACCESS EXCLUSIVE MODE")
            expected = collector.play(50)
            waits = "SELECT count(*)::int FROM pg_locks WHERE NOT granted AND relation = 'insight.balance'::regclass"
            wait_until(lambda: counts.query(DATABASE, waits) == [(1,)], what="its transaction", seconds=60)
            first.kill()
            holding.rollback()
    with worker(counts, broker, INSIGHT_GROUP="after") as second:
        await_events(counts, expected, second)
    assert events(counts) == expected
    assert outcomes(counts)["duplicate"][1:] == (12, 24)


@pytest.mark.full
def test_workers_that_are_killed_again_and_again_count_each_batch_once(counts: Cluster, broker: str) -> None:
    collector, expected = Collector(broker), 0
    for turn in range(5):
        with worker(counts, broker, INSIGHT_GROUP=f"group-{turn}") as running:
            expected = collector.play(200)
            await_events(counts, expected - 200, running)
            collector.play(50)
            running.kill()
    with worker(counts, broker, INSIGHT_GROUP="last") as running:
        await_events(counts, 2 * collector.made, running)
    assert events(counts) == 2 * collector.made == 2500
    first = tables(counts)
    emptied(counts)
    with worker(counts, broker, INSIGHT_GROUP="replay") as running:
        await_events(counts, 2500, running)
        wait_until(lambda: figure(running, "insight_lag_records") == 0, what="the end", seconds=60)
    assert tables(counts) == first


def test_a_partition_goes_to_the_one_that_stays(counts: Cluster, broker: str) -> None:
    collector = Collector(broker)
    with worker(counts, broker) as first, worker(counts, broker) as second:
        wait_until(
            lambda: sorted(figure(each, "insight_partitions") for each in (first, second)) == [2, 2],
            what="both to have partitions", seconds=60, explain=first.log,
        )  # fmt: skip
        await_events(counts, collector.play(60), first)
        first.stop()
        await_events(counts, collector.play(60), second)
        assert figure(second, "insight_partitions") == 4
    assert events(counts) == 240


def test_a_database_that_takes_no_writes_is_seen_and_nothing_is_lost(counts: Cluster, broker: str) -> None:
    collector = Collector(broker)
    with worker(counts, broker) as running:
        await_events(counts, collector.play(20), running)
        counts.admin("ALTER SYSTEM SET default_transaction_read_only = on")
        counts.admin("SELECT pg_reload_conf()")
        try:
            expected = collector.play(40)
            wait_until(lambda: ready(running) == 503, what="it to be not ready", seconds=60, explain=running.log)
            assert figure(running, "insight_stands") == 1
            assert figure(running, "insight_seconds_since_commit") > 0
            assert "clicks are not counted" in running.log()
            assert httpx.get(f"{running.url}/livez", trust_env=False).status_code == 200
        finally:
            counts.admin("ALTER SYSTEM RESET default_transaction_read_only")
            counts.admin("SELECT pg_reload_conf()")
        await_events(counts, expected, running)
        wait_until(lambda: ready(running) == 200, what="it to be ready", seconds=60)
    assert events(counts) == expected == 120


def test_it_says_how_far_it_is_and_no_word_of_a_click(counts: Cluster, broker: str) -> None:
    collector = Collector(broker)
    with worker(counts, broker) as running:
        await_events(counts, collector.play(5), running)
        collector.write(1, b'{"s":"ada"}')
        collector.write(1, value_of(collector.batch(1, 77)))
        collector.flush()
        await_events(counts, 12, running)
        wait_until(lambda: figure(running, "insight_lag_records") == 0, what="the end", seconds=60)
        assert figure(running, "insight_lag_seconds") == 0
        assert figure(running, 'insight_outcomes_total{outcome="json",unit="records"}') == 1
        told = running.log() + httpx.get(f"{running.url}/metrics", trust_env=False).text
        assert "ada" not in told
        assert f"{1:016x}" not in told
        running.ask_to_leave()
        assert running.wait() == 0


def test_a_site_that_only_follows_reads_nothing_and_goes_on_when_it_leads(counts: Cluster, broker: str) -> None:
    standby = Cluster(source=counts)
    collector = Collector(broker)
    try:
        with worker(standby, broker) as running:
            collector.play(10)
            assert (figure(running, "insight_follows"), ready(running)) == (1, 200)
            assert figure(running, "insight_readers_begun") == 0
            standby.promote()
            await_events(standby, 20, running)
            assert events(standby) == 20
    finally:
        standby.remove()
