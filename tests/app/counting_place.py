"""A database for counts, a log of clicks, and workers between them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from zlib import crc32

import confluent_kafka
from export_databases import stock, upgrade
from insight_world import click, envelope, value_of
from mock_broker import PARTITIONS
from postgres_cluster import Cluster
from shop_processes import Process

from app.clicks.senders import Sender
from app.database import Database
from app.insight.application import worker_of
from app.insight.settings import InsightSettings
from app.insight.working import Worker

DATABASE = "commerce_insight"
ROLE = "insight_app"
TABLES = {
    "minute_count": "minute, kind, category, sender, events",
    "minute_product": "minute, product, kind, events",
    "session_look": "session, product, at",
    "balance": "day, outcome, records, batches, events",
}


def made_in(cluster: Cluster) -> None:
    """Make the database."""
    cluster.admin(f"CREATE DATABASE {DATABASE} OWNER commerce")
    upgrade(cluster.dsn(DATABASE), "commerce")
    stock(cluster.dsn(DATABASE))


def removed_from(cluster: Cluster) -> None:
    cluster.admin(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def emptied(cluster: Cluster) -> None:
    """Forget all counts and places."""
    cluster.query(DATABASE, f"TRUNCATE {', '.join(f'insight.{name}' for name in TABLES)}, insight.source_offset")


def rows(cluster: Cluster, table: str) -> list[tuple[Any, ...]]:
    return cluster.query(DATABASE, f"SELECT {TABLES[table]} FROM insight.{table} ORDER BY 1, 2, 3")


def tables(cluster: Cluster) -> dict[str, list[tuple[Any, ...]]]:
    return {name: rows(cluster, name) for name in TABLES}


def events(cluster: Cluster) -> int:
    """How many events are counted."""
    ((found,),) = cluster.query(DATABASE, "SELECT coalesce(sum(events), 0)::int FROM insight.minute_count")
    return int(found)


def outcomes(cluster: Cluster) -> dict[str, tuple[int, int, int]]:
    """Records, batches and events by what they came to."""
    found = cluster.query(
        DATABASE,
        "SELECT outcome::text, sum(records)::int, sum(batches)::int, sum(events)::int FROM insight.balance GROUP BY 1",
    )
    return {outcome: (records, batches, events_) for outcome, records, batches, events_ in found}


class Collector:
    """Writes what the collector writes, now."""

    def __init__(self, address: str) -> None:
        self._producer = confluent_kafka.Producer({"bootstrap.servers": address, "acks": "all"})
        self.now = int(time.time() * 1000)
        self.made = 0

    def batch(self, tab: int, number: int, product: int = 1, *, count: int = 2, age: int = 0) -> bytes:
        clicks = [click(p=f"product-{product}", age=age, q=q) for q in range(count)]
        return envelope(f"{tab:016x}", number, clicks, received=self.now, sender=Sender.PERSON)

    def write(self, tab: int, value: bytes, *, version: bytes | None = b"1") -> None:
        partition = crc32(f"{tab:016x}".encode()) % PARTITIONS
        headers: dict[str, str | bytes | None] = {"n": b"0"}
        if version is not None:
            headers["v"] = version
        self._producer.produce("clicks", value, partition=partition, headers=headers, timestamp=self.now)
        self._producer.poll(0)

    def play(self, batches: int, *, tabs: int = 20, copies: bool = True) -> int:
        """Write batches of two events, some of them twice; return how many events there are by now."""
        for place in range(batches):
            tab, number = self.made % tabs, self.made // tabs
            one = self.batch(tab, number, product=1 + place % 3)
            self.write(tab, value_of(one))
            if copies and place % 5 == 0:
                self.write(tab, value_of(one))
            self.made += 1
        self.flush()
        return 2 * self.made

    def flush(self) -> None:
        assert self._producer.flush(30) == 0


def settings_for(cluster: Cluster, address: str, **more: str) -> dict[str, str]:
    """The variables of a worker."""
    return {
        "COMMERCE_DSN": cluster.service_dsn(DATABASE, ROLE),
        "CLICKS_BOOTSTRAP": address,
        "INSIGHT_LOG": "of-the-tests",
        **more,
    }


def process(cluster: Cluster, address: str, **more: str) -> Process:
    """`shop insight` as a process of its own."""
    return Process("insight", settings_for(cluster, address, **more))


@asynccontextmanager
async def working(cluster: Cluster, address: str, **more: str) -> AsyncIterator[tuple[Worker, Database]]:
    """Have a worker in this process, and the database as it has it."""
    settings = InsightSettings.read(settings_for(cluster, address, **more))
    database = Database(settings.commerce_dsn, role=ROLE, application="insight", size=3)
    worker = worker_of(settings, database)
    try:
        yield worker, database
    finally:
        await worker.close()
        await database.close()


async def turns_until(worker: Worker, holds: Callable[[], bool], *, seconds: float = 60) -> None:
    """Take turns until something holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"it did not come: {worker.state} {worker.problem}"
        await asyncio.sleep(min(await worker.turn(), 0.2))
