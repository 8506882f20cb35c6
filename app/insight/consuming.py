"""The way from the brokers: a member of a consumer group, whose offsets are PostgreSQL's.

Kafka says which partitions are this worker's. Where each of them goes on is asked of the database, within the call in
which it is assigned; nothing is ever committed to Kafka. All calls are made by one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import confluent_kafka
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from app.clicks.broker_log import kafka_log
from app.clicks.client import started
from app.errors import ShopError
from app.insight.counting import Extent, Partition, Place, Record

ASK_SECONDS = 5.0
"""For one question to the brokers."""
RECORDS_AT_ONCE = 64
PROTOCOLS = ("consumer", "classic")
"""Of groups, the better one first; brokers before 4.0 have the second one only."""
_TIMESTAMP_UNKNOWN = -1
_NO_SUCH_PROTOCOL = frozenset(
    {
        KafkaError.UNSUPPORTED_VERSION,
        KafkaError._UNSUPPORTED_FEATURE,  # noqa: SLF001 the library's own way to name them
    }
)
BOUNDS: Mapping[str, object] = {
    # By default a consumer that has read enough sleeps for a second, whatever becomes free meanwhile.
    "fetch.queue.backoff.ms": 5,
    "queued.max.messages.kbytes": 8_192,
    "queued.min.messages": 1_000,
    "fetch.max.bytes": 8 * 2**20,
    "fetch.message.max.bytes": 2**20,
    "reconnect.backoff.max.ms": 1_000,
    "session.timeout.ms": 10_000,
}


class BrokersError(ShopError):
    """The brokers do not answer, or not as they should; what was read since the last commit is read again."""


class ProtocolError(BrokersError):
    """The brokers do not know this protocol of groups."""


Places = Callable[[Sequence[Extent]], list[Place]]
"""Asks where partitions go on; raises when that is not known now."""


class Reader(Protocol):
    """A member of a group, from its beginning to its end."""

    @property
    def partitions(self) -> Mapping[int, Partition]:
        """Those that are assigned now, by their numbers."""

    @property
    def has_joined(self) -> bool:
        """Whether the group has said which partitions are this member's, be it none."""

    def read(self, seconds: float) -> None:
        """Give what comes within so many seconds to its partitions, RECORDS_AT_ONCE at the most."""

    def look_at_ends(self) -> None:
        """Note where the log ends, as far as is known without asking."""

    def ask(self) -> None:
        """Return when the brokers answer; raise when they do not."""

    def close(self) -> None:
        """Leave the group, at once for the others."""


