"""The least that a consumer in Python can do with the same records: fetch, unzip, decode."""

from __future__ import annotations

import time

from confluent_kafka import Consumer, TopicPartition
from mock_broker import PARTITIONS

from app.insight.consuming import BOUNDS, RECORDS_AT_ONCE
from app.insight.reading import batches_of


def floor(address: str, events: int) -> float:
    """Return the CPU seconds per million events of reading them and nothing else, client included."""
    options = {key: value for key, value in BOUNDS.items() if key != "session.timeout.ms"}
    began, found = time.process_time(), 0
    consumer = Consumer({**options, "bootstrap.servers": address, "group.id": "floor", "enable.auto.commit": False})
    consumer.assign([TopicPartition("clicks", number, 0) for number in range(PARTITIONS)])
    while found < events:
        for message in consumer.consume(RECORDS_AT_ONCE, 1):
            if message.error() is None:
                found += sum(len(each.e) for each in batches_of(message.value() or b"[]")[0])
    consumer.close()
    return (time.process_time() - began) / events * 1e6
