"""The event log with a real broker: the image's files, the pod's configuration, certificates, rights and bounds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from real_broker import RealBroker, running_broker, unpacked

from app.clicks.administering import KafkaBroker
from app.clicks.keeping import DeclaredLog, Keeper
from app.clicks.settings import ClicksSettings
from lab.images.ensure import build_archives
from shopsphere.estate.event_log import declaration
from shopsphere.estate.event_log_config import KafkaConfig
from shopsphere.estate.event_log_secrets import generate_event_log_secrets
from shopsphere.foundation.clock import wait_until

KAFKA = KafkaConfig.model_validate({"size": "2Gi", "clickPartitions": 3})
RECORDS = 2_000
MEBIBYTE = 2**20


@pytest.fixture(scope="session")
def image_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (archive,) = build_archives(["kafka"])
    return unpacked(archive.path, tmp_path_factory.mktemp("kafka-image"))


@pytest.fixture(scope="module")
def broker(image_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBroker]:
    with running_broker(image_root, tmp_path_factory.mktemp("broker")) as started:
        assert keep(started)
        yield started


def keep(broker: RealBroker) -> bool:
    """Look once as the keeper beside the broker does; a broker that starts answers after a while."""
    file = broker.folder / "declaration.json"
    file.write_text(json.dumps(declaration(KAFKA)))
    keeper = Keeper(KafkaBroker(broker.connection("kafka", inside=True)), DeclaredLog.read(file))
    wait_until(keeper.look, what="the broker to be as declared", seconds=60)
    return keeper.is_ready


def collector_settings(broker: RealBroker) -> ClicksSettings:
    """Return the settings of a collector whose variables and files are those that its pod has."""
    own = broker.connection("collector")
    return ClicksSettings.read(
        {
            "SHOP_SITE": "frankfurt",
            "CLICKS_BOOTSTRAP": own["bootstrap.servers"],
            "CLICKS_PARTITIONS": str(KAFKA.click_partitions),
            "CLICKS_AUTHORITY_FILE": own["ssl.ca.location"],
            "CLICKS_CERTIFICATE_FILE": own["ssl.certificate.location"],
            "CLICKS_KEY_FILE": own["ssl.key.location"],
        }
    )


def sent(connection: dict[str, str], topic: str, values: list[bytes], seconds: float = 30) -> list[KafkaError | None]:
    """Write records as the collector does, and return what became of each."""
    told: list[KafkaError | None] = []

    def done(error: KafkaError | None, _: Message) -> None:
        told.append(error)

    settings = {**connection, "acks": "all", "enable.idempotence": True, "compression.type": "zstd"}
    producer = Producer({**settings, "delivery.timeout.ms": round(seconds * 1000)})
    for number, value in enumerate(values):
        producer.produce(topic, value, partition=number % KAFKA.click_partitions, on_delivery=done)
        producer.poll(0)
    producer.flush(seconds + 5)
    return told


def read(broker: RealBroker, name: str = "insight", group: str = "insight") -> set[bytes]:
    """Return all records of clicks that a program of this name gets."""
    consumer = Consumer({**broker.connection(name), "group.id": group, "enable.auto.commit": False})
    try:
        places = [TopicPartition("clicks", number, 0) for number in range(KAFKA.click_partitions)]
        ends = sum(consumer.get_watermark_offsets(place, timeout=20)[1] for place in places)
        consumer.assign(places)
        found: list[bytes] = []
        wait_until(lambda: _more(consumer, found) >= ends, what=f"{ends} records", seconds=60)
        return set(found)
    finally:
        consumer.close()


def _more(consumer: Consumer, found: list[bytes]) -> int:
    for message in consumer.consume(1000, timeout=1):
        if message.error():
            raise KafkaException(message.error())
        found.append(message.value() or b"")
    return len(found)


@pytest.mark.requirement("the collector writes with the files of its pod, and the worker reads")
def test_the_collector_writes_and_the_worker_reads(broker: RealBroker) -> None:
    values = [f"before {number}".encode() for number in range(30)]
    told = sent(dict(collector_settings(broker).connection), "clicks", values)
    assert told == [None] * 30
    assert set(values) <= read(broker)


@pytest.mark.requirement("a program without a certificate of the event log's authority is refused")
def test_a_stranger_is_refused(broker: RealBroker, tmp_path: Path) -> None:
    others = generate_event_log_secrets("rdc-b")
    (tmp_path / "tls.crt").write_text(others["kafkaCollectorCertificate"])
    (tmp_path / "tls.key").write_text(others["kafkaCollectorKey"])
    own = broker.connection("collector")
    without = {name: value for name, value in own.items() if "certificate" not in name and "key" not in name}
    forged = {
        **own,
        "ssl.certificate.location": str(tmp_path / "tls.crt"),
        "ssl.key.location": str(tmp_path / "tls.key"),
    }
    plain = {"bootstrap.servers": own["bootstrap.servers"]}
    for stranger in (without, forged, plain):
        with pytest.raises(KafkaException):
            Producer(stranger).list_topics("clicks", timeout=5)


@pytest.mark.requirement("each client of the event log may do what is declared for it, and nothing else")
def test_a_client_has_its_own_rights_alone(broker: RealBroker) -> None:
    (refused,) = sent(broker.connection("collector"), "sessions", [b"x"], seconds=5)
    assert refused is not None
    (refused,) = sent(broker.connection("insight"), "clicks", [b"x"], seconds=5)
    assert refused is not None
    with pytest.raises(KafkaException):
        read(broker, "collector", "collector")


@pytest.mark.requirement("retention of every topic is bounded as declared, and nobody makes topics by writing")
def test_topics_are_as_declared(broker: RealBroker) -> None:
    asked = KafkaBroker(broker.connection("kafka", inside=True))
    found = asked.partitions()
    assert {name: found[name] for name in ("clicks", "clicks.rejected", "sessions")} == {
        "clicks": 3, "clicks.rejected": 1, "sessions": 3,
    }  # fmt: skip
    clicks = asked.settings("clicks")
    assert (clicks["retention.ms"], clicks["retention.bytes"]) == ("86400000", str(64 * MEBIBYTE))
    assert clicks["max.message.bytes"] == "524288"
    asked.set("clicks", {"retention.ms": "-1"})
    assert keep(broker)
    assert asked.settings("clicks")["retention.ms"] == "86400000"
    (refused,) = sent(broker.connection("kafka"), "made-by-writing", [b"x"], seconds=5)
    assert refused is not None
    assert "made-by-writing" not in asked.partitions()


@pytest.mark.requirement("the broker stays under the limit of its pod")
def test_its_memory_is_under_the_limit(broker: RealBroker) -> None:
    sent(broker.connection("collector"), "clicks", [b"{}" * 5_000] * RECORDS)
    status = Path(f"/proc/{broker.process_id}/status").read_text()
    (line,) = [each for each in status.splitlines() if each.startswith("VmRSS:")]
    assert int(line.split()[1]) * 1024 < 288 * MEBIBYTE


@pytest.mark.requirement("a broker that loses its power loses no acknowledged record")
def test_nothing_acknowledged_is_lost_when_it_is_killed(image_root: Path, tmp_path: Path) -> None:
    with running_broker(image_root, tmp_path) as broker:
        assert keep(broker)
        acknowledged: set[bytes] = set()
        for turn in range(3):
            values = [f"{turn}/{number}".encode() for number in range(RECORDS)]
            told = sent(broker.connection("collector"), "clicks", values)
            assert told == [None] * RECORDS
            acknowledged |= set(values)
            broker.end(at_once=True)
            broker.start()
            assert keep(broker)
        assert read(broker) == acknowledged