class KafkaReader:
    """Reads a topic as a member of a group.

    Args:
        topic: its name.
        settings: how brokers are reached, in librdkafka's words.
        group: name of the group.
        protocol: of the group.
        places: asks the database.

    Raises:
        ShopError: a setting is none that the client takes, or a file cannot be read.
    """

    def __init__(self, topic: str, settings: Mapping[str, str], *, group: str, protocol: str, places: Places) -> None:
        self.partitions: dict[int, Partition] = {}
        self.has_joined = False
        self._topic = topic
        self._places = places
        self._log = kafka_log()
        self._problem: Exception | None = None
        options: dict[str, object] = {
            **BOUNDS,
            "group.id": group,
            "group.protocol": protocol,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "error_cb": self._failed,
            **settings,
        }
        if protocol == "classic":
            options["partition.assignment.strategy"] = "cooperative-sticky"
        else:
            del options["session.timeout.ms"]  # the brokers' own
        self._consumer = started(lambda: Consumer(options, logger=self._log))
        self._consumer.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked)

    def read(self, seconds: float) -> None:
        """Give what comes within so many seconds to its partitions, RECORDS_AT_ONCE at the most.

        Raises:
            BrokersError: the client cannot go on, or a partition's next record is gone.
            DatabaseUnavailableError: it is not known where a new partition goes on.
        """
        messages: list[Message] = []
        try:
            messages = self._consumer.consume(RECORDS_AT_ONCE, seconds)
        except KafkaException as error:
            self._problem = self._problem or _judged(error.args[0])
        if self._problem is not None:
            raise self._problem
        for message in messages:
            problem = message.error()
            if problem is not None:
                self._note(problem)
            elif (partition := self.partitions.get(_number(message.partition()))) is not None:
                partition.take(record_of(message))

    def close(self) -> None:
        """Leave the group, at once for the others."""
        self.partitions = {}
        self._consumer.close()

    def _note(self, error: KafkaError) -> None:
        """Pass over what mends itself; raise what does not."""
        if error.fatal() or error.code() not in _PASSING:
            raise _judged(error)
        self._log.info("kafka: %s", error)

    def _assigned(self, consumer: Consumer, given: list[TopicPartition]) -> None:
        try:
            extents = [self._extent(consumer, each.partition) for each in given]
            places = self._places(extents)
        except Exception as error:  # noqa: BLE001 raised again by `read`; here the client would lose it
            self._problem = error
            return
        self.has_joined = True
        for place in places:
            self.partitions[place.partition] = Partition(place)
        consumer.incremental_assign([TopicPartition(self._topic, each.partition, each.reads_from) for each in places])
        self._log.info("counts partitions %s", sorted(self.partitions))

    def _extent(self, consumer: Consumer, number: int) -> Extent:
        low, high = consumer.get_watermark_offsets(TopicPartition(self._topic, number), timeout=ASK_SECONDS)
        return Extent(number, low, high)

    def _revoked(self, _: Consumer, taken: list[TopicPartition]) -> None:
        """Forget partitions with all that is not written of them: who has them next reads it again."""
        for each in taken:
            self.partitions.pop(each.partition, None)
        self._log.info("counts partitions %s", sorted(self.partitions))

    def look_at_ends(self) -> None:
        """Note where the log ends, as far as the client has heard of it."""
        for number, partition in self.partitions.items():
            _, high = self._consumer.get_watermark_offsets(TopicPartition(self._topic, number), cached=True)
            partition.end = max(partition.end, high)

    def ask(self) -> None:
        """Return when the brokers answer.

        Raises:
            BrokersError: they do not.
        """
        try:
            self._consumer.list_topics(self._topic, timeout=ASK_SECONDS)
        except KafkaException as error:
            raise _judged(error.args[0]) from error

    def _failed(self, error: KafkaError) -> None:
        """Note an error of the client: most pass by themselves, after a fatal one it does nothing more."""
        if error.fatal():
            self._problem = _judged(error)


def log_of(topic: str, settings: Mapping[str, str], name: str = "") -> str:
    """Return the id of a topic, or the name that an operator gave to it where brokers have no ids.

    Raises:
        BrokersError: the brokers do not answer.
    """
    client = started(lambda: AdminClient(dict(settings), logger=kafka_log()))
    try:
        if name:
            client.list_topics(topic, timeout=ASK_SECONDS)
            return name
        asked = client.describe_topics(TopicCollection([topic]), request_timeout=ASK_SECONDS)
        return str(asked[topic].result(ASK_SECONDS + 1).topic_id)
    except (KafkaException, TimeoutError, ValueError) as error:
        raise BrokersError.build(
            f"the brokers do not say which log the topic {topic!r} is",
            expected="its id, within 5 s",
            found=str(error),
            action="look at the brokers, at the topic, and at what this client may ask (Describe)",
        ) from error


def record_of(message: Message) -> Record:
    """Return a message as a record."""
    kind, time = message.timestamp()
    version = dict(message.headers() or ()).get("v")
    return Record(
        offset=_number(message.offset()),
        time=_TIMESTAMP_UNKNOWN if kind == confluent_kafka.TIMESTAMP_NOT_AVAILABLE else time,
        value=message.value() or b"",
        version=version.encode() if isinstance(version, str) else version,
    )


_PASSING = frozenset(
    {
        KafkaError._PARTITION_EOF,  # noqa: SLF001 as above
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
    }
)
"""What a client gets over without anybody's help."""


def _judged(error: KafkaError) -> BrokersError:
    kind = ProtocolError if error.code() in _NO_SUCH_PROTOCOL else BrokersError
    return kind(f"the client of Kafka cannot go on: {error}")


def _number(value: int | None) -> int:
    return -1 if value is None else value
