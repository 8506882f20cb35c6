"""Fills a log with what the collector writes of many tabs: visits, Zipf-like products, records of several batches."""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from typing import Any
from zlib import crc32

import confluent_kafka
from mock_broker import PARTITIONS

from app.clicks.events import batch_of, envelope_of
from app.clicks.senders import Sender

SHARES = {"view": 60, "list": 20, "search": 10, "add": 5, "remove": 1, "checkout": 2, "buy": 2}
CATEGORIES = ("t-shirts", "watches", "caps")
BATCHES_A_RECORD = 10
"""At 20,000 events/s, 5 ms, and 4 partitions."""


def fill(address: str, events: int, events_a_batch: int, tabs: int) -> int:
    """Write so many events, and return how many they are."""
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": address, "compression.type": "zstd", "linger.ms": 50, "queue.buffering.max.kbytes": 65536}
    )
    chance, now = random.Random(1), int(time.time() * 1000)
    open_: dict[int, list[bytes]] = defaultdict(list)
    numbers: dict[int, int] = defaultdict(int)
    made = 0

    def write(partition: int) -> None:
        value = b"[" + b",".join(open_.pop(partition)) + b"]"
        while True:
            try:
                producer.produce("clicks", value, partition=partition, headers={"n": b"0", "v": b"1"}, timestamp=now)
            except BufferError:
                producer.poll(0.1)
            else:
                return

    while made < events:
        tab = chance.randrange(tabs)
        name = f"{tab:016x}"
        body = {
            "v": 1, "tab": name, "b": numbers[tab], "sent": now, "c": 1,
            "e": [event(number, now, chance) for number in range(events_a_batch)],
        }  # fmt: skip
        numbers[tab] += 1
        made += events_a_batch
        partition = crc32(name.encode()) % PARTITIONS
        open_[partition].append(envelope_of(batch_of(json.dumps(body).encode()), now, Sender.PERSON))
        if len(open_[partition]) == BATCHES_A_RECORD:
            write(partition)
    for partition in list(open_):
        write(partition)
    producer.flush(60)
    return made


def event(number: int, now: int, chance: random.Random) -> dict[str, Any]:
    """Return something that happened within the last minutes."""
    (kind,) = chance.choices(list(SHARES), list(SHARES.values()))
    product = {"p": f"product-{int(chance.paretovariate(1.1)) % 4}", "k": chance.choice(CATEGORIES)}
    about: dict[str, dict[str, Any]] = {
        "view": product, "add": product, "remove": product, "list": {"k": chance.choice(CATEGORIES), "n": 1},
        "search": {"s": "brass lamp", "n": 12},
    }  # fmt: skip
    return {"t": kind, "at": now - chance.randrange(180_000), "q": number, **about.get(kind, {"n": 1})}
