"""A broker of Kafka in this process: the one that librdkafka has for its own tests, spoken to over loopback.

It keeps records in memory and knows idempotent producers; it does not replicate, and looks into no record.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import confluent_kafka
from confluent_kafka import Consumer, Message, TopicPartition

PARTITIONS = 4
"""Of each of its topics."""


@contextmanager
def mock_broker(topic: str = "clicks") -> Iterator[str]:
    """Yield the address of a broker that has a topic, until it is gone with all that it keeps."""
    cluster = confluent_kafka.Producer(
        {"test.mock.num.brokers": 1, "bootstrap.servers": "replaced", "log_level": 2},
        logger=logging.getLogger("mock-broker"),
    )
    (broker,) = cluster.list_topics(topic, timeout=20).brokers.values()
    yield f"{broker.host}:{broker.port}"
    del cluster


def records_of(address: str, topic: str = "clicks") -> list[Message]:
    """Return all records that a topic has now, partition by partition."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": "tests", "enable.auto.commit": False})
    try:
        ends = {
            place: consumer.get_watermark_offsets(TopicPartition(topic, place), timeout=20)[1]
            for place in range(PARTITIONS)
        }
        consumer.assign([TopicPartition(topic, place, 0) for place in ends])
        found: list[Message] = []
        until = time.monotonic() + 20
        while len(found) < sum(ends.values()):
            assert time.monotonic() < until, f"{len(found)} of {sum(ends.values())} records came"
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                found.append(message)
        return sorted(found, key=lambda each: (each.partition() or 0, each.offset() or 0))
    finally:
        consumer.close()
