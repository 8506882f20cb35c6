"""The way to the brokers, behind an interface so small that a test can have one in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException

from app.clicks.broker_log import kafka_log
from app.clicks.client import started
from app.clicks.reasons import Reason

LARGEST_RECORD = 512 * 1024
"""Bytes of one batch of records on the wire; the topic's `max.message.bytes`."""
LINGER_MS = 5
SAY_SECONDS = 10.0
"""Between two lines in the log that may say the same again and again."""
_LATE = frozenset(
    {
        KafkaError._MSG_TIMED_OUT,  # noqa: SLF001 the library's own way to name them
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._PURGE_INFLIGHT,  # noqa: SLF001
        KafkaError._PURGE_QUEUE,  # noqa: SLF001
    }
)

Done = Callable[[Reason | None], None]
"""Told once about each record: None when all brokers that have to have it do."""


class Producer(Protocol):
    """Gives records to a topic."""

    problem: str
    """Why it can do no more, until the process starts anew; empty while it can."""

    def produce(self, partition: int, record: bytes, headers: Mapping[str, bytes], done: Done) -> Reason | None:
        """Begin to write a record; `done` is called from a later `poll`. Return why nothing was begun, if so."""

    def poll(self) -> None:
        """Call `done` of what is done by now."""

    def give_up(self) -> None:
        """Forget what is not written; `done` is called for it from the next `poll`."""


class KafkaProducer:
    """Writes with the guarantees of an idempotent producer, each record acknowledged by all replicas in sync.

    Args:
        topic: to write to.
        connection: how brokers are reached, in librdkafka's words.
        client: what brokers call this process.
        ack_seconds: after so long without an acknowledgement a record counts as not written (s).
        most_bytes: of records that are not acknowledged yet.

    Raises:
        ShopError: a setting is none that the client takes, or a file cannot be read.
    """

    def __init__(
        self, topic: str, connection: Mapping[str, str], client: str, *, ack_seconds: float, most_bytes: int
    ) -> None:
        self.problem = ""
        self._said = float("-inf")
        self._topic = topic
        self._log = kafka_log()
        settings: dict[str, object] = {
            "client.id": client,
            "acks": "all",
            "enable.idempotence": True,
            "compression.type": "zstd",
            "linger.ms": LINGER_MS,
            "message.max.bytes": LARGEST_RECORD,
            "batch.size": LARGEST_RECORD,
            "delivery.timeout.ms": round(ack_seconds * 1000),
            "request.timeout.ms": round(ack_seconds * 1000),
            # A host that is gone without a word is left, and one that is back is found, sooner than by default.
            "socket.timeout.ms": round(ack_seconds * 1000) + 2_000,
            "reconnect.backoff.max.ms": 1_000,
            # The packer keeps the bound; this one is only never to be the first.
            "queue.buffering.max.kbytes": most_bytes // 512 + 1024,
            "queue.buffering.max.messages": 1_000_000,
            "error_cb": self._failed,
            **connection,
        }
        self._producer = started(lambda: confluent_kafka.Producer(settings, logger=self._log))

    def produce(self, partition: int, record: bytes, headers: Mapping[str, bytes], done: Done) -> Reason | None:
        """Begin to write a record. Return why not: the client's own queue is full, or it knows no such partition."""

        def told(error: KafkaError | None, _: object) -> None:
            done(None if error is None else _reason(error))

        try:
            self._producer.produce(self._topic, record, partition=partition, headers=dict(headers), on_delivery=told)
        except BufferError:
            return Reason.FULL
        except KafkaException as error:
            now = time.monotonic()
            if now - self._said >= SAY_SECONDS:
                self._said = now
                self._log.error("partition %d of %s takes no record: %s", partition, self._topic, error)
            return Reason.BROKER
        return None

    def poll(self) -> None:
        """Call `done` of what is done by now."""
        self._producer.poll(0)

    def give_up(self) -> None:
        """Forget what is not written."""
        self._producer.purge(in_queue=True, in_flight=True, blocking=True)

    def _failed(self, error: KafkaError) -> None:
        """Note an error of the client: most pass by themselves, after a fatal one it writes nothing more."""
        if error.fatal():
            self.problem = f"the client of Kafka has ended: {error.name()}"
            self._log.critical(self.problem)


def _reason(error: KafkaError) -> Reason:
    return Reason.LATE if error.code() in _LATE else Reason.BROKER
