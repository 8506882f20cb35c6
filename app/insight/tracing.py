"""`shop trace-click`: where one click is, in the log and in the tables; run in a pod of the worker.

It reads the end of one partition without a group, and moves nobody's place. What it finds is told with the moments at
which it was there first, as this pod's clock and the brokers' say them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import msgspec
from confluent_kafka import Consumer, KafkaException, TopicPartition

from app.clicks.client import started
from app.clicks.events import Tab
from app.database import Database
from app.errors import ShopError
from app.insight.consuming import ASK_SECONDS, BOUNDS, BrokersError, record_of
from app.insight.counting import DAY_MS
from app.insight.rows import session_of
from app.insight.settings import InsightSettings
from app.insight.stored_sink import ROLE

MOST_RECORDS = 2_000
"""Of a partition's end that are looked through: some seconds of 20,000 events/s, and hours of quiet ones."""
ASK_EVERY_SECONDS = 0.02
_NEXT = """
SELECT next FROM insight.source_offset WHERE site = $1 AND topic = $2 AND partition = $3 AND next > $4
ORDER BY next DESC LIMIT 1
"""
_LOOK = """
SELECT look.at, look.product, (SELECT visitors FROM insight.trending WHERE product = look.product)
FROM insight.session_look look JOIN catalogue.product product ON product.id = look.product
WHERE look.session = ANY($1::bigint[]) AND product.slug = $2
"""


@dataclass(frozen=True, slots=True)
class Click:
    """What is looked for.

    Attributes:
        tab: random number of the tab, hexadecimal.
        product: that it looked at, as in its address.
    """

    tab: str
    product: str


def trace_click(settings: InsightSettings, click: Click, seconds: float) -> str:
    """Return where a click is, as a JSON document; what did not come within so many seconds is null.

    Raises:
        BrokersError: the brokers do not answer.
        DatabaseUnavailableError: the database does not answer.
    """
    return json.dumps(asyncio.run(_trace(settings, click, time.monotonic() + seconds)))


async def _trace(settings: InsightSettings, click: Click, until: float) -> dict[str, object]:
    database = Database(
        settings.commerce_dsn, role=ROLE, application="trace", size=2, other_dsn=settings.other_commerce_dsn
    )
    try:
        follows = await database.is_standby()
        looks = asyncio.create_task(_row(database, click, until))
        record = None if follows else await asyncio.to_thread(_record, settings, click, until)
        counted = None if record is None else await _counted(database, settings, record, until)
        row = await looks
    finally:
        await database.close()
    return {"site": settings.listen.site, "follows": follows, "record": record, "counted": counted, "row": row}


def _record(settings: InsightSettings, click: Click, until: float) -> dict[str, object] | None:
    """Look for the record at the end of the partition that its tab has; a site that follows has a log of its own."""
    options: Mapping[str, object] = {**BOUNDS, **settings.connection, "enable.auto.commit": False}
    reader = started(lambda: Consumer({**options, "group.id": settings.group}))
    try:
        known = reader.list_topics(settings.topic, timeout=ASK_SECONDS).topics[settings.topic]
        number = crc32(click.tab.encode()) % len(known.partitions)
        place = TopicPartition(settings.topic, number)
        low, high = reader.get_watermark_offsets(place, timeout=ASK_SECONDS)
        place.offset = max(low, high - MOST_RECORDS)
        reader.assign([place])
        while time.monotonic() < until:
            for message in reader.consume(64, ASK_EVERY_SECONDS):
                value = message.value() or b""
                if message.error() is None and click.tab.encode() in value:
                    record = record_of(message)
                    return {
                        "topic": settings.topic,
                        "partition": number,
                        "offset": record.offset,
                        "bytes": len(value),
                        "written_ms": record.time,
                        "batches": value.count(b'"tab":'),
                    }
    except (KafkaException, KeyError) as error:
        raise BrokersError.build(
            "the brokers do not show the end of a partition",
            expected=f"the partitions of {settings.topic!r}, and their records",
            found=str(error),
            action="look at the brokers, and at what this client may read",
        ) from error
    finally:
        reader.close()
    return None


async def _row(database: Database, click: Click, until: float) -> dict[str, object] | None:
    """Wait for the row of the click's session."""
    day = int(time.time() * 1000) // DAY_MS
    sessions = [session_of(click.tab, each) for each in (day - 1, day)]  # it may have been midnight since the click
    found = await _first(database, until, _LOOK, sessions, click.product)
    if found is None:
        return None
    at, product, visitors = found
    return {"seen_ms": _now_ms(), "at": at, "product": product, "visitors_in_three_hours": visitors or 0}


async def _counted(
    database: Database, settings: InsightSettings, record: Mapping[str, object], until: float
) -> dict[str, object] | None:
    """Wait until the worker's place is behind the record."""
    where = (settings.listen.site, settings.topic, record["partition"], record["offset"])
    found = await _first(database, until, _NEXT, *where)
    return found and {"seen_ms": _now_ms(), "next": found[0]}


async def _first(database: Database, until: float, query: str, *arguments: object) -> Any:
    """Ask again and again until there is a row, and return it; None when the time is over."""
    while time.monotonic() < until:
        if row := await database.fetchrow(query, *arguments):
            return row
        await asyncio.sleep(ASK_EVERY_SECONDS)
    return None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def require_click(tab: str, product: str) -> Click:
    """Return what is looked for.

    Raises:
        ShopError: the tab is none.
    """
    try:
        return Click(msgspec.convert(tab, Tab), product)
    except msgspec.ValidationError as error:
        raise ShopError.build(
            "no tab by this number",
            expected="16 hexadecimal digits in lower case",
            found=repr(tab),
            action="give the number that its batches have",
        ) from error
